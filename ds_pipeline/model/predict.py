"""What a model is given and what it answers: the one place where training, evaluation and scoring must agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ds_pipeline.use_case.features import FeatureSet


def inputs_of(frame: pd.DataFrame, features: FeatureSet) -> pd.DataFrame:
    """The model's columns of a features frame, in their declared order; numbers as float64, a missing text empty."""
    inputs = features.of_role("input")
    numbers, texts = features.inputs_of("int64", "float64", "bool"), features.inputs_of("text")
    return frame[inputs].astype(dict.fromkeys(numbers, "float64")).fillna(dict.fromkeys(texts, ""))


def predict(model: Any, frame: pd.DataFrame, features: FeatureSet) -> np.ndarray:
    """The probability of the target (0..1) for each row of a features frame, in its order.

    Args:
        model: a fitted scikit-learn classifier over inputs_of(frame, features).
    """
    if frame.empty:
        return np.empty(0)
    with threadpool_limits(limits=1):  # the answer must not depend on the number of cores
        return np.asarray(model.predict_proba(inputs_of(frame, features))[:, 1], dtype=float)
