from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.gates.decision import BoundTo, Decision, require_in_force, what_to_change
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.use_case.requirements import Requirements

NOW: dict[str, Any] = {
    "candidate": "a" * 64,
    "holdout": "b" * 64,
    "requirements_digest": "c" * 64,
    "code": "d" * 64,
    "champion": None,
}


def with_gate(decision: Decision, name: str, **changes: Any) -> Decision:
    gates = [gate.model_copy(update=changes) if gate.name == name else gate for gate in decision.gates]
    return decision.model_copy(update={"gates": gates})


def test_a_candidate_that_reaches_every_gate_may_serve(decision: Decision, requirements: Requirements) -> None:
    assert decision.passed
    require_in_force(decision, requirements=requirements, **NOW)


def test_one_missed_gate_refuses_and_is_named(evaluated: Evaluation, asked: dict[str, Any], conclude: Any) -> None:
    asked["acceptance"]["gain"]["minimum"] = 0.9
    stricter = Requirements.model_validate(asked)
    decision = conclude(evaluated, stricter)
    assert not decision.passed
    with pytest.raises(EvaluationError, match="is refused: gain not reached"):
        require_in_force(decision, requirements=stricter, **NOW)


@pytest.mark.parametrize(
    ("baseline", "minimum", "expected"),
    [
        pytest.param(None, 0.99, "Change features or training.yaml", id="a model that is too weak"),
        pytest.param(3.0, 0.5, "Name another feature in requirements.yaml: baseline", id="a constant baseline"),
        pytest.param(3.0, 0.99, "Name another feature in requirements.yaml: baseline, change features", id="both"),
    ],
)
def test_a_refusal_names_what_can_be_changed(
    predictions: pd.DataFrame, asked: dict[str, Any], run: Any, conclude: Any,
    baseline: float | None, minimum: float, expected: str,
) -> None:  # fmt: skip
    """Who was refused because the baseline ranks nothing was told to change features."""
    asked["acceptance"]["at_top"]["minimum"] = minimum
    requirements = Requirements.model_validate(asked)
    frame = predictions if baseline is None else predictions.assign(baseline=baseline)
    evaluation = run(frame, requirements)

    assert what_to_change(conclude(evaluation, requirements), evaluation, requirements).startswith(expected)


@pytest.mark.parametrize("name", NOW)
def test_a_decision_on_other_bytes_is_not_in_force(name: str, decision: Decision, requirements: Requirements) -> None:
    with pytest.raises(EvaluationError, match=f"another {name.removesuffix('_digest')}"):
        require_in_force(decision, requirements=requirements, **(NOW | {name: "0" * 64}))


def test_a_decision_without_one_of_the_gates_is_not_in_force(decision: Decision, requirements: Requirements) -> None:
    for gate in decision.gates:
        rest = decision.model_copy(update={"gates": [other for other in decision.gates if other is not gate]})
        with pytest.raises(EvaluationError, match=f"missing {gate.name}"):
            require_in_force(rest, requirements=requirements, **NOW)


def test_a_decision_without_any_gate_is_not_in_force(decision: Decision, requirements: Requirements) -> None:
    with pytest.raises(EvaluationError, match="missing at_recall"):
        require_in_force(decision.model_copy(update={"gates": []}), requirements=requirements, **NOW)


def test_a_gate_that_nobody_asked_for_is_not_in_force(decision: Decision, requirements: Requirements) -> None:
    extra = decision.gates[0].model_copy(update={"name": "accuracy"})
    with pytest.raises(EvaluationError, match="unknown accuracy"):
        require_in_force(
            decision.model_copy(update={"gates": [*decision.gates, extra]}), requirements=requirements, **NOW
        )


def test_a_gate_that_is_there_twice_is_not_in_force(decision: Decision, requirements: Requirements) -> None:
    with pytest.raises(EvaluationError, match="exactly the gates"):
        require_in_force(
            decision.model_copy(update={"gates": [*decision.gates, decision.gates[0]]}),
            requirements=requirements,
            **NOW,
        )


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"bound": 0.1}, id="bound too low"),
        pytest.param({"bound": None}, id="no bound"),
        pytest.param({"value": None}, id="no value"),
        pytest.param({"bound": 0.1, "threshold": 0.05}, id="its own threshold lowered"),
        pytest.param({"bound": 0.1, "comparison": "<="}, id="its own comparison turned"),
        pytest.param({"metric": "accuracy"}, id="another metric"),
        pytest.param({"passed": False}, id="recorded as missed"),
    ],
)
def test_recorded_numbers_are_judged_again_whatever_the_record_says(
    changes: dict[str, Any], decision: Decision, requirements: Requirements
) -> None:
    with pytest.raises(EvaluationError, match=r"says passed, its gates say otherwise \(at_top\)"):
        require_in_force(with_gate(decision, "at_top", **changes), requirements=requirements, **NOW)


def test_thresholds_that_were_raised_since_are_the_ones_that_count(decision: Decision, asked: dict[str, Any]) -> None:
    asked["acceptance"]["at_top"]["minimum"] = 0.999
    with pytest.raises(EvaluationError, match="at_top"):
        require_in_force(decision, requirements=Requirements.model_validate(asked), **NOW)


def test_refused_beside_gates_that_all_pass_is_a_contradiction(decision: Decision, requirements: Requirements) -> None:
    with pytest.raises(EvaluationError, match=r"says refused, its gates say otherwise \(all pass\)"):
        require_in_force(decision.model_copy(update={"passed": False}), requirements=requirements, **NOW)


def test_the_decision_is_bound_to_the_evaluation(
    predictions: pd.DataFrame, evaluated: Evaluation, decision: Decision, requirements: Requirements, run: Any,
    conclude: Any,
) -> None:  # fmt: skip
    assert decision.bound_to.evaluation == evaluated.digest
    worse = run(predictions.assign(score=1 - predictions["score"]), requirements)
    assert conclude(worse, requirements).bound_to.evaluation != evaluated.digest
    assert not conclude(worse, requirements).passed


def test_the_same_decision_has_the_same_bytes_and_another_has_not(
    evaluated: Evaluation, decision: Decision, requirements: Requirements, conclude: Any
) -> None:
    assert conclude(evaluated, requirements).to_json() == decision.to_json()
    assert Decision.from_json(decision.to_json()).digest == decision.digest
    assert with_gate(decision, "gain", bound=0.2).digest != decision.digest


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"note": "trust me"}, id="unknown field"),
        pytest.param({"made_at": "2024-04-01T06:00:00"}, id="instant without a zone"),
        pytest.param({"passed": None}, id="no verdict"),
    ],
)
def test_a_damaged_decision_cannot_be_read(changes: dict[str, Any], decision: Decision) -> None:
    content = json.loads(decision.to_json()) | changes
    with pytest.raises(EvaluationError, match=next(iter(changes))):
        Decision.from_json(json.dumps(content).encode())


def test_only_digests_bind(decision: Decision) -> None:
    for name in BoundTo.model_fields:
        for text in ("", "unknown", "A" * 64, "a" * 64 + "\n"):
            with pytest.raises(ValidationError):
                BoundTo.model_validate(decision.bound_to.model_dump() | {name: text})
