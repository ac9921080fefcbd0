"""Cross-validation for small data: how much do the figures vary with the people who happened to be trained on?

The model is fitted again, with the parameters that were chosen, on fixed folds of entities of the training rows. It is
no gate: the folds lie in the same weeks, so that it knows nothing of time, which the holdout does.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ds_pipeline.errors import EvaluationError, TrainingError
from ds_pipeline.evaluation.checks.fits import FitPredict, folds_of
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.use_case.features import LABEL
from ds_pipeline.use_case.requirements import CrossValidation


class FoldMetric(Record):
    """A metric on each fold that was left out, with the mean and the sample standard deviation."""

    name: str
    folds: list[float]
    mean: float
    standard_deviation: float


class CrossValidated(Record):
    """Refits on folds of entities of the training rows; metrics are empty where a problem says why."""

    folds: int
    rows: int
    entities: int
    metrics: list[FoldMetric]
    problem: str | None


def cross_validate(
    rows: pd.DataFrame, *, settings: CrossValidation, entity: str, fit_predict: FitPredict
) -> CrossValidated:
    """Each metric on every fold, by a model that was fitted on the others; all rows of an entity are in one fold.

    Args:
        rows: the training rows in a stable order, with the entity and label (0/1).
        fit_predict: fits on the first frame and gives the scores (0..1) of the second, in its order.

    Returns:
        Metrics with mean and sample standard deviation over the folds; none, with the problem, where a fold cannot be
        fitted or measured.
    """
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    metrics = {"average_precision": average_precision_score, "roc_auc": roc_auc_score, "brier_score": brier_score_loss}
    label = rows[LABEL].to_numpy()
    problem = None
    values: dict[str, list[float]] = {name: [] for name in metrics}
    try:
        splits = folds_of(rows, entity=entity, folds=settings.folds, seed=settings.seed)
        if any(len(set(label[part])) < 2 for split in splits for part in split):
            raise EvaluationError("there is a fold with one class of label only")
        for fitted, left_out in splits:
            score = fit_predict(rows.iloc[fitted], rows.iloc[left_out])
            for name, metric in metrics.items():
                values[name].append(float(metric(label[left_out], score)))
    except EvaluationError as error:
        problem = str(error)
    except TrainingError as error:
        problem = f"a fold cannot be trained on: {error}"
    return CrossValidated(
        folds=settings.folds,
        rows=len(rows),
        entities=int(rows[entity].nunique()),
        metrics=[] if problem else [_over_folds(name, folds) for name, folds in values.items()],
        problem=problem,
    )


def _over_folds(name: str, values: list[float]) -> FoldMetric:
    return FoldMetric(
        name=name, folds=values, mean=float(np.mean(values)), standard_deviation=float(np.std(values, ddof=1))
    )
