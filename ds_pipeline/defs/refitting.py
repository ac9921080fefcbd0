"""Fit a candidate again on a part of its training rows: where evaluation and training meet for cross-validation."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ds_pipeline.evaluation.cross_validation import cross_validate
from ds_pipeline.evaluation.outcome import CrossValidated
from ds_pipeline.prediction import inputs_of, predict
from ds_pipeline.training.estimator import calibrate, make_estimator
from ds_pipeline.training.fit import entity_folds
from ds_pipeline.training.rows import rows_to_train_on
from ds_pipeline.use_case.load import UseCase


def cross_validated(use_case: UseCase, labelled: pd.DataFrame, training: Mapping[str, Any]) -> CrossValidated | None:
    """The refits on folds, where the requirements ask for them because few rows were trained on; else None.

    Args:
        labelled: the labelled rows of the training weeks.
        training: what training.json of the candidate says: rows and parameters.
    """
    settings, entity = use_case.requirements.cross_validation, use_case.problem.entity
    if settings is None or training["rows"] >= settings.below_rows:
        return None
    return cross_validate(
        rows_to_train_on(labelled, use_case.training, entity=entity),
        settings=settings,
        entity=entity,
        fit_predict=refit_and_predict(use_case, training["parameters"]),
    )


def refit_and_predict(
    use_case: UseCase, parameters: Mapping[str, float | int]
) -> Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]:
    """A function that fits on labelled rows as the candidate was, and gives the scores (0..1) of other rows.

    Args:
        parameters: the hyperparameters that the search chose.
    """
    training, features = use_case.training, use_case.features

    def fit_predict(fitted: pd.DataFrame, left_out: pd.DataFrame) -> np.ndarray:
        label = fitted["label"]
        folds = entity_folds(
            label, fitted[use_case.problem.entity], count=training.calibration.folds, seed=training.seed
        )
        estimator = make_estimator(features, parameters, seed=training.seed)
        model = calibrate(estimator, method=training.calibration.method, folds=folds)
        with threadpool_limits(limits=1):
            model.fit(inputs_of(fitted, features), label)
        return predict(model, left_out, features)

    return fit_predict
