"""Does a model fitted again on all matured weeks do as the one that was judged?

It has seen the holdout, so nothing of its worth can be measured there. What can be asked is whether it is the same
model when it is made again, and whether it would serve nearly the same people nearly the same scores. The fits are made
elsewhere (promotion.matured_fit); here they are compared.
Source: docs/decisions/0015-what-is-judged-and-what-serves.md
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from ds_pipeline.digests import SHORT
from ds_pipeline.evaluation.measure.measurement import Measurement, gauge
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.model.parts import Floats
from ds_pipeline.model.top_share import in_top_share
from ds_pipeline.use_case.features import SCORING_DATE

GATES = ("matured_fit_models", "matured_fit_overlap", "matured_fit_change")


class MaturedFit(Record):
    """What serves in the place of the judged model, once that has passed.

    Attributes:
        judged, model: digests of the joblib bytes of both.
        again: of the same fit made in a fresh process.
        weeks, rows, positives: what it was fitted on.
        data: the digest of the snapshots of its weeks.
        share: of each holdout week, the highest-scored: whom a list would name.
        overlap: the share of those by the judged model that this one names as well.
        change: mean absolute change of the score over the rows of the holdout.
        compared: how many rows those are.
    """

    judged: str
    model: str
    again: str
    weeks: list[date]
    rows: int
    positives: int
    data: str
    share: float
    overlap: float
    change: float
    compared: int

    @property
    def in_words(self) -> str:
        """For status, report and card."""
        return (
            f"refit on {len(self.weeks)} matured weeks to {self.weeks[-1]}, model {self.model[:SHORT]}; judged model "
            f"{self.judged[:SHORT]}, {self.overlap:.0%} of whose list it names"
        )


def agreement(rows: pd.DataFrame, served: Floats, *, entity: str, share: float) -> tuple[float, float]:
    """How many of the judged model's highest-scored stay so, and the mean absolute change of the score.

    Args:
        rows: scoring_date, the entity and the score of the judged model.
        served: the scores of the same rows by the other one.
    """
    both = rows[[SCORING_DATE, entity]].assign(judged=rows["score"].to_numpy(), served=served)
    judged, again = (in_top_share(both, entity=entity, share=share, by=name) for name in ("judged", "served"))
    return float(again[judged].mean()), float(np.abs(both["served"] - both["judged"]).mean())


def measure_agreement(found: MaturedFit) -> Mapping[str, Measurement]:
    """What the gates are judged on."""
    fitted = f"{found.rows:,} rows of {len(found.weeks)} weeks."
    models, overlap, change = GATES
    return {
        **gauge(models, value=len({found.model, found.again}), note=fitted),
        **gauge(overlap, value=found.overlap, note=f"{found.compared:,} rows scored, which it was fitted on."),
        **gauge(change, value=found.change, note=f"{found.compared:,} rows scored, which it was fitted on."),
    }
