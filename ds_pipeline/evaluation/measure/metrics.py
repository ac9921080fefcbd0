"""The metrics of the whole holdout that requirements.yaml can ask for, one function each; of groups: fairness.py.

Every function gives one value per resample; one in which the metric is not defined gives NaN.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, assert_never

import numpy as np

from ds_pipeline.evaluation.measure.cost import cost_of
from ds_pipeline.evaluation.measure.resamples import CutOffs, Floats, Ints, Places, Resamples
from ds_pipeline.model.top_share import top_count
from ds_pipeline.use_case.requirements import (
    AveragePrecisionGain,
    CostSaving,
    ExpectedCalibrationError,
    HoldoutMetric,
    PrecisionAtRecall,
    PrecisionAtTop,
    RecallAtPrecision,
    RecallAtTop,
)

Rival = Literal["baseline", "prior", "logistic_regression", "champion"]


def measure(threshold: HoldoutMetric, sample: Resamples) -> Floats:
    """The metric that a threshold asks for, one value per resample."""
    match threshold:
        case PrecisionAtRecall():
            return precision_at_recall(sample, recall=threshold.recall)
        case PrecisionAtTop():
            return precision_at_top(sample, share=threshold.share)
        case RecallAtPrecision():
            return recall_at_precision(sample, precision=threshold.precision)
        case RecallAtTop():
            return recall_at_top(sample, share=threshold.share)
        case AveragePrecisionGain():
            return average_precision_gain(sample, over=threshold.over)
        case CostSaving():
            return cost_saving(sample, share=threshold.share)
        case ExpectedCalibrationError():
            return expected_calibration_error(sample, bins=threshold.bins)
        case _:
            assert_never(threshold)


def precision_at_recall(sample: Resamples, *, recall: float) -> Floats:
    """Precision at the highest distinct cut-off whose recall reaches the target; tied rows are taken together."""
    taken, hits = sample.cut_offs("score")
    reached = _divide(hits, hits[:, -1:]) >= recall
    first = reached.argmax(axis=1)[:, np.newaxis]
    precision = _divide(np.take_along_axis(hits, first, axis=1), np.take_along_axis(taken, first, axis=1))
    return np.where(reached.any(axis=1), precision[:, 0], np.nan)


def precision_at_top(sample: Resamples, *, share: float) -> Floats:
    """Precision over the highest-scored share of each week, all weeks pooled; ties go by the order of entities."""
    places = sample.at_positives
    return _divide(_taken(places, sample, share=share).sum(axis=1), _quota(places, share).sum(axis=1))


def recall_at_precision(sample: Resamples, *, precision: float) -> Floats:
    """The largest recall over the distinct cut-offs whose precision reaches the target; 0 where none does.

    That is the lowest such cut-off, and precision may have been below the target further up. A single positive row at
    the very top has a precision of 1 by luck, and counts with its own recall, which is next to nothing: it cannot
    flatter, so that cut-offs need no least size.
    """
    taken, hits = sample.cut_offs("score")
    reached = _divide(hits, taken) >= precision
    return _divide(np.where(reached, hits, 0).max(axis=1), hits[:, -1])


def recall_at_top(sample: Resamples, *, share: float) -> Floats:
    """Recall of the highest-scored share of each week, all weeks pooled; ties go by the order of entities."""
    places = sample.at_positives
    return _divide(_taken(places, sample, share=share).sum(axis=1), places.there.sum(axis=1))


def taken_at_top(sample: Resamples, *, share: float) -> Ints:
    """How often each row is among the highest-scored ceil(share * n) of its week (resamples x rows)."""
    order = sample.rows.by_week.order
    everywhere = np.arange(len(order))
    taken = np.empty((len(sample.counts), len(order)), dtype=sample.counts.dtype)
    taken[:, order] = _taken(sample.at_places(everywhere), sample, share=share, at=everywhere)
    return taken


def _taken(places: Places, sample: Resamples, *, share: float, at: Ints | None = None) -> Ints:
    """How often the row at each of the places is taken; the places are those of the positives if not said otherwise."""
    ranking = sample.rows.by_week
    last = _quota(places, share) + places.ends - places.weeks
    last_taken = last[:, ranking.group_of(ranking.positives if at is None else at)]
    return np.clip(last_taken - places.ahead, 0, places.there)


def _quota(places: Places, share: float) -> Ints:
    """How many rows of each week are taken (resamples x weeks)."""
    return top_count(share, places.weeks).astype(places.weeks.dtype)


def average_precision_gain(sample: Resamples, *, over: Rival) -> Floats:
    """Average precision of the score minus that of another score or of the prior, paired in each resample.

    The prior gives everybody the same score; its average precision is the share of positives.
    """
    other = base_rate(sample) if over == "prior" else average_precision(sample.cut_offs(over))
    return average_precision(sample.cut_offs("score")) - other


def base_rate(sample: Resamples) -> Floats:
    """The share of positives."""
    label = sample.rows.label
    return _divide(sample.total(label), sample.total(np.ones(len(label))))


def average_precision(cut_offs: CutOffs) -> Floats:
    """Mean precision over the distinct cut-offs, weighted by the recall that each one adds."""
    taken, hits = cut_offs
    added = np.diff(hits, axis=1, prepend=0)
    precision = hits / np.maximum(taken, 1)  # nothing taken means no hits either
    return _divide((added * precision).sum(axis=1), hits[:, -1])


def cost_saving(sample: Resamples, *, share: float | None = None) -> Floats:
    """Saved per 1,000 rows, against the cheaper of two ways that need no model, chosen anew in each resample.

    Without a cost, or anything that says on whom to act, it is not defined.

    Args:
        share: act on the highest-scored share of each week, against as many by lot and nobody; None: from the cut-off
            on, against everybody and nobody.
    """
    label, cost, cut_off = sample.rows.label, sample.rows.cost, sample.rows.cut_off
    if cost is None or (cut_off is None and share is None):
        return np.full(len(sample.counts), np.nan)
    rows, positives = sample.total(np.ones(len(label))), sample.total(label)
    if share is None:
        is_acted_on = sample.rows.score >= (np.inf if cut_off is None else cut_off)
        taken, hits = sample.total(is_acted_on), sample.total(is_acted_on & (label == 1))
        others, others_hits = rows, positives
    else:
        places = sample.at_positives
        taken, hits = (one.sum(axis=1) for one in (_quota(places, share), _taken(places, sample, share=share)))
        others, others_hits = taken, taken * _divide(positives, rows)
    acting = cost_of(cost, taken=taken, hits=hits, positives=positives)
    without = cost_of(cost, taken=others, hits=others_hits, positives=positives)
    nobody = cost_of(cost, taken=0 * rows, hits=0 * rows, positives=positives)
    return _divide(1000 * (np.minimum(without, nobody) - acting), rows)


def expected_calibration_error(sample: Resamples, *, bins: int) -> Floats:
    """Sum over equal-frequency bins of the share of rows times |mean score - share of positives|."""
    table = calibration_bins(sample, bins=bins)
    return _divide(np.abs(table.score_sum - table.positives).sum(axis=1), table.rows.sum(axis=1))


class CalibrationBins(NamedTuple):
    """Totals per bin (resamples x bins), highest scores first; ties can leave a bin with no rows."""

    rows: Floats
    score_sum: Floats
    positives: Floats


def calibration_bins(sample: Resamples, *, bins: int) -> CalibrationBins:
    """Rows by descending score in bins of equal frequency; equal scores share the bin in which their group begins."""
    rows, ranking, size = sample.rows, sample.rows.by_score, len(sample.counts)
    ranked = ranking.ranked(sample.counts)
    count = ranking.per_group(ranked)
    positives = ranking.per_group(ranked * rows.label[ranking.order])
    score = rows.score[ranking.order][ranking.starts]
    ahead = np.cumsum(count, axis=1) - count
    total = np.maximum(count.sum(axis=1, keepdims=True), 1)
    place = np.minimum(ahead * bins // total, bins - 1)  # a group of weight zero at the end would lie past the last bin
    place += np.arange(size)[:, np.newaxis] * bins

    def per_bin(values: Ints | Floats) -> Floats:
        flat = np.bincount(place.ravel(), weights=values.ravel(), minlength=size * bins)
        return flat.astype(np.float64).reshape(size, bins)

    return CalibrationBins(per_bin(count), per_bin(count * score), per_bin(positives))


def _divide(part: Ints | Floats, whole: Ints | Floats) -> Floats:
    """part / whole, NaN where whole is zero."""
    return np.divide(part, whole, out=np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan), where=whole != 0)
