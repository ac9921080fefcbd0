"""The metrics that requirements.yaml can ask for, one function each.

Every function takes weights (resamples x rows: how often the row's entity was drawn) and gives one value per resample,
so that the point value (all weights one) and the bootstrap come from the same lines. A weight of k means the same as
the row being there k times. A resample in which the metric is not defined gives NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, assert_never

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ds_pipeline.use_case.requirements import (
    AveragePrecisionGain,
    ExpectedCalibrationError,
    PrecisionAtRecall,
    PrecisionAtTop,
    Threshold,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """Rows from the highest score to the lowest; rows with equal scores form one group.

    Attributes:
        order: row positions, best first.
        starts: where in the order each group begins.
    """

    order: Ints
    starts: Ints

    @classmethod
    def of(cls, score: Floats) -> Ranking:
        order = np.argsort(-score, kind="stable")
        ranked = score[order]
        return cls(order, np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1])))

    def per_group(self, weights: Ints) -> Ints:
        """Total weight of each group (resamples x groups)."""
        return np.add.reduceat(weights[:, self.order], self.starts, axis=1)


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
        return Ranking.of(self.score)

    @cached_property
    def by_baseline(self) -> Ranking:
        return Ranking.of(self.baseline)

    @cached_property
    def by_week(self) -> Ranking:
        """Week by week, best score first; the groups are the weeks."""
        order = np.lexsort((-self.score, self.week))
        return Ranking(order, np.flatnonzero(np.append(True, np.diff(self.week[order]) != 0)))


def measure(threshold: Threshold, rows: ScoredRows, weights: Ints) -> Floats:
    """The metric that a threshold asks for, one value per resample."""
    match threshold:
        case PrecisionAtRecall():
            return precision_at_recall(rows, weights, recall=threshold.recall)
        case PrecisionAtTop():
            return precision_at_top(rows, weights, share=threshold.share)
        case AveragePrecisionGain():
            return average_precision_gain(rows, weights)
        case ExpectedCalibrationError():
            return expected_calibration_error(rows, weights, bins=threshold.bins)
        case _:
            assert_never(threshold)


def precision_at_recall(rows: ScoredRows, weights: Ints, *, recall: float) -> Floats:
    """Precision at the highest distinct cut-off whose recall reaches the target; tied rows are taken together."""
    taken, hits = _at_cut_offs(rows, rows.by_score, weights)
    reached = _divide(hits, hits[:, -1:]) >= recall
    first = reached.argmax(axis=1)[:, np.newaxis]
    precision = _divide(np.take_along_axis(hits, first, axis=1), np.take_along_axis(taken, first, axis=1))
    return np.where(reached.any(axis=1), precision[:, 0], np.nan)


def precision_at_top(rows: ScoredRows, weights: Ints, *, share: float) -> Floats:
    """Precision over the highest-scored share of each week, all weeks pooled; ties go by the order of entities."""
    taken = taken_at_top(rows, weights, share=share)
    return _divide((taken * rows.label).sum(axis=1), taken.sum(axis=1))


def taken_at_top(rows: ScoredRows, weights: Ints, *, share: float) -> Ints:
    """How often each row is among the highest-scored ceil(share * n) of its week (resamples x rows)."""
    ranked, weeks = weights[:, rows.by_week.order], rows.by_week.per_group(weights)
    # The small step down keeps ceil(0.07 * 100) at 7: the product is 7.000000000000001 in floating point.
    quota = np.ceil(share * weeks - 1e-9).astype(np.int64)
    last_taken = quota + np.cumsum(weeks, axis=1) - weeks
    ahead = np.cumsum(ranked, axis=1) - ranked
    lengths = np.diff(rows.by_week.starts, append=len(rows.label))
    taken = np.empty_like(ranked)
    taken[:, rows.by_week.order] = np.clip(np.repeat(last_taken, lengths, axis=1) - ahead, 0, ranked)
    return taken


def average_precision_gain(rows: ScoredRows, weights: Ints) -> Floats:
    """Average precision of the score minus that of the baseline rule, paired in each resample."""
    return average_precision(rows, rows.by_score, weights) - average_precision(rows, rows.by_baseline, weights)


def average_precision(rows: ScoredRows, ranking: Ranking, weights: Ints) -> Floats:
    """Mean precision over the distinct cut-offs, weighted by the recall that each one adds."""
    taken, hits = _at_cut_offs(rows, ranking, weights)
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


def _at_cut_offs(rows: ScoredRows, ranking: Ranking, weights: Ints) -> tuple[Ints, Ints]:
    """Rows taken and positives among them at each distinct cut-off (resamples x cut-offs)."""
    taken = np.cumsum(ranking.per_group(weights), axis=1)
    return taken, np.cumsum(ranking.per_group(weights * rows.label), axis=1)


def _divide(part: Ints | Floats, whole: Ints | Floats) -> Floats:
    """part / whole, NaN where whole is zero."""
    return np.divide(part, whole, out=np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan), where=whole != 0)
