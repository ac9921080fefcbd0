"""The model group by group: does it work, and does it select, alike for all?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from ds_pipeline.evaluation.outcome import SliceRow

MISSING, OTHER = "missing", "other"


def slice_table(frame: pd.DataFrame, *, slices: Sequence[str], min_support: int) -> list[SliceRow]:
    """One row per group of every slice, groups by name, then "missing" and "other".

    Args:
        frame: label (0/1), score and is_selected (bool) per row, and the slice columns.
        min_support: groups with fewer rows pool into "other"; if that is still too small, it is not assessable.
    """
    return [
        _describe(name, str(group), members, min_support)
        for name in slices
        for group, members in frame.groupby(pooled_groups(frame[name], min_support), sort=True, observed=True)
    ]


def pooled_groups(column: pd.Series, min_support: int) -> pd.Series:
    """The group of each row: nulls are "missing", groups with too few rows are "other"; an ordered category."""
    named = column.astype("string").fillna(MISSING)
    groups = named.where(named.map(named.value_counts()) >= min_support, OTHER)
    order = sorted(groups.unique(), key=lambda group: (group == OTHER, group == MISSING, group))
    return groups.astype(pd.CategoricalDtype(order, ordered=True))


def _describe(name: str, group: str, members: pd.DataFrame, min_support: int) -> SliceRow:
    label, selected = members["label"].to_numpy(), members["is_selected"].to_numpy()
    positives, hits = int(label.sum()), int(label[selected].sum())
    is_assessable = len(members) >= min_support
    has_both = is_assessable and 0 < positives < len(members)
    return SliceRow(
        slice=name,
        group=group,
        rows=len(members),
        positives=positives,
        base_rate=positives / len(members),
        average_precision=float(average_precision_score(label, members["score"])) if has_both else None,
        selected=int(np.count_nonzero(selected)),
        precision=hits / int(selected.sum()) if is_assessable and selected.any() else None,
        recall=hits / positives if is_assessable and positives else None,
        is_assessable=is_assessable,
    )
