"""A calibrated model taken apart gives what the whole one gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.model.estimator import calibrate, make_estimator
from ds_pipeline.model.parts import TreeAnswers, column_inputs, parts_of
from ds_pipeline.model.predict import inputs_of, predict
from ds_pipeline.use_case.features import FeatureSet

COMMON = {"unit": "x", "nullable": True, "meaning": "made up", "role": "input"}
FEATURES = FeatureSet.model_validate(
    {
        "features": {
            "plan": COMMON | {"dtype": "string", "categories": ["gold", "basic"]},
            "note": COMMON | {"dtype": "text", "topics": 2},
            "days": COMMON | {"dtype": "int64", "minimum": 0, "maximum": 90},
            "region": COMMON | {"dtype": "string", "role": "slice"},
            "is_new": COMMON | {"dtype": "bool"},
        }
    }
)
FRAME = pd.DataFrame(
    {
        "plan": ["gold", "basic", None] * 20,
        "note": ["too dear", "all fine", None, "slow"] * 15,
        "days": [float(day) if day % 7 else np.nan for day in range(60)],
        "is_new": [True, False, None] * 20,
        "region": "north",
    }
).astype({"is_new": object})


@pytest.fixture(scope="module")
def model() -> Any:
    estimator = make_estimator(FEATURES, {"max_iter": 3, "max_leaf_nodes": 3, "min_samples_leaf": 5}, seed=1)
    labels = [int(day > 30) for day in range(60)]
    return calibrate(estimator, method="sigmoid", folds=np.arange(60) % 2).fit(inputs_of(FRAME, FEATURES), labels)


def test_columns_are_numbers_then_categories_then_topics() -> None:
    assert column_inputs(FEATURES) == ["days", "is_new", "plan", "note", "note"]


def test_the_matrix_has_a_column_for_each_of_these_and_numbers_as_they_are(model: Any) -> None:
    matrix = parts_of(model).matrix(FRAME, FEATURES)

    assert matrix.shape == (60, len(column_inputs(FEATURES)))
    assert np.array_equal(matrix[:, 0], FRAME["days"].to_numpy(), equal_nan=True)
    assert matrix[:2, 1].tolist() == [1.0, 0.0]
    assert np.isnan(matrix[2, 1:3]).all()


def test_scores_of_the_parts_are_those_of_the_model(model: Any) -> None:
    parts = parts_of(model)

    scores = parts.scores(parts.matrix(FRAME, FEATURES))

    assert scores.tolist() == predict(model, FRAME, FEATURES).tolist()
    assert len(set(scores.tolist())) > 1


@pytest.mark.parametrize("places", [[], [0], [1], [2], [3], [3, 4], [0, 1, 2, 3, 4]], ids=str)
def test_trees_asked_again_say_what_all_of_them_say(model: Any, places: list[int]) -> None:
    """A number, a boolean, a category, topics and missing values; few trees ask for each of them."""
    parts = parts_of(model)
    matrix = parts.matrix(FRAME, FEATURES)
    moved = matrix.copy()
    moved[:, places] = matrix[::-1][:, places]

    found = TreeAnswers(parts.boosting, matrix).log_odds(moved)

    assert found.tolist() == parts.boosting.decision_function(moved).tolist()


def test_trees_that_do_not_ask_for_what_changed_are_not_asked_again(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_of(model)
    matrix = parts.matrix(FRAME, FEATURES)
    answers = TreeAnswers(parts.boosting, matrix)
    asked: list[Any] = []
    monkeypatch.setattr(answers, "_ask", lambda tree, _: asked.append(tree) or np.zeros(60))

    answers.log_odds(matrix)
    assert not asked
    answers.log_odds(matrix[::-1])
    assert len(asked) == len(parts.boosting._predictors)


def test_a_model_of_several_calibrated_fits_has_no_single_parts(model: Any) -> None:
    class Several:
        calibrated_classifiers_ = (1, 2)

    with pytest.raises(ValueError, match="too many values"):
        parts_of(Several())
