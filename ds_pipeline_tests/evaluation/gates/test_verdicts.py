from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from ds_pipeline.evaluation.gates.specs import gates_of
from ds_pipeline.evaluation.gates.verdicts import GateResult, apply_gates, judge
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.use_case.requirements import Requirements

NAMES = ["at_recall", "at_top", "gain", "calibration", "training_rows", "training_positives"]


def measured(evaluation: Evaluation, name: str, **changes: Any) -> Evaluation:
    """The evaluation with another measurement under a name."""
    found = evaluation.measurements[name].model_copy(update=changes)
    return evaluation.model_copy(update={"measurements": evaluation.measurements | {name: found}})


def with_facts(evaluation: Evaluation, **changes: Any) -> Evaluation:
    return evaluation.model_copy(update={"facts": evaluation.facts.model_copy(update=changes)})


def results(evaluation: Evaluation, requirements: Requirements) -> dict[str, GateResult]:
    return {gate.name: gate for gate in apply_gates(evaluation, requirements)}


def refused(evaluation: Evaluation, requirements: Requirements) -> list[str]:
    return [name for name, gate in results(evaluation, requirements).items() if not gate.passed]


def test_there_is_one_gate_per_threshold_and_data_minimum(evaluated: Evaluation, requirements: Requirements) -> None:
    assert [gate.name for gate in gates_of(requirements)] == NAMES
    assert list(results(evaluated, requirements)) == NAMES


# Each gate, broken alone


@pytest.mark.parametrize("name", ["at_recall", "at_top", "gain"])
def test_a_bound_below_the_minimum_is_refused_however_good_the_value(
    name: str, evaluated: Evaluation, requirements: Requirements
) -> None:
    minimum = requirements.acceptance[name].minimum  # type: ignore[union-attr]
    assert refused(measured(evaluated, name, value=0.99, bound=minimum - 0.001), requirements) == [name]
    assert refused(measured(evaluated, name, value=0.99, bound=minimum), requirements) == []


def test_a_calibration_error_above_the_maximum_is_refused(evaluated: Evaluation, requirements: Requirements) -> None:
    assert refused(measured(evaluated, "calibration", value=0.3001), requirements) == ["calibration"]
    assert refused(measured(evaluated, "calibration", value=0.3), requirements) == []


@pytest.mark.parametrize(("name", "least"), [("training_rows", 500), ("training_positives", 100)])
def test_too_little_to_train_on_is_refused(
    name: str, least: int, evaluated: Evaluation, requirements: Requirements
) -> None:
    assert refused(with_facts(evaluated, **{name: least - 1}), requirements) == [name]
    assert refused(with_facts(evaluated, **{name: least}), requirements) == []


@pytest.mark.parametrize("name", ["at_recall", "at_top", "gain", "calibration"])
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"value": float("nan")}, id="value NaN"),
        pytest.param({"value": float("inf")}, id="value infinite"),
        pytest.param({"value": None, "bound": None, "problem": "it broke"}, id="problem"),
        pytest.param({"problem": "it broke"}, id="problem beside a value"),
        pytest.param({"rows": 199}, id="too few rows"),
        pytest.param({"positives": 49}, id="too few positives"),
        pytest.param({"metric": "accuracy"}, id="another metric"),
    ],
)
def test_what_is_not_known_for_certain_is_refused(
    name: str, changes: dict[str, Any], evaluated: Evaluation, requirements: Requirements
) -> None:
    assert refused(measured(evaluated, name, **changes), requirements) == [name]


@pytest.mark.parametrize("bound", [None, float("nan")], ids=["none", "NaN"])
def test_a_value_without_a_bound_is_refused(
    bound: float | None, evaluated: Evaluation, requirements: Requirements
) -> None:
    gate = results(measured(evaluated, "at_top", value=0.99, bound=bound), requirements)["at_top"]
    assert not gate.passed
    assert gate.bound is None
    assert "no confidence bound" in gate.reason


def test_a_missing_measurement_is_refused(evaluated: Evaluation, requirements: Requirements) -> None:
    rest = {name: found for name, found in evaluated.measurements.items() if name != "gain"}
    assert refused(evaluated.model_copy(update={"measurements": rest}), requirements) == ["gain"]


def test_a_measurement_that_nobody_asked_for_refuses_everything(
    evaluated: Evaluation, requirements: Requirements
) -> None:
    extra = Measurement(metric="accuracy", value=1.0, bound=1.0, rows=320, positives=160, problem=None)
    stuffed = evaluated.model_copy(update={"measurements": evaluated.measurements | {"accuracy": extra}})
    assert refused(stuffed, requirements) == NAMES
    assert "nobody asked for (accuracy)" in results(stuffed, requirements)["gain"].reason


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [("at_recall", "recall", 0.1), ("at_top", "share", 0.9), ("calibration", "bins", 2)],
    ids=["recall", "share", "bins"],
)
def test_an_evaluation_made_for_another_definition_refuses_everything(
    section: str, key: str, value: float, evaluated: Evaluation, asked: dict[str, Any]
) -> None:
    asked["acceptance"][section][key] = value
    assert refused(evaluated, Requirements.model_validate(asked)) == NAMES


def test_another_confidence_refuses_everything(evaluated: Evaluation, asked: dict[str, Any]) -> None:
    asked["bootstrap"]["confidence"] = 0.6
    assert refused(evaluated, Requirements.model_validate(asked)) == NAMES


def test_another_limit_can_be_tried_on_the_same_evaluation(evaluated: Evaluation, asked: dict[str, Any]) -> None:
    asked["acceptance"]["gain"]["minimum"] = 0.9
    assert refused(evaluated, Requirements.model_validate(asked)) == ["gain"]


# Labels that nobody could decide


@pytest.fixture
def labelled(asked: dict[str, Any]) -> Requirements:
    asked["label_quality"] = {"max_undecided_share": 0.2, "owner": "ds"}
    return Requirements.model_validate(asked)


def test_there_is_a_gate_on_undecided_labels_where_the_requirements_limit_them(labelled: Requirements) -> None:
    assert [gate.name for gate in gates_of(labelled)] == [*NAMES, "undecided_labels"]


@pytest.mark.parametrize(("undecided", "passes"), [(0, True), (80, True), (81, False)])
def test_undecided_rows_are_a_share_of_all_rows_of_the_holdout(
    undecided: int, passes: bool, predictions: pd.DataFrame, labelled: Requirements, run: Any
) -> None:
    """80 undecided beside 320 decided rows are a fifth."""
    gate = results(run(predictions, labelled, undecided_rows=undecided), labelled)["undecided_labels"]
    assert gate.passed == passes
    assert gate.value == undecided / (320 + undecided)
    assert gate.owner == "ds"


def test_undecided_labels_of_an_empty_holdout_are_refused(
    predictions: pd.DataFrame, labelled: Requirements, run: Any
) -> None:
    gate = results(run(predictions[:0], labelled), labelled)["undecided_labels"]
    assert not gate.passed
    assert "the holdout has no rows" in gate.reason


def test_an_evaluation_of_undecided_rows_alone_is_refused(
    predictions: pd.DataFrame, labelled: Requirements, run: Any
) -> None:
    assert results(run(predictions[:0], labelled, undecided_rows=9), labelled)["undecided_labels"].value == 1.0


# Words


def test_a_recall_of_nothing_says_that_no_cut_off_reaches_the_precision(
    predictions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    asked["acceptance"] = {
        "found": {
            "metric": "recall_at_precision", "precision": 0.99, "minimum": 0.1, "bound": "lower", "owner": "crm"
        }
    }  # fmt: skip
    requirements = Requirements.model_validate(asked)
    upside_down = predictions.assign(score=1 - predictions["score"] * predictions["label"])
    gate = results(run(upside_down, requirements), requirements)["found"]
    assert gate.value == 0
    assert gate.reason.startswith(
        "Largest recall of a cut-off with a precision of at least 99 %: 0 measured, 0 at the lower confidence bound; "
        "asked for at least 0.1: misses by 0.1. No cut-off has a precision of 99 %, so the recall counts as 0."
    )


def test_a_refusal_says_what_was_measured_what_was_asked_and_by_how_much_it_misses(requirements: Requirements) -> None:
    gate = gates_of(requirements)[1]
    result = judge(gate, Measurement(metric=gate.metric, value=0.52, bound=0.45))
    assert result.reason == (
        "Precision among the highest-scored 10 % of each week: 0.520 measured, 0.450 at the lower confidence bound; "
        "asked for at least 0.5: misses by 0.05."
    )
    assert result.owner == "crm"
    assert (result.comparison, result.threshold) == (">=", 0.5)


def test_counts_are_written_as_counts(requirements: Requirements) -> None:
    rows = gates_of(requirements)[4]
    result = judge(rows, Measurement(metric=rows.metric, value=1200))
    assert result.reason == "Rows to train on: 1,200 measured; asked for at least 500: reached."


def test_a_problem_is_told_with_what_was_asked(requirements: Requirements) -> None:
    error = gates_of(requirements)[3]
    result = judge(error, Measurement(metric=error.metric, problem="2 rows have no label"))
    assert result.comparison == "<="
    assert result.reason == (
        "Mean distance of score and outcome over 5 bins: refused, because 2 rows have no label. Asked for at most 0.3."
    )
