"""The model beside the truth: how near it comes to the best that any score can expect on the same holdout.

A simulation knows the probability that each label was drawn with. No score can expect to rank better than that, so the
ratio of a figure of the model to that of the truth says what is left to gain. Labels are still luck: a ratio a little
above 1 is possible. No gate reads it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ds_pipeline.evaluation.measure.curves import OperatingPoint, operating_point, selections
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.evaluation.measure.resamples import Floats, ScoredRows
from ds_pipeline.use_case.requirements import PrecisionAtRecall, Requirements


class TruthRow(Record):
    """A figure of the model beside that of the true probability on the same rows, the best that any score can expect.

    Attributes:
        name: average_precision, or the operating point.
        figure: what is compared there.
        ratio: model / truth; None where the truth reaches 0.
    """

    name: str
    figure: Literal["average precision", "precision", "recall"]
    model: float
    truth: float
    ratio: float | None


def compare_with_truth(rows: ScoredRows, truth: Floats, requirements: Requirements) -> list[TruthRow]:
    """Average precision, then each operating point, of the model and of the truth taken as the score.

    An operating point is compared by its recall; one that is made to reach a recall, by its precision. A precision
    that no cut-off reaches has a recall of 0.

    Args:
        truth: the true probability of each row, in their order.
    """
    from sklearn.metrics import average_precision_score

    true_rows = replace(rows, score=truth)
    figures = [
        _row(
            "average_precision",
            "average precision",
            average_precision_score(rows.label, rows.score),
            average_precision_score(rows.label, truth),
        )
    ]
    model, best = _points(rows, requirements), _points(true_rows, requirements)
    for name in [name for name in requirements.acceptance if name in model | best]:
        if isinstance(requirements.acceptance[name], PrecisionAtRecall):
            figures.append(_row(name, "precision", model[name].precision, best[name].precision))
        else:
            figures.append(_row(name, "recall", _recall(model.get(name)), _recall(best.get(name))))
    return figures


def _points(rows: ScoredRows, requirements: Requirements) -> dict[str, OperatingPoint]:
    return {name: operating_point(rows, name, chosen) for name, chosen in selections(rows, requirements).items()}


def _recall(point: OperatingPoint | None) -> float:
    return point.recall if point else 0.0


def _row(name: str, figure: str, model: float, truth: float) -> TruthRow:
    ratio = float(model / truth) if truth else None
    return TruthRow.model_validate(
        {"name": name, "figure": figure, "model": float(model), "truth": float(truth), "ratio": ratio}
    )
