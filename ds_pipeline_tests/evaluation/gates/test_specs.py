"""The gates that requirements ask for, before any data."""

from __future__ import annotations

from typing import Any

import pytest

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.gates.specs import gate_names, gates_of
from ds_pipeline.use_case.requirements import Requirements

FAIR = {"attribute": "age", "share": 0.1, "maximum": 0.05, "bound": "point"}


@pytest.mark.parametrize(
    ("threshold", "meaning", "comparison"),
    [
        pytest.param(
            {"metric": "recall_at_top", "share": 0.1, "minimum": 0.2, "bound": "lower"},
            "recall of the highest-scored 10 % of each week",
            ">=",
            id="recall_at_top",
        ),
        pytest.param(
            {"metric": "average_precision_gain", "over": "prior", "minimum": 0.2, "bound": "lower"},
            "average precision above the share of positives, which is that of the prior",
            ">=",
            id="prior",
        ),
        pytest.param(
            {"metric": "average_precision_gain", "minimum": 0.2, "bound": "lower"},
            "average precision above that of the baseline rule",
            ">=",
            id="baseline",
        ),
        pytest.param(
            FAIR | {"metric": "false_positive_rate_difference"},
            "largest difference of the false positive rate between groups of age, at the highest-scored 10 % of each "
            "week",
            "<=",
            id="false_positive_rate",
        ),
        pytest.param(
            FAIR | {"metric": "calibration_difference"},
            "largest difference of mean score minus share of positives between groups of age",
            "<=",
            id="calibration",
        ),
    ],
)
def test_a_gate_says_what_it_means(
    threshold: dict[str, Any], meaning: str, comparison: str, asked: dict[str, Any]
) -> None:
    asked["acceptance"] = {"one": threshold | {"owner": "crm"}}
    gate = gates_of(Requirements.model_validate(asked))[0]
    assert (gate.meaning, gate.comparison) == (meaning, comparison)


@pytest.mark.parametrize("name", ["precision top", "a-b", "top\n", "été", "training_rows", "undecided_labels"])
def test_a_name_that_cannot_be_a_check_is_an_error(name: str, requirements: Requirements) -> None:
    named = requirements.model_copy(update={"acceptance": {name: requirements.acceptance["gain"]}})
    with pytest.raises(EvaluationError, match="cannot name a gate"):
        gate_names(named)
