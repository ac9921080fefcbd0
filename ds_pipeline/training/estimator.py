"""The estimator: declared inputs in, a calibrated probability out. Everything that is fitted is inside one object."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from ds_pipeline.use_case.features import FeatureSet

Parameters = Mapping[str, float | int]


def make_estimator(features: FeatureSet, parameters: Parameters, *, seed: int) -> Pipeline:
    """An unfitted pipeline over the input features; strings become the codes of their declared categories."""
    inputs = features.of_role("input")
    strings = [name for name in inputs if features.features[name].dtype == "string"]
    numbers = [name for name in inputs if name not in strings]
    encoder = OrdinalEncoder(
        categories=[list(features.features[name].categories or []) for name in strings],
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
    )
    columns = ColumnTransformer(
        [("numbers", "passthrough", numbers), ("categories", encoder, strings)], verbose_feature_names_out=False
    )
    boosting = HistGradientBoostingClassifier(
        **parameters,
        categorical_features=list(range(len(numbers), len(inputs))) or None,
        early_stopping=False,
        random_state=seed,
    )
    return Pipeline([("columns", columns), ("boosting", boosting)])


def calibrate(estimator: Pipeline, *, method: str, folds: np.ndarray) -> CalibratedClassifierCV:
    """The estimator with a calibration curve on top, to be fitted on out-of-fold scores.

    Args:
        folds: the fold of each training row; all rows of an entity are in one fold.
    """
    return CalibratedClassifierCV(estimator, method=method, cv=PredefinedSplit(folds), ensemble=False)
