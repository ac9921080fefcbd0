"""Label rates: is the share of positives of each holdout week and segment what it was in training?

A label that is made in another way, a source that lost its cancellations, or rows somebody added show here first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.measure.measurement import gauge
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.evaluation.measure.slices import MISSING
from ds_pipeline.use_case.features import LABEL, SCORING_DATE

GATE = "label_rate_shift"
STANDARD_ERRORS = 1.96  # two-sided 95 %


class RateShift(Record):
    """The share of positives of a holdout week or segment beside its history.

    Attributes:
        by: scoring_date, whose history is all of training, or a slice or protected column, whose history is the same
            group of it in training.
        rate, history_rate: shares of positives (0..1).
        shift: what is left of their difference once 1.96 standard errors are taken off; 0 where sampling explains it;
            None where either has too few rows to tell.
    """

    by: str
    group: str
    rows: int
    rate: float
    history_rows: int
    history_rate: float | None
    shift: float | None


def check_label_rates(of: Material) -> Checked:
    """Each holdout week and group of a slice or protected column beside training; weeks first, groups in order.

    Rows of one entity are not independent, so the standard errors are those of sums over entities. A missing value is a
    group; groups with less than the minimum of support, in the holdout or in training, are not judged.

    Source: K.-Y. Liang and S. L. Zeger, Longitudinal data analysis using generalized linear models, Biometrika 73
    (1986), 13-22: the variance with rows of an entity in any way dependent.
    """
    limits = of.requirements.label_quality
    if limits is None or limits.max_rate_shift is None:
        return Checked()
    min_support = of.requirements.slices.min_support
    shifts = list(_shifts(of, min_support))
    judged = [(shift.shift, shift) for shift in shifts if shift.shift is not None]
    if not judged:
        problem = f"no week or segment has {min_support:,} rows in training and in the holdout"
        return Checked({"rate_shifts": shifts}, gauge(GATE, problem=problem))
    value, largest = max(judged, key=lambda pair: pair[0])
    week = f" {largest.group}" if largest.by == SCORING_DATE else ""
    note = (
        f"The largest is of {largest.by}{week}: {largest.rate:.1%} after {largest.history_rate:.1%}." if value else None
    )
    return Checked({"rate_shifts": shifts}, gauge(GATE, value=value, note=note))


class _Rate(NamedTuple):
    rows: int
    rate: float
    variance: float


def _shifts(of: Material, min_support: int) -> Iterator[RateShift]:
    training, holdout, entity = of.labelled, of.holdout, of.entity
    all_of_training = _rates(training, np.zeros(len(training), dtype="int64"), entity=entity).get(0)
    for week, found in _rates(holdout, holdout[SCORING_DATE], entity=entity).items():
        yield _compare(SCORING_DATE, str(week), found, all_of_training, min_support)
    for by in (*of.features.of_role("slice"), *of.features.of_role("protected")):
        before = _rates(training, _groups(training[by]), entity=entity)
        for group, found in _rates(holdout, _groups(holdout[by]), entity=entity).items():
            yield _compare(by, str(group), found, before.get(group), min_support)


def _groups(column: pd.Series) -> pd.Series:
    return column.astype("string").fillna(MISSING)


def _rates(rows: pd.DataFrame, groups: object, *, entity: str) -> dict[object, _Rate]:
    """The share of positives of each group, in the order of the groups, with its variance over entities."""
    code, names = pd.factorize(groups, sort=True)  # type: ignore[call-overload]
    label, count = rows[LABEL].to_numpy(dtype=float), len(names)
    size = np.bincount(code, minlength=count)
    rate = np.bincount(code, weights=label, minlength=count) / np.maximum(size, 1)
    who = pd.factorize(rows[entity])[0].astype("int64")
    pair, of_pair = np.unique(who * count + code, return_inverse=True)
    sums = np.bincount(of_pair, weights=label - rate[code])
    variance = np.bincount(pair % count, weights=sums**2, minlength=count) / size**2
    return {name: _Rate(int(size[i]), float(rate[i]), float(variance[i])) for i, name in enumerate(names)}


def _compare(by: str, group: str, found: _Rate, before: _Rate | None, min_support: int) -> RateShift:
    shift = None
    if before is not None and min(found.rows, before.rows) >= min_support:
        error = STANDARD_ERRORS * np.sqrt(found.variance + before.variance)
        shift = max(0.0, float(abs(found.rate - before.rate) - error))
    return RateShift(
        by=by,
        group=group,
        rows=found.rows,
        rate=found.rate,
        history_rows=before.rows if before else 0,
        history_rate=before.rate if before else None,
        shift=shift,
    )
