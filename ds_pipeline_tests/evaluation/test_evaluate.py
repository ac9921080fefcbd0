from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.gates.verdicts import apply_gates
from ds_pipeline.evaluation.measure import thresholds as measuring
from ds_pipeline.evaluation.measure.baselines import ChampionFacts
from ds_pipeline.evaluation.measure.predictions import baseline_score
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.use_case.requirements import Requirements

Change = Callable[[pd.DataFrame], pd.DataFrame]


def setting(column: str, value: object, rows: slice | None = None) -> Change:
    """Put a value into some rows of a column (the first one if not said otherwise)."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        if isinstance(value, float) or value is None:
            frame[column] = frame[column].astype(object if column in ("customer_token", "scoring_date") else float)
        frame.loc[frame.index[rows or slice(0, 1)], column] = value
        return frame

    return change


EVERY = slice(None)
BROKEN: dict[str, tuple[Change, str]] = {
    "a score is NaN": (setting("score", np.nan), "1 row have a score"),
    "a score is infinite": (setting("score", np.inf), "1 row have a score"),
    "a score is above one": (setting("score", 1.01), "1 row have a score"),
    "a score is below zero": (setting("score", -0.01), "1 row have a score"),
    "every score is the same": (setting("score", 0.5, EVERY), "same score"),
    "a label is null": (setting("label", np.nan), "1 row have no label"),
    "a label is two": (setting("label", 2), "1 row have a label other"),
    "all labels are zero": (setting("label", 0, EVERY), "all labels are the same"),
    "all labels are one": (setting("label", 1, EVERY), "all labels are the same"),
    "too few rows": (lambda frame: frame[frame["customer_token"] < "token-24"], "192 rows; the requirements ask"),
    "too few positives": (setting("label", 0, slice(30, None)), "positives; the requirements ask for 50"),
    "no rows": (lambda frame: frame[:0], "0 rows; the requirements ask"),
    "a holdout week is missing": (lambda frame: frame[frame["scoring_date"] != date(2024, 1, 15)], "weeks 2024-01-15"),
    "a week is not of the holdout": (setting("scoring_date", date(2023, 12, 25)), "outside the holdout: 2023-12-25"),
    "a row is there twice": (lambda frame: pd.concat([frame, frame[:1]]), "1 row repeat an entity"),
    "an entity is null": (setting("customer_token", None), "1 row have no entity"),
    "a scoring date is null": (setting("scoring_date", None), "1 row have no entity or no scoring date"),
}


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case)
def test_nothing_is_measured_and_every_gate_on_the_holdout_refuses_when(
    case: str, predictions: pd.DataFrame, requirements: Requirements, run: Any
) -> None:
    change, words = BROKEN[case]
    evaluation = run(change(predictions), requirements)
    assert any(words in text for text in evaluation.problems)
    assert list(evaluation.measurements) == list(requirements.acceptance)
    for measurement in evaluation.measurements.values():
        assert measurement.value is None
        assert measurement.bound is None
        assert words in str(measurement.problem)
    assert evaluation.metrics == {}
    assert evaluation.curves is None
    gates = {gate.name: gate for gate in apply_gates(evaluation, requirements)}
    assert not any(gates[name].passed for name in requirements.acceptance)
    assert Evaluation.from_json(evaluation.to_json()) == evaluation


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(setting("baseline", np.nan), "1 row have no baseline", id="a baseline is NaN"),
        pytest.param(setting("baseline", np.inf), "1 row have no baseline", id="a baseline is infinite"),
        pytest.param(setting("baseline", 3.0, EVERY), "same for every row", id="the baseline is constant"),
    ],
)
def test_only_the_comparison_with_the_baseline_is_refused_when(
    change: Change, words: str, predictions: pd.DataFrame, requirements: Requirements, run: Any
) -> None:
    evaluation = run(change(predictions), requirements)
    assert {name: found.problem is None for name, found in evaluation.measurements.items()} == {
        "at_recall": True,
        "at_top": True,
        "gain": False,
        "calibration": True,
    }
    assert words in str(evaluation.measurements["gain"].problem)
    assert "baseline_average_precision" not in evaluation.metrics
    assert evaluation.curves is not None
    assert evaluation.curves.baseline == []


def test_a_comparison_with_the_prior_needs_no_baseline(
    predictions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    asked["acceptance"] = {"gain": asked["acceptance"]["gain"] | {"over": "prior"}}
    requirements = Requirements.model_validate(asked)
    found = run(predictions.assign(baseline=1.0), requirements).measurements["gain"]
    assert found.problem is None
    assert found.bound < found.value


@pytest.mark.parametrize("column", ["scoring_date", "customer_token", "label", "score", "baseline", "region"])
def test_a_missing_column_is_an_error_that_names_it(
    column: str, predictions: pd.DataFrame, requirements: Requirements, run: Any
) -> None:
    with pytest.raises(EvaluationError, match=column):
        run(predictions.drop(columns=column), requirements)


def test_scores_that_are_no_numbers_are_an_error_without_their_values(
    predictions: pd.DataFrame, requirements: Requirements, run: Any
) -> None:
    with pytest.raises(EvaluationError, match="score must be numbers") as caught:
        run(predictions.assign(score="secret"), requirements)
    assert "secret" not in str(caught.value)


def test_a_holdout_of_another_length_than_the_requirements_ask_is_refused(
    predictions: pd.DataFrame, requirements: Requirements, run: Any
) -> None:
    half = sorted(set(predictions["scoring_date"]))[:4]
    four_weeks = predictions[predictions["scoring_date"].isin(half)]
    evaluation = run(four_weeks, requirements, expected_weeks=half)
    assert "cut to 4 weeks; the requirements ask for 8" in evaluation.problems[0]


def test_a_metric_that_is_not_defined_in_some_resample_has_no_value(
    predictions: pd.DataFrame, requirements: Requirements, asked: dict[str, Any], run: Any
) -> None:
    """One entity holds all positives; a resample without it has no recall, and a bound over the rest would flatter."""
    asked["holdout"]["min_positives"] = 1
    lone = predictions.assign(label=(predictions["customer_token"] == "token-05").astype(int))
    evaluation = run(lone, Requirements.model_validate(asked))
    assert "of 100 resamples" in str(evaluation.measurements["at_recall"].problem)
    assert evaluation.measurements["at_top"].problem is None


@pytest.mark.parametrize("number", [np.nan, np.inf], ids=["NaN", "infinite"])
def test_a_metric_without_a_finite_value_has_a_problem(
    number: float, predictions: pd.DataFrame, requirements: Requirements, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "measure", lambda *_: np.array([number]))
    for found in run(predictions, requirements).measurements.values():
        assert (found.value, found.problem) == (None, "the metric is not defined on this holdout")


# Every kind of threshold, and what it is compared with


SCORED = ChampionFacts(version="v0001", candidate="a" * 64)


@pytest.fixture
def everything(asked: dict[str, Any]) -> Requirements:
    """One threshold of every kind that is on the whole holdout, each easily reached by the score of the fixture."""
    lower = {"minimum": 0.01, "bound": "lower", "owner": "ds"}
    asked["acceptance"] |= {
        "found": lower | {"metric": "recall_at_precision", "precision": 0.5},
        "found_at_top": lower | {"metric": "recall_at_top", "share": 0.1},
        **{f"over_{one}": lower | {"metric": "average_precision_gain", "over": one} for one in RIVALS},
        "saved": lower | {"metric": "cost_saving"},
    }
    cost = {"campaign_cost": 1, "false_positive": 1, "false_negative": 0, "value_saved": 3}
    return Requirements.model_validate(asked | {"cost": cost | {"currency": "EUR", "owner": "crm"}})


RIVALS = ("prior", "logistic_regression", "champion")


@pytest.fixture
def compared(predictions: pd.DataFrame) -> pd.DataFrame:
    """The predictions with two models that are worse."""
    rng = np.random.default_rng(8)
    return predictions.assign(
        logistic_regression=(predictions["score"] + rng.normal(0, 0.5, len(predictions))).clip(0, 1),
        champion=(predictions["score"] + rng.normal(0, 0.4, len(predictions))).clip(0, 1),
    )


def failed(evaluation: Evaluation, requirements: Requirements) -> dict[str, str]:
    return {gate.name: gate.reason for gate in apply_gates(evaluation, requirements) if not gate.passed}


def test_every_kind_of_threshold_can_be_reached(compared: pd.DataFrame, everything: Requirements, run: Any) -> None:
    evaluation = run(compared, everything, champion=SCORED, cut_off=0.5)
    assert failed(evaluation, everything) == {}
    for name in ("over_prior", "over_logistic_regression", "over_champion", "saved"):
        found = evaluation.measurements[name]
        assert found.bound < found.value
    assert evaluation.facts.champion == SCORED.candidate
    assert evaluation.measurements["saved"].note.startswith(
        "In EUR, acting on a score of 0.5 or more: 52.8 % of the rows. "
        "Acting on the delivered 10 % of each week saves 25 per 1,000 rows."
    )
    assert evaluation.costs.policies[0].acted_on == int((compared["score"] >= 0.5).sum())
    assert [row.name for row in evaluation.baselines if row.problem] == []
    assert Evaluation.from_json(evaluation.to_json()) == evaluation


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case)
def test_no_gate_on_the_holdout_passes_when(
    case: str, compared: pd.DataFrame, everything: Requirements, run: Any
) -> None:
    change, words = BROKEN[case]
    evaluation = run(change(compared), everything, champion=SCORED, cut_off=0.5)
    refused = failed(evaluation, everything)
    assert set(refused) >= set(everything.acceptance)
    assert all(words in refused[name] for name in everything.acceptance)


def test_twenty_rows_pass_no_gate_on_the_holdout(compared: pd.DataFrame, everything: Requirements, run: Any) -> None:
    evaluation = run(compared.sample(20, random_state=1), everything, champion=SCORED, cut_off=0.5)
    assert "20 rows; the requirements ask for 200 to assess anything" in evaluation.problems
    assert set(failed(evaluation, everything)) >= set(everything.acceptance)


def test_nothing_of_the_holdout_passes_before_a_first_champion_when_it_is_broken(
    predictions: pd.DataFrame, everything: Requirements, run: Any
) -> None:
    """A gate that does not apply has passed; a holdout that cannot be measured comes first."""
    evaluation = run(predictions.assign(label=0), everything, cut_off=0.5)
    assert evaluation.measurements["over_champion"].not_applicable is None
    assert set(failed(evaluation, everything)) >= set(everything.acceptance)


def test_without_a_champion_the_comparison_does_not_apply(
    compared: pd.DataFrame, everything: Requirements, run: Any
) -> None:
    evaluation = run(compared.drop(columns="champion"), everything, cut_off=0.5)
    gates = {gate.name: gate for gate in apply_gates(evaluation, everything)}
    assert failed(evaluation, everything) == {}
    assert (gates["over_champion"].applies, gates["over_champion"].value) == (False, None)
    assert "there is no champion yet, so the baseline is the bar" in gates["over_champion"].reason
    assert evaluation.facts.champion is None


@pytest.mark.parametrize("known", ["the champion", "another", "nobody"])
def test_the_comparison_of_the_champion_with_itself_does_not_apply(
    known: str, compared: pd.DataFrame, everything: Requirements, run: Any
) -> None:
    """It passed with 0 measured; only for the very candidate that is in force may it be left out."""
    same = SCORED.model_copy(update={"is_candidate": True})
    evaluation = run(compared.drop(columns="champion"), everything, champion=same, cut_off=0.5)
    candidate = {"the champion": SCORED.candidate, "another": "0" * 64, "nobody": None}[known]
    gates = {gate.name: gate for gate in apply_gates(evaluation, everything, candidate=candidate)}
    if known == "the champion":
        assert (gates["over_champion"].verdict, gates["over_champion"].value) == ("not_applicable", None)
        assert "because the candidate is the champion" in gates["over_champion"].reason
        assert all(gate.passed for gate in gates.values())
    else:
        assert [gate.name for gate in gates.values() if not gate.passed] == ["over_champion"]
        assert "left it out, which it may not" in gates["over_champion"].reason


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "the champion could not be scored": (
        {"champion": SCORED.model_copy(update={"problem": "its bundle is gone"})}, "over_champion", "its bundle is gone"
    ),
    "no cut-off was chosen": ({"cut_off": None}, "saved", "no score from which on to act"),
    "the cut-off is NaN": ({"cut_off": float("nan")}, "saved", "is not a number"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case)
def test_only_the_gate_that_needs_it_is_refused_when(
    case: str, compared: pd.DataFrame, everything: Requirements, run: Any
) -> None:
    changes, name, words = REFUSED[case]
    frame = compared.drop(columns="champion") if "champion" in changes else compared
    refused = failed(run(frame, everything, **({"champion": SCORED, "cut_off": 0.5} | changes)), everything)
    assert list(refused) == [name]
    assert words in refused[name]


@pytest.mark.parametrize("rival", ["logistic_regression", "champion"])
def test_only_the_comparison_with_a_model_is_refused_when_it_has_a_score_that_is_none(
    rival: str, compared: pd.DataFrame, everything: Requirements, run: Any
) -> None:
    frame = setting(rival, np.nan)(compared)
    refused = failed(run(frame, everything, champion=SCORED, cut_off=0.5), everything)
    assert list(refused) == [f"over_{rival}"]


def test_a_logistic_regression_that_was_not_made_refuses_its_gate(
    compared: pd.DataFrame, everything: Requirements, run: Any
) -> None:
    frame = compared.drop(columns="logistic_regression")
    refused = failed(run(frame, everything, champion=SCORED, cut_off=0.5), everything)
    assert list(refused) == ["over_logistic_regression"]


def test_a_cost_saving_without_a_cost_is_refused(compared: pd.DataFrame, everything: Requirements, run: Any) -> None:
    free = everything.model_copy(update={"cost": None})
    evaluation = run(compared, free, champion=SCORED, cut_off=0.5)
    assert "do not say what a decision costs" in failed(evaluation, free)["saved"]
    assert evaluation.costs is None


def test_acting_on_nobody_saves_nothing_and_says_so(compared: pd.DataFrame, everything: Requirements, run: Any) -> None:
    evaluation = run(compared, everything, champion=SCORED, cut_off=float("inf"))
    assert list(failed(evaluation, everything)) == ["saved"]
    assert "nobody is acted on" in str(evaluation.measurements["saved"].note)
    assert evaluation.costs.cut_off is None


def test_a_champion_in_the_predictions_that_nobody_told_of_is_an_error(
    compared: pd.DataFrame, requirements: Requirements, run: Any
) -> None:
    with pytest.raises(EvaluationError, match="column champion"):
        run(compared, requirements, champion=None)


def test_a_slice_with_one_member_is_not_assessable(
    predictions: pd.DataFrame, requirements: Requirements, run: Any
) -> None:
    lone = predictions.assign(region=np.where(predictions.index == 0, "alone", "all the others"))
    found = [(row.group, row.rows, row.is_assessable) for row in run(lone, requirements).slices if row.is_declared]
    assert found == [("all the others", 319, True), ("other", 1, False)]


def test_automatic_slices_are_of_inputs_weeks_and_new_entities(
    predictions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    asked["slices"]["min_support"] = 30  # a week has 40 rows
    requirements = Requirements.model_validate(asked)
    known = set(predictions["customer_token"][:20])
    rows = run(predictions, requirements, automatic=["visits"], known_entities=known).slices
    assert {row.slice for row in rows if not row.is_declared} == {"visits", "scoring_date", "entity_in_training"}
    assert sum(row.rows for row in rows if row.slice == "visits") == 320
    assert {row.group: row.rows for row in rows if row.slice == "entity_in_training"} == {"known": 160, "new": 160}


def test_a_good_score_reaches_every_gate(evaluated: Evaluation, requirements: Requirements) -> None:
    assert evaluated.problems == []
    assert [gate.reason for gate in apply_gates(evaluated, requirements) if not gate.passed] == []


def test_a_bound_lies_below_its_value_and_a_point_gate_has_none(evaluated: Evaluation) -> None:
    for name in ("at_recall", "at_top", "gain"):
        found = evaluated.measurements[name]
        assert found.bound < found.value  # type: ignore[operator]
    assert evaluated.measurements["calibration"].bound is None


def test_the_order_of_the_rows_changes_nothing(predictions: pd.DataFrame, requirements: Requirements, run: Any) -> None:
    tied = predictions.assign(score=predictions["score"].round(1))
    shuffled = tied.sample(frac=1, random_state=1)
    assert run(tied, requirements).to_json() == run(shuffled, requirements).to_json()


def test_the_number_of_threads_changes_nothing(predictions: pd.DataFrame, requirements: Requirements, run: Any) -> None:
    assert run(predictions, requirements, n_jobs=2) == run(predictions, requirements, n_jobs=1)


def test_dates_may_come_as_timestamps(predictions: pd.DataFrame, requirements: Requirements, run: Any) -> None:
    stamped = predictions.assign(scoring_date=pd.to_datetime(predictions["scoring_date"]))
    assert run(stamped, requirements) == run(predictions, requirements)


def test_the_evaluation_holds_totals_and_no_entity(evaluated: Evaluation, predictions: pd.DataFrame) -> None:
    facts = evaluated.facts
    positives = int(predictions["label"].sum())
    assert (facts.rows, facts.entities, facts.positives, len(facts.weeks)) == (320, 40, positives, 8)
    assert (facts.undecided_rows, facts.undecided_share) == (0, 0.0)
    assert facts.base_rate == positives / 320
    text = evaluated.to_json().decode()
    assert "token-" not in text
    assert "customer_token" not in text


def test_the_first_decile_is_what_the_top_tenth_selects(evaluated: Evaluation) -> None:
    assert evaluated.curves is not None
    first = evaluated.curves.deciles[0]
    assert first.rows == 32
    assert first.rate == evaluated.measurements["at_top"].value
    assert sum(tenth.rows for tenth in evaluated.curves.deciles) == 320
    assert first.lift == pytest.approx(first.rate / evaluated.facts.base_rate)  # type: ignore[operator]


def test_an_operating_point_has_the_precision_that_its_gate_measured(evaluated: Evaluation) -> None:
    points = {point.name: point for point in evaluated.operating_points}
    assert list(points) == ["at_top", "at_recall"]
    for name, point in points.items():
        assert point.precision == evaluated.measurements[name].value
    assert points["at_recall"].recall >= 0.6


# Every key is read

DRASTIC: dict[str, object] = {
    "acceptance.at_recall.recall": 0.05,
    "acceptance.at_recall.minimum": 0.999,
    "acceptance.at_recall.owner": "somebody else",
    "acceptance.at_top.share": 0.9,
    "acceptance.at_top.minimum": 0.999,
    "acceptance.at_top.owner": "somebody else",
    "acceptance.gain.minimum": 0.999,
    "acceptance.gain.owner": "somebody else",
    "acceptance.calibration.bins": 2,
    "acceptance.calibration.maximum": 0.0001,
    "acceptance.calibration.owner": "somebody else",
    "data_minimums.training_rows": 10**9,
    "data_minimums.training_positives": 10**9,
    "data_minimums.owner": "somebody else",
    "baseline.feature": "visits",
    "baseline.higher_means_more_likely": False,
    "holdout.weeks": 5,
    "holdout.min_rows": 10**9,
    "holdout.min_positives": 10**9,
    "bootstrap.resamples": 1000,
    "bootstrap.confidence": 0.6,
    "bootstrap.seed": 8,
    "slices.min_support": 100,
}
# These say which metric is meant; another value is refused when the file is read.
FIXED = {"metric", "bound"}


def leaves(tree: dict[str, Any], above: str = "") -> list[str]:
    found = []
    for key, value in tree.items():
        found += leaves(value, f"{above}{key}.") if isinstance(value, dict) else [above + key]
    return found


def changed(tree: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    first, _, rest = path.partition(".")
    return tree | {first: changed(tree[first], rest, value) if rest else value}


def outcome(asked: dict[str, Any], predictions: pd.DataFrame, run: Any) -> tuple[Any, ...]:
    requirements = Requirements.model_validate(asked)
    baseline = baseline_score(predictions, requirements.baseline)
    evaluation = run(predictions.assign(baseline=baseline), requirements)
    return evaluation.model_copy(update={"measured_as": ""}), apply_gates(evaluation, requirements)


@pytest.mark.parametrize("path", DRASTIC, ids=lambda path: path)
def test_the_outcome_depends_on(path: str, asked: dict[str, Any], predictions: pd.DataFrame, run: Any) -> None:
    before = outcome(asked, predictions, run)
    assert outcome(asked, predictions, run) == before
    assert outcome(changed(asked, path, DRASTIC[path]), predictions, run) != before


def test_no_key_that_evaluation_has_to_read_is_left_out(asked: dict[str, Any]) -> None:
    read = {key: value for key, value in asked.items() if key not in ("monitoring", "budgets")}
    paths = set(leaves(read))
    fixed = {path for path in paths if path.rpartition(".")[2] in FIXED}
    assert paths - fixed == set(DRASTIC)
    for path in fixed:
        with pytest.raises(ValidationError):
            Requirements.model_validate(changed(asked, path, "another"))


def test_weeks_without_a_gap_are_needed_even_when_their_number_is_right(
    predictions: pd.DataFrame, requirements: Requirements, run: Any
) -> None:
    shifted = predictions.assign(scoring_date=predictions["scoring_date"] + timedelta(weeks=1))
    evaluation = run(shifted, requirements)
    assert "no row for the holdout weeks 2024-01-01" in evaluation.problems
    assert "rows of weeks outside the holdout: 2024-02-26" in evaluation.problems
