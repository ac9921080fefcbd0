"""A calibrated model taken apart: the columns it makes of its inputs, the trees, the calibration.

For questions that need more than a score; what is served comes from prediction.predict alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ds_pipeline.model.predict import inputs_of
from ds_pipeline.use_case.features import FeatureSet

Floats = NDArray[np.float64]


class Parts(NamedTuple):
    """The fitted parts of a model from training.estimator.calibrate."""

    columns: Any
    boosting: Any
    calibrator: Any

    def matrix(self, frame: pd.DataFrame, features: FeatureSet) -> Floats:
        """What the trees are given for each row; its columns are those of column_inputs."""
        return np.asarray(self.columns.transform(inputs_of(frame, features)), dtype=float)

    def scores(self, matrix: Floats) -> Floats:
        """The probability of the target (0..1) for each row of a matrix; predict gives the same for its frame."""
        with threadpool_limits(limits=1):
            return np.asarray(self.calibrator.predict(self.boosting.decision_function(matrix)), dtype=float)


class TreeAnswers:
    """What each tree says of each row of a matrix, so that a change of few columns asks few trees again."""

    def __init__(self, boosting: Any, matrix: Floats) -> None:
        """The boosting is fitted, for two classes; the matrix is what it is given."""
        self._boosting, self._known = boosting, boosting._bin_mapper.make_known_categories_bitsets()
        self._matrix = boosting._preprocess_X(matrix, reset=False)
        trees = [tree for (tree,) in boosting._predictors]
        self._trees = [(tree, set(_inner(tree)["feature_idx"]), self._ask(tree, self._matrix)) for tree in trees]

    def log_odds(self, matrix: Floats) -> Floats:
        """What decision_function of the boosting gives for the same rows, to the last bit.

        Args:
            matrix: the rows as they were first given, with other values in some columns.
        """
        given = self._boosting._preprocess_X(matrix, reset=False)
        same = (given == self._matrix) | (np.isnan(given) & np.isnan(self._matrix))
        changed = set(np.flatnonzero(~same.all(axis=0)))
        found = np.zeros(len(given)) + self._boosting._baseline_prediction.ravel()
        for tree, columns, answers in self._trees:
            found += self._ask(tree, given) if columns & changed else answers
        return found

    def _ask(self, tree: Any, given: Floats) -> Floats:
        known, places = self._known
        return np.asarray(tree.predict(given, known, places, n_threads=1))


def _inner(tree: Any) -> np.ndarray:
    return np.asarray(tree.nodes[tree.nodes["is_leaf"] == 0])


def parts_of(model: Any) -> Parts:
    """The parts of a calibrated model."""
    (calibrated,) = model.calibrated_classifiers_
    (calibrator,) = calibrated.calibrators
    return Parts(calibrated.estimator["columns"], calibrated.estimator["boosting"], calibrator)


def column_inputs(features: FeatureSet) -> list[str]:
    """For each column of the matrix the input it is made of: numbers, then categories, then the topics of texts."""
    topics = [name for name in features.inputs_of("text") for _ in range(features.features[name].topics or 1)]
    return [*features.inputs_of("int64", "float64", "bool"), *features.inputs_of("string"), *topics]
