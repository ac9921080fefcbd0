"""The estimator takes declared inputs alone, and codes categories in their declared order."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ds_pipeline.prediction import inputs_of, predict
from ds_pipeline.training.estimator import make_estimator
from ds_pipeline.use_case.features import FeatureSet

PARAMETERS = {"max_iter": 3, "min_samples_leaf": 5}


def test_categories_become_their_declared_position_and_the_unknown_is_missing(
    rows: pd.DataFrame, features: FeatureSet
) -> None:
    columns = make_estimator(features, PARAMETERS, seed=1).fit(inputs_of(rows, features), rows["label"])["columns"]

    coded = columns.transform(
        pd.DataFrame({"days_away": [1.0, 2.0, 3.0, 4.0], "plan": ["gold", "basic", None, "new"], "is_new": [0.0] * 4})
    )

    # numbers first, then categories
    assert coded[:, 0].tolist() == [1, 2, 3, 4]
    assert coded[:, 2].tolist()[:2] == [0, 1]
    assert np.isnan(coded[2:, 2]).all()


def test_a_category_that_training_has_not_seen_can_be_scored(rows: pd.DataFrame, features: FeatureSet) -> None:
    known = rows[rows["plan"] != "basic"]
    model = make_estimator(features, PARAMETERS, seed=1).fit(inputs_of(known, features), known["label"])

    scores = predict(model, rows, features)

    assert np.isfinite(scores).all()


def test_numbers_alone_are_enough(rows: pd.DataFrame, features: FeatureSet) -> None:
    numbers = FeatureSet.model_validate({"features": {"days_away": features.features["days_away"]}})

    model = make_estimator(numbers, PARAMETERS, seed=1).fit(inputs_of(rows, numbers), rows["label"])

    assert predict(model, rows.head(2), numbers).shape == (2,)


def test_categories_are_split_as_categories_and_not_by_their_order(features: FeatureSet) -> None:
    assert make_estimator(features, PARAMETERS, seed=1)["boosting"].categorical_features == [2]
