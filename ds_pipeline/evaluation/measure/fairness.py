"""Fairness: does the selection, and does a score, mean the same for every group of a protected attribute?

The rates and the differences are fairlearn's. Groups are those of the slices: small ones pool into "other", nulls are
"missing". What is left too small, or has nobody that a rate could be of, cannot be assessed, and that refuses a gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.evaluation.measure.slices import pooled_groups
from ds_pipeline.use_case.requirements import (
    CalibrationDifference,
    DemographicParityDifference,
    EqualizedOddsDifference,
    FalsePositiveRateDifference,
    GroupDifference,
)

MAX_MISSING = 0.3  # of the rows: beyond it, those whose group nobody knows could turn any difference round


class GroupRow(Record):
    """A group of a protected attribute at the selection of the highest-scored share; what cannot be told is None."""

    attribute: str
    share: float
    group: str
    rows: int
    positives: int
    base_rate: float
    selected_share: float | None
    false_positive_rate: float | None
    true_positive_rate: float | None
    mean_score: float | None
    is_assessable: bool


def count_cells(frame: pd.DataFrame, *, attribute: str, min_support: int) -> pd.DataFrame:
    """One row per group, label and is_selected, with the number of rows in it and their mean score.

    All rates here come from these few weighted rows: fairlearn takes seconds where it is given tens of thousands.

    Args:
        frame: label (0/1), score, is_selected (0/1: among the highest-scored share of its week) and the attribute.
        min_support: groups with fewer rows pool into "other".
    """
    groups = pooled_groups(frame[attribute], min_support).rename("group")
    cells = frame.groupby([groups, "label", "is_selected"], sort=True, observed=True)["score"].agg(["size", "mean"])
    return cells.rename(columns={"size": "rows", "mean": "score"}).reset_index()


def group_table(cells: pd.DataFrame, *, attribute: str, share: float, min_support: int) -> list[GroupRow]:
    """One row per group of a protected attribute, groups by name, then "missing" and "other".

    Args:
        cells: from count_cells.
        min_support: a group with fewer rows, though it is all small ones together, is not assessable.
    """
    from fairlearn.metrics import (  # type: ignore[import-untyped]  # half a second, which only an evaluation need pay
        MetricFrame,
        false_positive_rate,
        mean_prediction,
        selection_rate,
        true_positive_rate,
    )

    metrics = {
        "selected_share": (selection_rate, "is_selected"),
        "false_positive_rate": (false_positive_rate, "is_selected"),
        "true_positive_rate": (true_positive_rate, "is_selected"),
        "mean_score": (mean_prediction, "score"),
    }
    rates = {
        name: MetricFrame(metrics=metric, y_pred=cells[column], **_truth_and_weights(cells)).by_group
        for name, (metric, column) in metrics.items()
    }
    table = []
    for group, members in cells.groupby("group", sort=True, observed=True):
        rows, positives = int(members["rows"].sum()), int(members.loc[members["label"] == 1, "rows"].sum())
        # fairlearn says 0 where there is nobody that a rate could be of.
        of = {"false_positive_rate": rows - positives, "true_positive_rate": positives}
        is_assessable = rows >= min_support
        known = {
            name: float(rate[group]) if is_assessable and of.get(name, rows) else None for name, rate in rates.items()
        }
        table.append(
            GroupRow(
                attribute=attribute,
                share=share,
                group=str(group),
                rows=rows,
                positives=positives,
                base_rate=positives / rows,
                is_assessable=is_assessable,
                **known,
            )
        )
    return table


def group_difference(threshold: GroupDifference, cells: pd.DataFrame) -> float:
    """The largest difference between two groups, of what the threshold names (0..1).

    Calibration: mean score minus share of positives, with its sign: groups of which one is scored too high and one too
    low are as far apart as both errors together.

    Args:
        cells: from count_cells, and assessable by group_problem.
    """
    from fairlearn.metrics import (  # type: ignore[import-untyped]
        MetricFrame,
        demographic_parity_difference,
        equalized_odds_difference,
        false_positive_rate_difference,
    )

    if isinstance(threshold, CalibrationDifference):
        frame = MetricFrame(metrics=_overprediction, y_pred=cells["score"], **_truth_and_weights(cells))
        return float(frame.difference(method="between_groups"))
    differences = {
        FalsePositiveRateDifference: false_positive_rate_difference,
        DemographicParityDifference: demographic_parity_difference,
        EqualizedOddsDifference: equalized_odds_difference,
    }
    return float(
        differences[type(threshold)](
            cells["label"],
            cells["is_selected"],
            sensitive_features=cells["group"].astype(str),
            sample_weight=cells["rows"],
        )
    )


def group_problem(
    threshold: GroupDifference, table: Sequence[GroupRow], *, missing: float, min_support: int
) -> str | None:
    """Why the groups of a table cannot be compared, in plain words; None if they can.

    Args:
        missing: share of rows without the attribute (0..1).
    """
    name = threshold.attribute
    if missing > MAX_MISSING:
        return f"{name} is missing in {missing:.0%} of the rows; above {MAX_MISSING:.0%} groups tell too little"
    small = [row for row in table if not row.is_assessable]
    if small:
        found = ", ".join(f"{row.group} has {row.rows:,} rows" for row in small)
        return f"of {name}, {found}, though all small groups are in it; {min_support:,} are needed to assess a group"
    if len(table) < 2:
        return f"{name} has a single group of {min_support:,} rows or more, so there is nothing to compare"
    needs_negatives = isinstance(threshold, FalsePositiveRateDifference | EqualizedOddsDifference)
    needs_positives = isinstance(threshold, EqualizedOddsDifference)
    lacking = [f"{row.group} has no negatives" for row in table if needs_negatives and row.positives == row.rows]
    lacking += [f"{row.group} has no positives" for row in table if needs_positives and row.positives == 0]
    return f"of {name}, {', '.join(lacking)}" if lacking else None


def _truth_and_weights(cells: pd.DataFrame) -> dict[str, Any]:
    return {
        "y_true": cells["label"],
        "sensitive_features": cells["group"].astype(str),
        "sample_params": {"sample_weight": cells["rows"]},
    }


def _overprediction(label: Any, score: Any, sample_weight: Any) -> float:
    return float(np.average(np.asarray(score) - np.asarray(label), weights=sample_weight))
