"""The estimator: declared inputs in, a calibrated probability out. Everything that is fitted is inside one object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from ds_pipeline.use_case.features import FeatureSet

Parameters = Mapping[str, float | int]
MAX_ITERATIONS = 1000  # of the logistic regression; it converges within a few dozen
WORD_BINS = 2**12  # words fall into bins by their hash, so that a bundle holds none of them


class HashedWords(HashingVectorizer):  # type: ignore[misc]
    """Counts of the words of texts, by bin; the same bytes in every process.

    scikit-learn's own keeps the memory address of its stop words, and the pickled model would never be the same.
    """

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_stop_words_id"}


HashedWords.__module__ = "ds_pipeline.training.estimator"  # where stored bundles say it is; they are signed, and stay


def make_estimator(features: FeatureSet, parameters: Parameters, *, seed: int) -> Pipeline:
    """An unfitted pipeline over the input features.

    Strings become the codes of their declared categories, each text the strength of its topics.
    """
    strings, texts = features.inputs_of("string"), features.inputs_of("text")
    numbers = features.inputs_of("int64", "float64", "bool")
    encoder = OrdinalEncoder(
        categories=[list(features.features[name].categories or []) for name in strings],
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
    )
    columns = ColumnTransformer(
        [
            ("numbers", "passthrough", numbers),
            ("categories", encoder, strings),
            *((f"topics_of_{name}", _topics(features.features[name].topics or 1, seed=seed), name) for name in texts),
        ],
        verbose_feature_names_out=False,
    )
    boosting = HistGradientBoostingClassifier(
        **parameters,
        categorical_features=list(range(len(numbers), len(numbers) + len(strings))) or None,
        early_stopping=False,
        random_state=seed,
    )
    return Pipeline([("columns", columns), ("boosting", boosting)])


def make_logistic_regression(features: FeatureSet, *, seed: int) -> Pipeline:
    """An unfitted logistic regression over the same inputs, the simple model that the estimator has to beat.

    Missing numbers become the median, with an indicator; a missing or unknown category is none of the declared ones;
    texts become the same topics as in make_estimator. Everything is scaled, and the penalty is scikit-learn's default:
    nothing is tuned. Fit it with one BLAS thread, so that its scores do not depend on the number of cores.
    """
    strings, texts = features.inputs_of("string"), features.inputs_of("text")
    encoder = OneHotEncoder(
        categories=[list(features.features[name].categories or []) for name in strings],
        handle_unknown="ignore",
        sparse_output=False,
    )
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    columns = ColumnTransformer(
        [
            ("numbers", imputer, features.inputs_of("int64", "float64", "bool")),
            ("categories", encoder, strings),
            *((f"topics_of_{name}", _topics(features.features[name].topics or 1, seed=seed), name) for name in texts),
        ],
        verbose_feature_names_out=False,
    )
    regression = LogisticRegression(max_iter=MAX_ITERATIONS, random_state=seed)
    return Pipeline([("columns", columns), ("scaling", StandardScaler()), ("regression", regression)])


def _topics(count: int, *, seed: int) -> Pipeline:
    """Latent topics of a text: its words by frequency and rarity, projected; an empty text has none of them, zeros."""
    return Pipeline(
        [
            ("words", HashedWords(n_features=WORD_BINS, alternate_sign=False, norm=None)),
            ("weights", TfidfTransformer(sublinear_tf=True)),
            ("topics", TruncatedSVD(count, random_state=seed)),
        ]
    )


def calibrate(estimator: Pipeline, *, method: str, folds: np.ndarray) -> CalibratedClassifierCV:
    """The estimator with a calibration curve on top, to be fitted on out-of-fold scores.

    Args:
        folds: the fold of each training row; all rows of an entity are in one fold.
    """
    return CalibratedClassifierCV(estimator, method=method, cv=PredefinedSplit(folds), ensemble=False)
