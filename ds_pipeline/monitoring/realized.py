"""Realized quality: the predictions that were logged, held against what then happened."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from sklearn.metrics import average_precision_score

from ds_pipeline.errors import ScoringError


@dataclass(frozen=True)
class RealizedQuality:
    """What the scores of one date turned out to be worth; None where there was one class only."""

    rows: int
    base_rate: float
    average_precision: float | None
    campaign_precision: float
    mean_score: float


def realized_quality(scores: pd.DataFrame, labels: pd.DataFrame, *, entity: str) -> RealizedQuality:
    """Join the matured labels of a scoring date back to its logged predictions.

    Args:
        scores: the prediction log of the date.
        labels: its matured labels; one row per entity.

    Raises:
        ScoringError: a logged prediction has no label.
    """
    joined = scores.merge(labels[[entity, "label"]], on=entity, how="left", validate="one_to_one")
    lost = int(joined["label"].isna().sum())
    if lost:
        raise ScoringError(
            f"{lost:,} of {len(joined):,} logged predictions have no label. The population of the scoring date has "
            "changed since it was scored; its quality cannot be judged."
        )
    both = joined["label"].nunique() == 2
    chosen = joined[joined["decision"] == "campaign"]
    return RealizedQuality(
        rows=len(joined),
        base_rate=float(joined["label"].mean()),
        average_precision=float(average_precision_score(joined["label"], joined["score"])) if both else None,
        campaign_precision=float(chosen["label"].mean()),
        mean_score=float(joined["score"].mean()),
    )
