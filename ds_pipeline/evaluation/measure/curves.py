"""What the report draws and lists beside the gates: curves, deciles, operating points and the usual metrics."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from ds_pipeline.evaluation.measure.metrics import (
    calibration_bins,
    expected_calibration_error,
    precision_at_top,
    recall_at_top,
    taken_at_top,
)
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.evaluation.measure.resamples import Floats, Ints, ScoredRows
from ds_pipeline.figures import declared_percent
from ds_pipeline.use_case.requirements import (
    ExpectedCalibrationError,
    PrecisionAtRecall,
    PrecisionAtTop,
    RecallAtPrecision,
    RecallAtTop,
    Requirements,
)

CURVE_POINTS = 200  # more cannot be seen
DECILES = 10
BINS = 10  # of the calibration error and its picture, where no threshold says
SHARES = (0.01, 0.05, 0.1)  # of each week, for precision and recall at the top
K = 100  # for precision at k: as many rows of each week


class OperatingPoint(Record):
    """What acting on the scores as the requirements describe it would have given."""

    name: str  # of the acceptance threshold that describes it
    selected: int
    precision: float
    recall: float


class Decile(Record):
    """A tenth of each week's rows; decile 1 has the highest scores."""

    decile: int
    rows: int
    positives: int
    rate: float
    lift: float


class CurvePoint(Record):
    recall: float
    precision: float


class Bin(Record):
    """Rows of similar score: what was predicted and what happened."""

    rows: int
    mean_score: float
    rate: float


class Curves(Record):
    """What the pictures draw; what ranks nothing, or is not there, has no points."""

    deciles: list[Decile]
    score: list[CurvePoint]
    baseline: list[CurvePoint]
    logistic_regression: list[CurvePoint] = Field(default_factory=list)
    champion: list[CurvePoint] = Field(default_factory=list)
    calibration: list[Bin]


def report_metrics(rows: ScoredRows, requirements: Requirements, *, with_baseline: bool) -> dict[str, float]:
    """The usual metrics of a score, for the report; no gate reads them.

    What is "at top" is of the highest-scored share of each week, all weeks pooled; precision_at_100 of the 100 highest
    of each week, and left out where a week has fewer.
    """
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

    once = rows.once
    metrics = {
        "average_precision": average_precision_score(rows.label, rows.score),
        "roc_auc": roc_auc_score(rows.label, rows.score),
        "brier_score": brier_score_loss(rows.label, rows.score),
        "log_loss": log_loss(rows.label, rows.score),
        "expected_calibration_error": expected_calibration_error(once, bins=_bins(requirements))[0],
        "lift_at_top_decile": precision_at_top(once, share=0.1)[0] / rows.label.mean(),
    }
    for share in SHARES:
        metrics[f"precision_at_top_{100 * share:.0f}_percent"] = precision_at_top(once, share=share)[0]
        metrics[f"recall_at_top_{100 * share:.0f}_percent"] = recall_at_top(once, share=share)[0]
    of_week = _place_in_week(rows)
    if np.bincount(rows.week).min() >= K:
        metrics[f"precision_at_{K}"] = rows.label[rows.by_week.order][of_week < K].mean()
    if with_baseline:
        metrics["baseline_average_precision"] = average_precision_score(rows.label, rows.baseline)
        metrics["baseline_roc_auc"] = roc_auc_score(rows.label, rows.baseline)
    return {name: float(value) for name, value in metrics.items()}


def selections(rows: ScoredRows, requirements: Requirements) -> dict[str, Ints]:
    """Which rows (0/1) each threshold on a selection would act on; shares of a week first, they are the campaign.

    Two thresholds on the same share describe one selection, which has the name of the first. A precision that no
    cut-off reaches selects nobody, and is left out.
    """
    shares: dict[float, str] = {}
    cuts: dict[str, float | None] = {}
    for name, threshold in requirements.acceptance.items():
        match threshold:
            case PrecisionAtTop() | RecallAtTop():
                shares.setdefault(threshold.share, name)
            case PrecisionAtRecall():
                cuts[name] = cut_off_for_recall(rows, threshold.recall)
            case RecallAtPrecision():
                cuts[name] = cut_off_for_precision(rows, threshold.precision)
    top = {name: taken_at_top(rows.once, share=share)[0] for share, name in shares.items()}
    return top | {name: (rows.score >= cut).astype(np.int64) for name, cut in cuts.items() if cut is not None}


def campaigns(selected: Mapping[str, Ints], requirements: Requirements) -> dict[str, Ints]:
    """Of the selections, those that are a share of each week, by what they are.

    The share of a precision_at_top is the one that is delivered: cross_check.py holds it against the contract.
    """
    asked = requirements.acceptance.values()
    delivered = {one.share for one in asked if isinstance(one, PrecisionAtTop)}
    found = {}
    for name, rows in selected.items():
        one = requirements.acceptance[name]
        if isinstance(one, PrecisionAtTop | RecallAtTop):
            found[f"the {'delivered' if one.share in delivered else 'highest'} {declared_percent(one.share)}"] = rows
    return found


def cut_off_for_recall(rows: ScoredRows, recall: float) -> float:
    """The highest score from which on the recall is reached."""
    hits = np.cumsum(rows.label[rows.by_score.order])
    first = int((hits / hits[-1] >= recall).argmax())
    return float(rows.score[rows.by_score.order][first])


def cut_off_for_precision(rows: ScoredRows, precision: float) -> float | None:
    """The lowest score from which on the precision is reached, at a positive row; None where none does."""
    ends = rows.by_score.ends
    hits = np.cumsum(rows.label[rows.by_score.order])[ends]
    reached = np.flatnonzero(hits / (ends + 1) >= precision)
    if not len(reached):
        return None
    most = np.flatnonzero(hits == hits[reached[-1]])[0]  # the first cut-off with as many hits: none is added in vain
    return float(rows.score[rows.by_score.order][ends[most]])


def operating_point(rows: ScoredRows, name: str, selected: Ints) -> OperatingPoint:
    """Precision and recall of a selection of rows."""
    hits = int((selected * rows.label).sum())
    return OperatingPoint(
        name=name,
        selected=int(selected.sum()),
        precision=hits / int(selected.sum()),
        recall=hits / int(rows.label.sum()),
    )


def curves(rows: ScoredRows, requirements: Requirements, *, with_baseline: bool) -> Curves:
    """Everything the pictures need; aggregates only."""
    return Curves(
        deciles=deciles(rows),
        score=_precision_recall(rows.label, rows.score),
        baseline=_precision_recall(rows.label, rows.baseline) if with_baseline else [],
        logistic_regression=_precision_recall(rows.label, rows.logistic_regression),
        champion=_precision_recall(rows.label, rows.champion),
        calibration=_calibration(rows, _bins(requirements)),
    )


def deciles(rows: ScoredRows) -> list[Decile]:
    """Tenths of each week by score, all weeks pooled; the first is what precision_at_top takes at a share of 0.1."""
    order = rows.by_week.order
    tenth = _place_in_week(rows) * DECILES // np.bincount(rows.week)[rows.week[order]]
    counts = np.bincount(tenth, minlength=DECILES)
    positives = np.bincount(tenth, weights=rows.label[order], minlength=DECILES)
    base_rate = float(rows.label.mean())
    return [
        Decile(decile=i + 1, rows=int(n), positives=int(k), rate=float(k / n), lift=float(k / n / base_rate))
        for i, (n, k) in enumerate(zip(counts, positives, strict=True))
        if n
    ]


def _place_in_week(rows: ScoredRows) -> Ints:
    """How many rows of its week are before each place of the order week by week."""
    starts = rows.by_week.starts
    return np.arange(len(rows.label)) - np.repeat(starts, np.diff(starts, append=len(rows.label)))


def _bins(requirements: Requirements) -> int:
    asked = [one.bins for one in requirements.acceptance.values() if isinstance(one, ExpectedCalibrationError)]
    return asked[0] if asked else BINS


def _precision_recall(label: Ints, score: Floats | None) -> list[CurvePoint]:
    """The curve from the highest cut-off to the lowest, thinned to what can be seen; none without a score."""
    from sklearn.metrics import precision_recall_curve

    if score is None:
        return []
    precision, recall, _ = precision_recall_curve(label, score)
    last = len(precision) - 2  # the point after it is the convention (recall 0, precision 1), not a cut-off
    kept = np.unique(np.linspace(0, last, CURVE_POINTS).astype(int))[::-1]
    return [CurvePoint(recall=float(recall[i]), precision=float(precision[i])) for i in kept]


def _calibration(rows: ScoredRows, bins: int) -> list[Bin]:
    table = calibration_bins(rows.once, bins=bins)
    return [
        Bin(rows=int(n), mean_score=float(score / n), rate=float(positives / n))
        for n, score, positives in zip(*(column[0] for column in table), strict=True)
        if n
    ][::-1]
