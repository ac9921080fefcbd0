"""A measurement says one thing."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ds_pipeline.evaluation.measure.measurement import Measurement, gauge


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"value": None, "problem": None}, id="neither value nor problem"),
        pytest.param({"value": 0.5, "problem": "x"}, id="value and problem"),
        pytest.param({"value": None, "bound": 0.5, "problem": "x"}, id="bound without value"),
        pytest.param({"value": float("nan")}, id="NaN"),
    ],
)
def test_a_measurement_is_either_a_number_or_a_problem(wrong: dict[str, Any]) -> None:
    good = {"metric": "m", "value": 0.5, "bound": None, "rows": 1, "positives": 1, "problem": None}
    Measurement.model_validate(good)
    with pytest.raises(ValidationError):
        Measurement.model_validate(good | wrong)


def test_gates_that_share_a_problem_say_it_under_their_own_names() -> None:
    assert gauge("a", "b", problem="it broke") == {
        "a": Measurement(metric="a", problem="it broke"),
        "b": Measurement(metric="b", problem="it broke"),
    }
