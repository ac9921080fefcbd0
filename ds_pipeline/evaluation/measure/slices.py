"""The model group by group: does it work, and does it select, alike for all?

Groups are those of the declared slices, and automatic ones: of each input, of the weeks, of entities that the training
knew and new ones. Small groups pool into "other".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from ds_pipeline.evaluation.measure.intervals import CELLS_AT_ONCE, bootstrap_counts
from ds_pipeline.evaluation.measure.metrics import average_precision
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.evaluation.measure.resamples import Ints, Ranking

MISSING, OTHER = "missing", "other"
QUARTERS = 4
RESAMPLES = 200  # enough for an interval that nobody is refused by
TAIL = 0.05  # on both sides: a 90 % interval
WORST = 20  # automatic groups with an interval
WEEK, KNOWN = "scoring_date", "entity_in_training"


@dataclass(frozen=True)
class _Group:
    """A row of the table, and its rows best first; no ranking where they are too few or of one class."""

    row: SliceRow
    ranking: Ranking | None


class SliceRow(Record):
    """The model within one group; what cannot be told from so few rows is None.

    Attributes:
        lower, upper: two-sided 90 % interval of the average precision; None where it was not made.
        lift: average precision / base rate; 1 is chance.
        is_declared: in features.yaml, as a slice or a protected attribute; else it was found without being asked for.
    """

    slice: str
    group: str
    rows: int
    positives: int
    base_rate: float
    average_precision: float | None
    lower: float | None = None
    upper: float | None = None
    lift: float | None = None
    selected: int
    precision: float | None
    recall: float | None
    is_assessable: bool
    is_declared: bool = True


def slice_table(
    frame: pd.DataFrame,
    *,
    entity: str,
    slices: Sequence[str],
    min_support: int,
    seed: int,
    automatic: Sequence[str] = (),
    known_entities: Collection[str] | None = None,
) -> list[SliceRow]:
    """One row per group of every slice, the worst first, what cannot be assessed last.

    Worst is the lowest lift: average precision / base rate, which is 1 for chance whatever the base rate. It cannot be
    above 1 / base rate, so that groups in which nearly all are positive come early however good the model is.

    Average precision has a two-sided 90 % interval over resamples of entities, the same ones for all groups: in each
    group of a declared slice and in the worst 20 of the automatic ones. Numbers with more than four values are taken in
    quarters.

    Args:
        frame: scoring_date, the entity, label (0/1), score and is_selected (bool) per row, and the columns to split by.
        slices: the declared ones.
        min_support: groups with fewer rows pool into "other"; if that is still too small, it is not assessable.
        automatic: more columns to split by; one that has a single group is left out.
        known_entities: those of the training rows; None leaves that split out.
    """
    columns = {name: (frame[name], True) for name in slices}
    columns |= {name: (frame[name], False) for name in automatic if name not in columns}
    columns.setdefault(WEEK, (frame[WEEK], False))
    if known_entities is not None:
        is_known = frame[entity].isin(known_entities)
        columns[KNOWN] = (is_known.map({True: "known", False: "new"}), False)
    codes = frame[entity].factorize(sort=True)[0].astype(np.int64)
    order = np.argsort(-frame["score"].to_numpy(), kind="stable")  # once: rows that are sorted are sorted quickly
    by_score = frame[["label", "score", "is_selected"]].assign(entity=codes).iloc[order]
    groups = [
        group
        for name, (column, is_declared) in columns.items()
        for group in _groups(by_score, name, column.iloc[order], is_declared=is_declared, min_support=min_support)
    ]
    groups.sort(key=_worst_first)
    found = [group.row for group in groups if group.ranking and not group.row.is_declared]
    worst = {(row.slice, row.group) for row in found[:WORST]}
    counts = bootstrap_counts(int(codes.max()) + 1, range(RESAMPLES), seed)
    return [
        _with_interval(group, counts) if row.is_declared or (row.slice, row.group) in worst else row
        for group, row in ((group, group.row) for group in groups)
    ]


def pooled_groups(column: pd.Series, min_support: int) -> pd.Series:
    """The group of each row: nulls are "missing", groups with too few rows are "other"; an ordered category."""
    codes, values = pd.factorize(column)  # null is -1, and takes the last name
    names = np.array([*map(str, values), MISSING], dtype=object)
    sizes = pd.Series(np.bincount(codes % len(names), minlength=len(names))).groupby(names, sort=True).sum()
    pooled = np.where(sizes.reindex(names) >= min_support, names, OTHER)
    order = sorted(set(pooled[np.unique(codes)]), key=lambda group: (group == OTHER, group == MISSING, group))
    kind = pd.CategoricalDtype(order, ordered=True)
    return pd.Series(pd.Categorical(pooled, dtype=kind).take(codes % len(names)), index=column.index, name=column.name)


def in_quarters(column: pd.Series) -> pd.Series:
    """Numbers of many values as quarters of equal size, named by their limits; anything else as it is.

    A quarter holds its upper limit; values that are the same are never parted, so that there may be fewer than four.
    """
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[~np.isnan(values)]
    distinct = np.unique(known)
    if len(distinct) <= QUARTERS:
        return column
    limits = np.quantile(known, np.arange(1, QUARTERS) / QUARTERS)
    edges = np.unique(np.minimum(limits, distinct[-2]))  # where most have the highest value, it is a group of its own
    # As few digits as tell the limits apart.
    digits = next(n for n in range(3, 18) if len({f"{edge:.{n}g}" for edge in edges}) == len(edges))
    shown = [f"{edge:.{digits}g}" for edge in edges]
    between = [f"above {low}, up to {high}" for low, high in pairwise(shown)]
    names = np.array([f"up to {shown[0]}", *between, f"above {shown[-1]}"], dtype=object)
    named = names[np.searchsorted(edges, values, side="left").clip(max=len(edges))]
    return pd.Series(np.where(np.isnan(values), None, named), index=column.index, name=column.name)


def _groups(
    frame: pd.DataFrame, name: str, column: pd.Series, *, is_declared: bool, min_support: int
) -> Iterator[_Group]:
    groups = pooled_groups(in_quarters(column), min_support)
    if not is_declared and len(groups.cat.categories) < 2:
        return
    label, score, selected = (frame[one].to_numpy() for one in ("label", "score", "is_selected"))
    entity, codes = frame["entity"].to_numpy(), groups.cat.codes.to_numpy()
    for code, group in enumerate(groups.cat.categories):
        members = np.flatnonzero(codes == code)
        positives, taken = int(label[members].sum()), int(np.count_nonzero(selected[members]))
        hits = int(label[members][selected[members]].sum())
        is_assessable = len(members) >= min_support
        has_both = is_assessable and 0 < positives < len(members)
        ranking = Ranking.of(score[members], label[members], entity[members]) if has_both else None
        base_rate = positives / len(members)
        reached = _average_precision(ranking) if ranking else None
        yield _Group(
            row=SliceRow(
                slice=name,
                group=str(group),
                rows=len(members),
                positives=positives,
                base_rate=base_rate,
                average_precision=reached,
                lift=None if reached is None else reached / base_rate,
                selected=taken,
                precision=hits / taken if is_assessable and taken else None,
                recall=hits / positives if is_assessable and positives else None,
                is_assessable=is_assessable,
                is_declared=is_declared,
            ),
            ranking=ranking,
        )


def _average_precision(ranking: Ranking) -> float:
    everybody = np.ones((1, int(ranking.entity.max()) + 1), dtype=np.int32)
    return float(average_precision(ranking.at_cut_offs(everybody))[0])


def _worst_first(group: _Group) -> tuple[bool, bool, float, str, str]:
    row = group.row
    return (not row.is_assessable, row.lift is None, row.lift or 0.0, row.slice, row.group)


def _with_interval(group: _Group, counts: Ints) -> SliceRow:
    """The row with its interval; without one where a resample has no positives, as the rest would flatter."""
    if group.ranking is None:
        return group.row
    parts = np.array_split(counts, max(1, counts.shape[0] * group.row.rows // CELLS_AT_ONCE))
    values = np.concatenate([average_precision(group.ranking.at_cut_offs(part)) for part in parts])
    if not np.isfinite(values).all():
        return group.row
    lower = np.quantile(values, TAIL, method="lower")
    upper = np.quantile(values, 1 - TAIL, method="higher")
    return group.row.model_copy(update={"lower": float(lower), "upper": float(upper)})
