"""What a training may be asked to do."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.training import LOWEST, Interval, SearchSpace, Training


@pytest.mark.parametrize(
    ("values", "fits"),
    [
        pytest.param({"low": 0.1, "high": 0.2, "log": True}, True, id="log"),
        pytest.param({"low": 0, "high": 1}, True, id="from-nought"),
        pytest.param({"low": -1, "high": 1}, True, id="negative"),
        pytest.param({"low": 1, "high": 1}, False, id="one-value"),
        pytest.param({"low": 2, "high": 1}, False, id="turned-around"),
        pytest.param({"low": 0, "high": 1, "log": True}, False, id="log-of-nought"),
        pytest.param({"low": 1, "high": float("inf")}, False, id="endless"),
    ],
)
def test_a_range_goes_up_and_a_logarithm_begins_above_nought(values: dict[str, Any], fits: bool) -> None:
    if fits:
        assert Interval.model_validate(values).high == values["high"]
        return
    with pytest.raises(ValidationError):
        Interval.model_validate(values)


def test_all_ranges_that_are_not_possible_are_said_at_once(retail_lapse: UseCase) -> None:
    space = retail_lapse.training.search_space.model_dump()
    changes = {"max_leaf_nodes": {"low": 1, "high": 9}, "max_features": {"low": 0.5, "high": 1.5}}

    with pytest.raises(ValidationError, match="max_leaf_nodes: low must be at least 2; max_features: high must be"):
        SearchSpace.model_validate(space | changes)


@pytest.mark.parametrize("name", LOWEST)
def test_every_range_may_begin_at_its_lowest_and_not_below(retail_lapse: UseCase, name: str) -> None:
    space = retail_lapse.training.search_space.model_dump()
    lowest = {"low": LOWEST[name], "high": LOWEST[name] + 1}

    SearchSpace.model_validate(space | {name: lowest})
    with pytest.raises(ValidationError, match=f"{name}: low must be at least {LOWEST[name]}"):
        SearchSpace.model_validate(space | {name: lowest | {"low": LOWEST[name] - 0.5}})


def test_every_hyperparameter_has_a_lowest_value() -> None:
    assert set(LOWEST) == set(SearchSpace.model_fields)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"trials": 0}, id="no-trial"),
        pytest.param({"validation_weeks": 0}, id="nothing-to-choose-on"),
        pytest.param({"max_train_rows": 99}, id="too-few-rows"),
        pytest.param({"treated": "maybe"}, id="treated"),
        pytest.param({"estimator": "svm"}, id="estimator"),
        pytest.param({"calibration": {"method": "sigmoid", "folds": 1}}, id="one-fold"),
        pytest.param({"calibration": {"method": "platt", "folds": 5}}, id="method"),
        pytest.param({"seed": -1}, id="seed"),
    ],
)
def test_a_training_that_cannot_be_done_is_refused(retail_lapse: UseCase, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Training.model_validate(retail_lapse.training.model_dump() | changes)


def test_all_rows_are_trained_on_unless_the_file_says_otherwise(retail_lapse: UseCase) -> None:
    values = retail_lapse.training.model_dump()
    least = {name: value for name, value in values.items() if name not in ("max_train_rows", "treated")}

    training = Training.model_validate(least)

    assert (training.max_train_rows, training.treated) == (None, "include")
