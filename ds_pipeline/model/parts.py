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


def parts_of(model: Any) -> Parts:
    """The parts of a calibrated model."""
    (calibrated,) = model.calibrated_classifiers_
    (calibrator,) = calibrated.calibrators
    return Parts(calibrated.estimator["columns"], calibrated.estimator["boosting"], calibrator)


def column_inputs(features: FeatureSet) -> list[str]:
    """For each column of the matrix the input it is made of: numbers, then categories, then the topics of texts."""
    topics = [name for name in features.inputs_of("text") for _ in range(features.features[name].topics or 1)]
    return [*features.inputs_of("int64", "float64", "bool"), *features.inputs_of("string"), *topics]
