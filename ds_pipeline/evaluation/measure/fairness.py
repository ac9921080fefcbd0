"""Fairness: does the selection, and does a score, mean the same for every group of a protected attribute?

The table of the page, with fairlearn's rates. Groups are those of the slices: small ones pool into "other", nulls are
"missing". What a gate reads is in group_differences.py.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.evaluation.measure.slices import pooled_groups


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


def _truth_and_weights(cells: pd.DataFrame) -> dict[str, Any]:
    return {
        "y_true": cells["label"],
        "sensitive_features": cells["group"].astype(str),
        "sample_params": {"sample_weight": cells["rows"]},
    }
