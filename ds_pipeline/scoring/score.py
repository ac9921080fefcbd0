"""One week's scores: probability, rank, decile and decision for everyone in scope, and where each score comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from ds_pipeline.errors import ScoringError
from ds_pipeline.model.top_share import top_count
from ds_pipeline.use_case.features import SCORING_DATE

CAMPAIGN, NO_ACTION = "campaign", "no_action"


@dataclass(frozen=True)
class Origin:
    """What a score leads back to: the signed version and the features partition it was made from, by digest."""

    model_version: str
    candidate_digest: str
    features_snapshot: str


def scores_schema(entity: str) -> pa.Schema:
    """The columns of the prediction log, whether or not it has a row."""
    texts = ("decision", "model_version", "candidate_digest", "features_snapshot")
    return pa.schema(
        [
            (SCORING_DATE, pa.date32()),
            (entity, pa.string()),
            ("score", pa.float64()),
            ("rank", pa.int64()),
            ("decile", pa.int64()),
            *((name, pa.string()) for name in texts),
        ]
    )


def score_week(
    frame: pd.DataFrame, probabilities: np.ndarray, *, entity: str, top_share: float, origin: Origin
) -> pd.DataFrame:
    """Rank the population of one scoring date.

    Args:
        frame: the features partition: scoring_date and the entity are used. Without a row there is nobody to rank.
        probabilities: one per row (0..1).
        top_share: the share of the population that gets the campaign, rounded up.

    Returns:
        One row per entity, highest score first, ties by entity: scoring_date, entity, score (0..1), rank (from 1),
        decile (1 is highest), decision (campaign or no_action), model_version, candidate_digest, features_snapshot.

    Raises:
        ScoringError: a score is not a probability.
    """
    usable = (probabilities >= 0) & (probabilities <= 1)  # false for NaN too
    if not usable.all():
        raise ScoringError(
            f"{len(frame):,} rows: {(~usable).sum():,} scores are not probabilities. Nothing was scored; "
            "verify the champion with: ds-pipeline verify"
        )
    ranked = frame[[SCORING_DATE, entity]].assign(score=probabilities)
    ranked = ranked.sort_values(["score", entity], ascending=[False, True], ignore_index=True)
    count = len(ranked)
    rank = np.arange(1, count + 1)
    quota = top_count(top_share, count)
    return ranked.assign(
        rank=rank,
        decile=(rank - 1) * 10 // count + 1,
        decision=np.where(rank <= quota, CAMPAIGN, NO_ACTION),
        model_version=origin.model_version,
        candidate_digest=origin.candidate_digest,
        features_snapshot=origin.features_snapshot,
    )
