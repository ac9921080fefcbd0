"""Every gate has a test that breaks what it guards and sees it refused: those on frames, and the count of all of them.

A test says which gates it breaks with the marker `breaks`; a gate that no test names fails the last tests of this file.
Gates that need a whole project are broken in journeys/test_gates.py, test_planted_leaks.py and test_ledger.py.

Bad input of an evaluation, and the test that says what becomes of it, which is never "passed":

    one class, 20 rows, a week missing, scores NaN or all equal     test_evaluate.py: BROKEN
    a slice with one member                                         test_evaluate.py: a_slice_with_one_member
    a protected attribute that is null for half                     test_group_differences.py: an_attribute_that_half
    a champion of other features, gone, of another scikit-learn     promotion/test_champion.py
    a champion that is gone, in a whole run                         journeys/test_versions.py: a_lost_champion
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.gates.decision import require_in_force
from ds_pipeline.evaluation.gates.specs import gates_of
from ds_pipeline.evaluation.gates.verdicts import apply_gates
from ds_pipeline.evaluation.measure.baselines import ChampionFacts
from ds_pipeline.evaluation.measure.measurement import gauge
from ds_pipeline.use_case.requirements import (
    FIXED_GATES,
    AveragePrecisionGain,
    GroupDifference,
    HoldoutMetric,
    Requirements,
)
from ds_pipeline_tests.evaluation.conftest import DIGESTS

TESTS = Path(__file__).resolve().parents[1]
CHAMPION = ChampionFacts(version="v0001", candidate="f" * 64)
LOWER, POINT = {"bound": "lower", "owner": "ds"}, {"bound": "point", "owner": "ds"}
DIFFERENCE = POINT | {"attribute": "age", "share": 0.3, "maximum": 0.25}
GAIN = LOWER | {"metric": "average_precision_gain"}
ACCEPTANCE = {
    "precision_at_recall": LOWER | {"metric": "precision_at_recall", "recall": 0.6, "minimum": 0.6},
    "precision_at_top": LOWER | {"metric": "precision_at_top", "share": 0.1, "minimum": 0.7},
    "recall_at_precision": LOWER | {"metric": "recall_at_precision", "precision": 0.7, "minimum": 0.4},
    "recall_at_top": LOWER | {"metric": "recall_at_top", "share": 0.1, "minimum": 0.1},
    "average_precision_gain_over_baseline": GAIN | {"over": "baseline", "minimum": 0.01},
    "average_precision_gain_over_prior": GAIN | {"over": "prior", "minimum": 0.1},
    "average_precision_gain_over_logistic_regression": GAIN | {"over": "logistic_regression", "minimum": 0.01},
    "average_precision_gain_over_champion": GAIN | {"over": "champion", "minimum": -0.02},
    "cost_saving": LOWER | {"metric": "cost_saving", "minimum": 10},
    "expected_calibration_error": POINT | {"metric": "expected_calibration_error", "bins": 5, "maximum": 0.15},
    "false_positive_rate_difference": DIFFERENCE | {"metric": "false_positive_rate_difference"},
    "demographic_parity_difference": DIFFERENCE | {"metric": "demographic_parity_difference"},
    "equalized_odds_difference": DIFFERENCE | {"metric": "equalized_odds_difference"},
    "calibration_difference": DIFFERENCE | {"metric": "calibration_difference"},
}
COST = {"campaign_cost": 1, "false_positive": 1, "false_negative": 0, "value_saved": 3} | {
    "currency": "GBP", "owner": "ds"
}  # fmt: skip


@pytest.fixture
def whole(asked: dict[str, Any]) -> Requirements:
    """One threshold of every kind, each reached by the scores of `good`."""
    return Requirements.model_validate(asked | {"acceptance": ACCEPTANCE, "cost": COST})


@pytest.fixture
def good(predictions: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    noisy = (predictions["score"] + rng.normal(0, 0.5, len(predictions))).clip(0, 1)
    number = predictions["customer_token"].str[-2:].astype(int)
    return predictions.assign(logistic_regression=noisy, champion=noisy, age=np.where(number % 2 == 0, "young", "old"))


def favoured(frame: pd.DataFrame) -> pd.DataFrame:
    """All the old stand before all the young."""
    return frame.assign(score=(frame["score"] + (frame["age"] == "old")) / 2)


def worthless(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(score=np.random.default_rng(1).permutation(frame["score"]))


def headless(frame: pd.DataFrame) -> pd.DataFrame:
    """The highest scores are of negatives."""
    return frame.assign(label=frame["label"].where(frame["score"] < 0.85, 0))


MUTATIONS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], bool]] = {
    "precision_at_recall": (worthless, False),
    "precision_at_top": (headless, False),
    "recall_at_precision": (worthless, False),
    "recall_at_top": (headless, False),
    "average_precision_gain_over_baseline": (lambda frame: frame.assign(baseline=frame["score"]), True),
    "average_precision_gain_over_prior": (worthless, False),
    "average_precision_gain_over_logistic_regression": (
        lambda frame: frame.assign(logistic_regression=frame["score"]), True
    ),
    "average_precision_gain_over_champion": (
        lambda frame: frame.assign(champion=0.9 * frame["label"] + 0.1 * frame["score"]), True
    ),
    "expected_calibration_error": (lambda frame: frame.assign(score=frame["score"] ** 6), False),
    "false_positive_rate_difference": (favoured, False),
    "demographic_parity_difference": (favoured, False),
    "equalized_odds_difference": (favoured, False),
    "calibration_difference": (favoured, False),
}  # fmt: skip  # and whether no other gate is refused


def in_force(decision: Any, requirements: Requirements) -> None:
    require_in_force(decision, **DIGESTS, champion=CHAMPION.candidate, requirements=requirements)


def test_what_is_broken_below_passes_as_long_as_it_is_whole(
    good: pd.DataFrame, whole: Requirements, run: Any, conclude: Any
) -> None:
    decision = conclude(run(good, whole, champion=CHAMPION, cut_off=0.5), whole)
    assert [gate.name for gate in decision.gates if not gate.passed] == []
    in_force(decision, whole)


def test_a_decision_on_the_champion_itself_counts_for_no_other_champion(
    good: pd.DataFrame, whole: Requirements, run: Any, conclude: Any
) -> None:
    """It was compared with nobody; after a rollback it must be."""
    same = CHAMPION.model_copy(update={"candidate": DIGESTS["candidate"], "is_candidate": True})
    decision = conclude(run(good.drop(columns="champion"), whole, champion=same, cut_off=0.5), whole)
    assert decision.passed
    assert not decision.bound_to.has_champion
    require_in_force(decision, **DIGESTS, champion=same.candidate, requirements=whole)
    with pytest.raises(EvaluationError, match="another champion"):
        require_in_force(decision, **DIGESTS, champion=CHAMPION.candidate, requirements=whole)
    bound = decision.bound_to.model_copy(update={"champion": CHAMPION.candidate})
    with pytest.raises(EvaluationError, match="its gates say otherwise"):
        in_force(decision.model_copy(update={"bound_to": bound}), whole)


@pytest.mark.breaks(
    "precision_at_recall", "precision_at_top", "recall_at_precision", "recall_at_top", "expected_calibration_error",
    "average_precision_gain over baseline", "average_precision_gain over prior", "average_precision_gain over champion",
    "average_precision_gain over logistic_regression", "false_positive_rate_difference",
    "demographic_parity_difference", "equalized_odds_difference", "calibration_difference",
)  # fmt: skip
@pytest.mark.parametrize("name", MUTATIONS)
def test_what_a_threshold_guards_is_broken(
    name: str, good: pd.DataFrame, whole: Requirements, run: Any, conclude: Any
) -> None:
    change, alone = MUTATIONS[name]
    decision = conclude(run(change(good), whole, champion=CHAMPION, cut_off=0.5), whole)
    refused = [gate.name for gate in decision.gates if not gate.passed]
    assert name in refused
    assert not alone or refused == [name]
    with pytest.raises(EvaluationError, match=rf"is refused: .*{name}"):
        in_force(decision, whole)


def test_a_model_that_remembers_people_is_refused_on_those_it_does_not_know(
    good: pd.DataFrame, asked: dict[str, Any], run: Any, conclude: Any
) -> None:
    """It knows the outcome of 30 of 40 people, and is a random number for the others."""
    good = good.drop(columns="champion")
    known = [f"token-{number:02d}" for number in range(30)]
    noise = np.random.default_rng(2).random(len(good))
    remembered = good.assign(
        score=np.where(good["customer_token"].isin(known), 0.5 * good["label"] + 0.5 * noise, 0.25 + 0.5 * noise)
    )
    of_new = GAIN | {"over": "prior", "entities": "new", "minimum": 0}
    asked |= {"acceptance": {"of_all": GAIN | {"over": "prior", "minimum": 0.2}, "of_new": of_new}}
    asked["holdout"] |= {"min_rows": 50, "min_positives": 20}
    requirements = Requirements.model_validate(asked)

    honest, memory = (
        conclude(run(one, requirements, known_entities=known), requirements) for one in (good, remembered)
    )

    assert honest.passed
    assert [gate.name for gate in memory.gates if not gate.passed] == ["of_new"]


def test_too_few_new_entities_cannot_be_judged(good: pd.DataFrame, asked: dict[str, Any], run: Any) -> None:
    asked |= {"acceptance": {"of_new": GAIN | {"over": "prior", "entities": "new", "minimum": 0}}}
    requirements = Requirements.model_validate(asked)
    known = [f"token-{number:02d}" for number in range(39)]
    gate = apply_gates(run(good.drop(columns="champion"), requirements, known_entities=known), requirements)[0]
    assert not gate.passed
    assert "8 rows; the requirements ask for 200 to assess anything" in gate.reason


@pytest.mark.breaks("cost_saving")
def test_a_delivered_list_that_saves_nothing_is_refused(
    good: pd.DataFrame, asked: dict[str, Any], run: Any, conclude: Any
) -> None:
    asked |= {"acceptance": {"saving": ACCEPTANCE["cost_saving"] | {"share": 0.5, "minimum": 0}}, "cost": COST}
    requirements = Requirements.model_validate(asked)
    good = good.drop(columns="champion")
    reversed_ = good.assign(score=1 - good["score"])
    passed = [conclude(run(one, requirements), requirements).passed for one in (good, reversed_)]
    assert passed == [True, False]


@pytest.mark.breaks("cost_saving")
@pytest.mark.parametrize("cut_off", [0.0, np.inf, np.nan, None], ids=["all", "nobody", "NaN", "none"])
def test_a_cut_off_that_saves_nothing_is_refused(
    cut_off: float | None, good: pd.DataFrame, whole: Requirements, run: Any, conclude: Any
) -> None:
    decision = conclude(run(good, whole, champion=CHAMPION, cut_off=cut_off), whole)
    assert [gate.name for gate in decision.gates if not gate.passed] == ["cost_saving"]
    with pytest.raises(EvaluationError, match="is refused: cost_saving not reached"):
        in_force(decision, whole)


def test_a_measurement_that_is_left_out_is_refused(
    good: pd.DataFrame, whole: Requirements, run: Any, conclude: Any
) -> None:
    evaluation = run(good, whole, champion=CHAMPION, cut_off=0.5)
    for name in ACCEPTANCE:
        rest = {key: one for key, one in evaluation.measurements.items() if key != name}
        decision = conclude(evaluation.model_copy(update={"measurements": rest}), whole)
        assert [gate.name for gate in decision.gates if not gate.passed] == [name]
        with pytest.raises(EvaluationError, match=f"is refused: {name} not reached"):
            in_force(decision, whole)


@pytest.mark.breaks("training_rows", "training_positives")
@pytest.mark.parametrize(("name", "few"), [("training_rows", 499), ("training_positives", 99)])
def test_too_little_to_train_on_is_refused(
    name: str, few: int, good: pd.DataFrame, whole: Requirements, run: Any, conclude: Any
) -> None:
    decision = conclude(run(good, whole, champion=CHAMPION, cut_off=0.5, **{name: few}), whole)
    assert [gate.name for gate in decision.gates if not gate.passed] == [name]


@pytest.mark.breaks("single_feature_rise", "single_feature_auc")
@pytest.mark.parametrize(("name", "value"), [("single_feature_rise", 0.06), ("single_feature_auc", 0.92)])
def test_an_input_that_knows_more_and_more_is_refused(
    name: str, value: float, good: pd.DataFrame, asked: dict[str, Any], run: Any, conclude: Any
) -> None:
    """What each of both comes to is measured in checks/test_input_trends.py and checks/test_leakage.py."""
    leakage = {"max_single_feature_auc": 0.9, "max_single_feature_rise": 0.05, "owner": "ds"}
    requirements = Requirements.model_validate(asked | {"acceptance": ACCEPTANCE, "cost": COST, "leakage": leakage})
    evaluation = run(good, requirements, champion=CHAMPION, cut_off=0.5)
    found = gauge("single_feature_auc", value=0.64) | gauge("single_feature_rise", value=0.05)

    for broken, refused in ((found, []), (found | gauge(name, value=value), [name])):
        measured = evaluation.model_copy(update={"measurements": evaluation.measurements | broken})
        decision = conclude(measured, requirements)
        assert [gate.name for gate in decision.gates if not gate.passed] == refused


# Every gate there is, and the tests that break it


def every_gate() -> set[str]:
    """The fixed gates and every metric that requirements.yaml can ask for; a gain once for each thing it is over."""
    metrics = [*get_args(HoldoutMetric), *GroupDifference.__subclasses__()]
    names = {get_args(one.model_fields["metric"].annotation)[0] for one in metrics}
    rivals = get_args(AveragePrecisionGain.model_fields["over"].annotation)
    gain = "average_precision_gain"
    return (names - {gain}) | {f"{gain} over {rival}" for rival in rivals} | set(FIXED_GATES)


def broken_by(folder: Path) -> set[str]:
    """What the marker `breaks` names on the tests below a folder, whichever of them run."""
    calls = [
        node
        for path in sorted(folder.rglob("test_*.py"))
        for test in ast.walk(ast.parse(path.read_text()))
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_")
        for decorator in test.decorator_list
        for node in ast.walk(decorator)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "breaks"
    ]
    return {one.value for call in calls for one in call.args if isinstance(one, ast.Constant)}


def test_every_gate_has_a_test_that_breaks_what_it_guards() -> None:
    assert every_gate() - broken_by(TESTS) == set()
    assert broken_by(TESTS) - every_gate() == set()  # none is misspelt


def test_all_that_requirements_can_ask_for_is_counted(whole: Requirements) -> None:
    named = {name.replace(" over ", "_over_") for name in every_gate()}
    assert named >= {gate.name for gate in gates_of(whole)}
    assert named == set(ACCEPTANCE) | set(FIXED_GATES)


def test_a_gate_whose_test_is_taken_out_is_noticed(tmp_path: Path) -> None:
    gates = sorted(every_gate())
    path = tmp_path / "sub" / "test_some.py"
    path.parent.mkdir()
    one = "@pytest.mark.breaks({})\ndef test_it() -> None: ...\n"
    path.write_text(one.format(", ".join(map(repr, gates))))
    assert every_gate() - broken_by(tmp_path) == set()

    path.write_text(one.format(", ".join(map(repr, gates[1:]))) + f"\n# breaks({gates[0]!r})\n")
    assert every_gate() - broken_by(tmp_path) == {gates[0]}

    path.write_text(one.format(", ".join(map(repr, gates))).replace("def test_it", "def helper"))
    assert broken_by(tmp_path) == set()
