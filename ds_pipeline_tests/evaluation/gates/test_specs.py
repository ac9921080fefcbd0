"""The gates that requirements ask for, before any data."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.gates.specs import gates_of
from ds_pipeline.use_case.requirements import FIXED_GATES, Requirements

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
        gates_of(named)


def test_a_gate_holds_what_is_asked_and_nothing_of_any_data(requirements: Requirements) -> None:
    gates = {gate.name: gate for gate in gates_of(requirements)}

    recall, error, rows = gates["at_recall"], gates["calibration"], gates["training_rows"]
    assert (recall.metric, recall.threshold, recall.comparison) == ("precision_at_recall", 0.5, ">=")
    assert (recall.compares, recall.owner, recall.is_of_holdout, recall.fact) == ("lower", "crm", True, "")
    assert (error.threshold, error.comparison, error.compares) == (0.3, "<=", "point")
    assert (rows.threshold, rows.comparison, rows.owner) == (500, ">=", "ds")
    assert (rows.is_of_holdout, bool(rows.fact)) == (False, True)


def test_only_the_comparison_with_the_champion_may_not_apply(asked: dict[str, Any]) -> None:
    gain = asked["acceptance"]["gain"]
    asked["acceptance"] |= {"worse": gain | {"over": "champion", "minimum": -0.02}, "prior": gain | {"over": "prior"}}

    gates = gates_of(Requirements.model_validate(asked))

    assert [gate.name for gate in gates if gate.may_not_apply] == ["worse"]


def test_a_part_that_is_not_declared_has_no_gate_and_a_declared_one_has_its_owner(asked: dict[str, Any]) -> None:
    before = [gate.name for gate in gates_of(Requirements.model_validate(asked))]
    asked["leakage"] = {"max_single_feature_auc": 0.9, "owner": "security"}
    asked["stability"] = {
        "seeds": 5, "max_standard_deviation": 0.1, "perturbation": 0.1, "max_score_change": 0.1, "owner": "ops",
    }  # fmt: skip

    gates = gates_of(Requirements.model_validate(asked))
    owners = {gate.name: gate.owner for gate in gates if gate.name not in before}

    assert owners == {
        "single_feature_auc": "security", "distinct_refits": "ops", "reload_difference": "ops",
        "seed_deviation": "ops", "score_change": "ops",
    }  # fmt: skip
    assert owners.keys() <= set(FIXED_GATES)


def in_full(part: type[BaseModel]) -> dict[str, Any]:
    """A part of the file with all that it can declare, each at the first of some values that it takes."""
    return {name: of_field(field) for name, field in part.model_fields.items()}


def of_field(field: FieldInfo) -> Any:
    kinds = [kind for kind in get_args(field.annotation) or [field.annotation] if isinstance(kind, type)]
    parts = [kind for kind in kinds if issubclass(kind, BaseModel)]
    if parts:
        return in_full(parts[0])
    takes = TypeAdapter(Annotated[field.annotation, field])
    for value in ("ds", 0.6, 5, 10):
        with suppress(ValidationError):
            return takes.validate_python(value, strict=True)
    raise AssertionError(f"none of the values fits {field}")


def test_every_fixed_gate_can_be_asked_for_and_no_name_is_there_twice(asked: dict[str, Any]) -> None:
    fields = Requirements.model_fields
    asked |= {name: of_field(field) for name, field in fields.items() if not field.is_required() and name not in asked}
    asked["holdout"]["max_configurations"] = 5

    names = [gate.name for gate in gates_of(Requirements.model_validate(asked))]

    assert len(names) == len(set(names))
    assert set(names) - set(asked["acceptance"]) == set(FIXED_GATES)
    assert names[: len(asked["acceptance"])] == list(asked["acceptance"])
