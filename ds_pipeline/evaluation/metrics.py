"""The metrics of the whole holdout that requirements.yaml can ask for, one function each; of groups: fairness.py.

Every function takes weights (resamples x rows: how often the row's entity was drawn) and gives one value per resample,
so that the point value (all weights one) and the bootstrap come from the same lines. A weight of k means the same as
the row being there k times. A resample in which the metric is not defined gives NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, assert_never

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ds_pipeline.use_case.requirements import (
    AveragePrecisionGain,
    ExpectedCalibrationError,
    HoldoutMetric,
    PrecisionAtRecall,
    PrecisionAtTop,
    RecallAtPrecision,
    RecallAtTop,
)

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """Rows from the highest score to the lowest; rows with equal scores form one group.

    Attributes:
        order: row positions, best first.
        starts: where in the order each group begins.
        positives: where in the order the positive rows are.
    """

    order: Ints
    starts: Ints
    positives: Ints

    @classmethod
    def of(cls, score: Floats, label: Ints) -> Ranking:
        order = np.argsort(-score, kind="stable")
        ranked = score[order]
        starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
        return cls(order, starts, np.flatnonzero(label[order]))

    @cached_property
    def ends(self) -> Ints:
        """Where in the order each group has its last row."""
        return np.append(self.starts[1:], len(self.order)) - 1

    @cached_property
    def cut_offs(self) -> Ints:
        """The last rows of the groups that hold a positive, and of all groups.

        No metric here needs the others: a cut-off that adds negatives alone has the recall of the one before it, and
        less precision.
        """
        return np.unique(np.append(self.ends[self.group_of(self.positives)], len(self.order) - 1))

    @cached_property
    def positives_above(self) -> Ints:
        """How many positive rows the order has up to each of the cut-offs."""
        return np.searchsorted(self.positives, self.cut_offs, side="right")

    def group_of(self, places: Ints) -> Ints:
        """The number of the group that each place in the order belongs to."""
        return np.searchsorted(self.starts, places, side="right") - 1

    def ranked(self, weights: Ints) -> Ints:
        """The weights, best row first."""
        return np.take(weights, self.order, axis=1)  # several times as fast as weights[:, order]

    def per_group(self, weights: Ints) -> Ints:
        """Total weight of each group (resamples x groups)."""
        return np.add.reduceat(self.ranked(weights), self.starts, axis=1)


@dataclass(frozen=True)
class ScoredRows:
    """The holdout as arrays, ordered by week and entity, so that ties break the same way whatever came in."""

    week: Ints
    entity: Ints  # 0..number of entities - 1
    label: Ints
    score: Floats
    baseline: Floats

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, entity: str) -> ScoredRows:
        """The rows of a checked predictions frame that is sorted by scoring_date and entity."""
        return cls(
            week=frame["scoring_date"].factorize(sort=True)[0].astype(np.int64),
            entity=frame[entity].factorize(sort=True)[0].astype(np.int64),
            label=frame["label"].to_numpy(np.int64),
            score=frame["score"].to_numpy(np.float64),
            baseline=frame["baseline"].to_numpy(np.float64),
        )

    @property
    def once(self) -> Ints:
        """The weights of the holdout as it is: one resample, every row once."""
        return np.ones((1, len(self.label)), dtype=np.int64)

    @cached_property
    def by_score(self) -> Ranking:
        return Ranking.of(self.score, self.label)

    @cached_property
    def by_baseline(self) -> Ranking:
        return Ranking.of(self.baseline, self.label)

    @cached_property
    def by_week(self) -> Ranking:
        """Week by week, best score first; the groups are the weeks."""
        order = np.lexsort((-self.score, self.week))
        starts = np.flatnonzero(np.append(True, np.diff(self.week[order]) != 0))
        return Ranking(order, starts, np.flatnonzero(self.label[order]))


def measure(threshold: HoldoutMetric, rows: ScoredRows, weights: Ints) -> Floats:
    """The metric that a threshold asks for, one value per resample."""
    match threshold:
        case PrecisionAtRecall():
            return precision_at_recall(rows, weights, recall=threshold.recall)
        case PrecisionAtTop():
            return precision_at_top(rows, weights, share=threshold.share)
        case RecallAtPrecision():
            return recall_at_precision(rows, weights, precision=threshold.precision)
        case RecallAtTop():
            return recall_at_top(rows, weights, share=threshold.share)
        case AveragePrecisionGain():
            return average_precision_gain(rows, weights, over=threshold.over)
        case ExpectedCalibrationError():
            return expected_calibration_error(rows, weights, bins=threshold.bins)
        case _:
            assert_never(threshold)


def precision_at_recall(rows: ScoredRows, weights: Ints, *, recall: float) -> Floats:
    """Precision at the highest distinct cut-off whose recall reaches the target; tied rows are taken together."""
    taken, hits = _at_cut_offs(rows.by_score, weights)
    reached = _divide(hits, hits[:, -1:]) >= recall
    first = reached.argmax(axis=1)[:, np.newaxis]
    precision = _divide(np.take_along_axis(hits, first, axis=1), np.take_along_axis(taken, first, axis=1))
    return np.where(reached.any(axis=1), precision[:, 0], np.nan)


def precision_at_top(rows: ScoredRows, weights: Ints, *, share: float) -> Floats:
    """Precision over the highest-scored share of each week, all weeks pooled; ties go by the order of entities."""
    top = _top(rows, weights, share=share, places=rows.by_week.positives)
    return _divide(top.taken.sum(axis=1), top.size)


def recall_at_precision(rows: ScoredRows, weights: Ints, *, precision: float) -> Floats:
    """The largest recall over the distinct cut-offs whose precision reaches the target; 0 where none does.

    That is the lowest such cut-off, and precision may have been below the target further up. A single positive row at
    the very top has a precision of 1 by luck, and counts with its own recall, which is next to nothing: it cannot
    flatter, so that cut-offs need no least size.
    """
    taken, hits = _at_cut_offs(rows.by_score, weights)
    reached = _divide(hits, taken) >= precision
    return _divide(np.where(reached, hits, 0).max(axis=1), hits[:, -1])


def recall_at_top(rows: ScoredRows, weights: Ints, *, share: float) -> Floats:
    """Recall of the highest-scored share of each week, all weeks pooled; ties go by the order of entities."""
    top = _top(rows, weights, share=share, places=rows.by_week.positives)
    return _divide(top.taken.sum(axis=1), top.weights.sum(axis=1))


def taken_at_top(rows: ScoredRows, weights: Ints, *, share: float) -> Ints:
    """How often each row is among the highest-scored ceil(share * n) of its week (resamples x rows)."""
    taken = np.empty_like(weights)
    taken[:, rows.by_week.order] = _top(rows, weights, share=share, places=np.arange(len(rows.label))).taken
    return taken


class _Top(NamedTuple):
    """The highest-scored share of each week.

    Attributes:
        weights: of the rows at the asked places (resamples x places).
        taken: how often each of them is taken.
        size: how many rows are taken in all (resamples).
    """

    weights: Ints
    taken: Ints
    size: Ints


def _top(rows: ScoredRows, weights: Ints, *, share: float, places: Ints) -> _Top:
    """What is taken at some places of the order week by week; precision and recall need those of the positives only."""
    ranking = rows.by_week
    ranked = ranking.ranked(weights)
    running = _running_sum(ranked)
    at_end = running[:, ranking.ends]
    weeks = np.diff(at_end, axis=1, prepend=0)
    # The small step down keeps ceil(0.07 * 100) at 7: the product is 7.000000000000001 in floating point.
    quota = np.ceil(share * weeks - 1e-9).astype(weights.dtype)
    last_taken = (quota + at_end - weeks)[:, ranking.group_of(places)]
    there = ranked[:, places]
    ahead = running[:, places] - there
    return _Top(there, np.clip(last_taken - ahead, 0, there), quota.sum(axis=1))


def average_precision_gain(rows: ScoredRows, weights: Ints, *, over: Literal["baseline", "prior"]) -> Floats:
    """Average precision of the score minus that of the baseline rule or of the prior, paired in each resample.

    The prior gives everybody the same score; its average precision is the share of positives.
    """
    other = base_rate(rows, weights) if over == "prior" else average_precision(rows.by_baseline, weights)
    return average_precision(rows.by_score, weights) - other


def base_rate(rows: ScoredRows, weights: Ints) -> Floats:
    """The share of positives."""
    return _divide(weights @ rows.label, weights.sum(axis=1))


def average_precision(ranking: Ranking, weights: Ints) -> Floats:
    """Mean precision over the distinct cut-offs, weighted by the recall that each one adds."""
    taken, hits = _at_cut_offs(ranking, weights)
    added = np.diff(hits, axis=1, prepend=0)
    precision = hits / np.maximum(taken, 1)  # nothing taken means no hits either
    return _divide((added * precision).sum(axis=1), hits[:, -1])


def expected_calibration_error(rows: ScoredRows, weights: Ints, *, bins: int) -> Floats:
    """Sum over equal-frequency bins of the share of rows times |mean score - share of positives|."""
    table = calibration_bins(rows, weights, bins=bins)
    return _divide(np.abs(table.score_sum - table.positives).sum(axis=1), weights.sum(axis=1))


class CalibrationBins(NamedTuple):
    """Totals per bin (resamples x bins), highest scores first; ties can leave a bin with no rows."""

    rows: Floats
    score_sum: Floats
    positives: Floats


def calibration_bins(rows: ScoredRows, weights: Ints, *, bins: int) -> CalibrationBins:
    """Rows by descending score in bins of equal frequency; equal scores share the bin in which their group begins."""
    count = rows.by_score.per_group(weights)
    positives = rows.by_score.per_group(weights * rows.label)
    score = rows.score[rows.by_score.order][rows.by_score.starts]
    ahead = np.cumsum(count, axis=1) - count
    total = np.maximum(count.sum(axis=1, keepdims=True), 1)
    place = np.minimum(ahead * bins // total, bins - 1)  # a group of weight zero at the end would lie past the last bin
    place += np.arange(len(weights))[:, np.newaxis] * bins

    def per_bin(values: Ints | Floats) -> Floats:
        flat = np.bincount(place.ravel(), weights=values.ravel(), minlength=len(weights) * bins)
        return flat.astype(np.float64).reshape(len(weights), bins)

    return CalibrationBins(per_bin(count), per_bin(count * score), per_bin(positives))


def _at_cut_offs(ranking: Ranking, weights: Ints) -> tuple[Ints, Ints]:
    """Rows taken and positives among them at each of the ranking's cut-offs (resamples x cut-offs)."""
    ranked = ranking.ranked(weights)
    taken = _running_sum(ranked)[:, ranking.cut_offs]
    hits = np.zeros((len(weights), len(ranking.positives) + 1), dtype=weights.dtype)
    hits[:, 1:] = _running_sum(ranked[:, ranking.positives])
    return taken, hits[:, ranking.positives_above]


def _running_sum(weights: Ints) -> Ints:
    """Over the columns, in the type it comes in: half the bytes take half the time."""
    return np.cumsum(weights, axis=1, dtype=weights.dtype)


def _divide(part: Ints | Floats, whole: Ints | Floats) -> Floats:
    """part / whole, NaN where whole is zero."""
    return np.divide(part, whole, out=np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan), where=whole != 0)
