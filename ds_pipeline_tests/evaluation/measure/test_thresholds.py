"""A threshold is measured with its bound, or it is said why not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from ds_pipeline.evaluation.measure import thresholds
from ds_pipeline.evaluation.measure.baselines import IS_CHAMPION, NO_CHAMPION
from ds_pipeline.evaluation.measure.facts import Facts
from ds_pipeline.evaluation.measure.intervals import bootstrap, lower_bound
from ds_pipeline.evaluation.measure.resamples import ScoredRows
from ds_pipeline.evaluation.measure.thresholds import compare_groups, margin, measure_all, unmeasured
from ds_pipeline.use_case.requirements import Bootstrap, Cost, Requirements

FACTS = Facts(
    rows=8, positives=4, entities=8, base_rate=0.5, weeks=[], training_rows=9, training_positives=3
)  # fmt: skip
SETTINGS = Bootstrap(resamples=100, confidence=0.95, seed=7)
GAIN = {"metric": "average_precision_gain", "minimum": 0.05, "bound": "lower", "owner": "ds"}
SAVING = {"metric": "cost_saving", "minimum": 1, "bound": "lower", "owner": "ds"}
COST = Cost(currency="EUR", campaign_cost=1, false_positive=0, false_negative=0, value_saved=4, owner="crm")
RIVALS: dict[Any, str | None] = {"baseline": None, "logistic_regression": None, "champion": None}


def asking(asked: dict[str, Any], *, cost: Cost | None = None, **acceptance: dict[str, Any]) -> Requirements:
    changes = {"acceptance": acceptance, "cost": cost.model_dump() if cost else None}
    return Requirements.model_validate(asked | {"slices": {"min_support": 2}} | changes)


def rows_of(label: list[int], score: list[float], **other: Any) -> ScoredRows:
    places = np.arange(len(label))
    return ScoredRows(
        week=0 * places, entity=places, label=np.array(label), score=np.array(score), baseline=0.0 * places, **other
    )


def why_not(requirements: Requirements, **changes: Any) -> dict[str, str]:
    given = {"problems": [], "rivals": RIVALS, "cut_off": 0.5, "has_new": True} | changes
    found = unmeasured(requirements, FACTS, **given)
    return {name: str(one.problem or f"n/a: {one.not_applicable}") for name, one in found.items()}


def test_what_can_be_measured_has_no_reason(asked: dict[str, Any]) -> None:
    requirements = asking(asked, cost=COST, gain=GAIN, prior=GAIN | {"over": "prior"}, saving=SAVING)

    assert why_not(requirements) == {}


def test_a_broken_holdout_leaves_nothing_measured(asked: dict[str, Any]) -> None:
    requirements = asking(asked, gain=GAIN, prior=GAIN | {"over": "prior"})

    assert why_not(requirements, problems=["no rows", "no labels"]) == dict.fromkeys(
        ("gain", "prior"), "no rows; no labels"
    )


@pytest.mark.parametrize("reason", [NO_CHAMPION, IS_CHAMPION])
def test_without_another_champion_the_question_does_not_arise(asked: dict[str, Any], reason: str) -> None:
    requirements = asking(asked, gain=GAIN, worse=GAIN | {"over": "champion"}, prior=GAIN | {"over": "prior"})

    assert why_not(requirements, rivals=RIVALS | {"champion": reason}) == {"worse": f"n/a: {reason}"}


def test_a_rule_that_cannot_be_compared_with_touches_its_own_threshold_alone(asked: dict[str, Any]) -> None:
    requirements = asking(asked, gain=GAIN, model=GAIN | {"over": "logistic_regression"})

    assert why_not(requirements, rivals=RIVALS | {"baseline": "it ranks nothing"}) == {"gain": "it ranks nothing"}


@pytest.mark.parametrize(
    ("cost", "cut_off", "reason"),
    [
        pytest.param(None, 0.5, "the requirements do not say what a decision costs", id="no-cost"),
        pytest.param(COST, None, "no score from which on to act was chosen on the validation weeks", id="no-cut-off"),
        pytest.param(COST, math.nan, "the score from which on to act is not a number", id="nan"),
        pytest.param(COST, math.inf, None, id="acting-on-nobody"),
    ],
)
def test_a_saving_needs_a_cost_and_a_score_to_act_from(
    asked: dict[str, Any], cost: Cost | None, cut_off: float | None, reason: str | None
) -> None:
    found = why_not(asking(asked, cost=cost, saving=SAVING), cut_off=cut_off)

    assert found == ({"saving": reason} if reason else {})


def test_a_value_has_a_bound_below_it_and_what_is_to_skip_is_skipped(asked: dict[str, Any]) -> None:
    top = {"metric": "precision_at_top", "share": 0.5, "minimum": 0.5, "bound": "lower", "owner": "crm"}
    rows = rows_of([1, 1, 1, 0, 1, 0, 0, 0], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])

    found = measure_all(rows, asking(asked, top=top, gain=GAIN), FACTS, skip=["gain"], n_jobs=1)

    assert list(found) == ["top"]
    assert found["top"].value == 3 / 4
    assert found["top"].bound is not None
    assert found["top"].bound < 3 / 4
    assert (found["top"].metric, found["top"].rows, found["top"].positives) == ("precision_at_top", 8, 4)


def test_a_point_threshold_has_no_bound(asked: dict[str, Any]) -> None:
    calibration = {
        "metric": "expected_calibration_error", "bins": 2, "maximum": 0.1, "bound": "point", "owner": "ds"
    }  # fmt: skip

    found = measure_all(
        rows_of([1, 1, 0, 0], [0.9, 0.9, 0.1, 0.1]), asking(asked, flat=calibration), FACTS, skip=[], n_jobs=1
    )

    assert found["flat"].value == pytest.approx(0.1)
    assert found["flat"].bound is None


def test_a_metric_that_is_undefined_in_some_resamples_has_no_bound_over_the_rest(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = np.array([0.5] * 97 + [np.nan, np.inf, 0.4])
    monkeypatch.setattr(thresholds, "bootstrap", lambda *_, **__: {"gain": samples})

    found = measure_all(
        rows_of([1, 0], [0.9, 0.1]), asking(asked, gain=GAIN | {"over": "prior"}), FACTS, skip=[], n_jobs=1
    )

    assert found["gain"].problem == "the metric is not defined in 2 of 100 resamples, so there is no bound"
    assert found["gain"].value is None


def test_a_recall_of_nought_says_that_no_cut_off_is_precise_enough(asked: dict[str, Any]) -> None:
    recall = {"metric": "recall_at_precision", "precision": 0.875, "minimum": 0.1, "bound": "lower", "owner": "crm"}

    rows = rows_of([0, 1] * 20, list(np.linspace(0.9, 0.1, 40)))

    found = measure_all(rows, asking(asked, few=recall), FACTS, skip=[], n_jobs=1)

    assert found["few"].value == 0
    assert found["few"].note.startswith("No cut-off has a precision of 87.5 %, so the recall counts as 0.")


@pytest.mark.parametrize(
    ("cut_off", "note"),
    [
        (0.75, "In EUR, acting on a score of 0.75 or more: 50 % of the rows."),
        (math.inf, "In EUR. On the validation weeks acting never paid, so nobody is acted on."),
    ],
)
def test_a_saving_says_in_what_and_on_whom(asked: dict[str, Any], cut_off: float, note: str) -> None:
    rows = rows_of([1, 1, 0, 0], [0.9, 0.8, 0.7, 0.6], cost=COST, cut_off=cut_off)

    found = measure_all(rows, asking(asked, cost=COST, saving=SAVING), FACTS, skip=[], n_jobs=1)

    # Acting on both positives costs 2 and saves 8, on all 4 and saves 8: the better rule of the two is to act on all.
    assert found["saving"].note.startswith(note)
    assert found["saving"].value == (500 if cut_off == 0.75 else -1000)


def test_groups_are_compared_once_for_each_attribute_and_share(asked: dict[str, Any]) -> None:
    parity = {
        "metric": "demographic_parity_difference", "attribute": "sex", "share": 0.5, "maximum": 0.1, "bound": "point",
        "owner": "ds",
    }  # fmt: skip
    requirements = asking(
        asked, parity=parity, again=parity | {"metric": "false_positive_rate_difference"},
        other=parity | {"share": 0.25}, gain=GAIN,
    )  # fmt: skip
    rows = rows_of([1, 0, 1, 0, 1, 0, 1, 0], [0.9, 0.8, 0.7, 0.2, 0.6, 0.5, 0.4, 0.3])
    frame = pd.DataFrame({"token": rows.entity, "label": rows.label, "score": rows.score, "sex": list("ffffmmmm")})

    groups, measured = compare_groups(frame, rows, requirements, FACTS, entity="token")

    assert [(row.attribute, row.share) for row in groups] == [("sex", 0.5)] * 2 + [("sex", 0.25)] * 2
    # Of the four best three are of the first group and one of the second; of the two best both of the first.
    assert measured["parity"].value == pytest.approx(3 / 4 - 1 / 4)
    assert measured["again"].value == pytest.approx(1 / 2 - 0)
    assert measured["other"].value == pytest.approx(2 / 4 - 0)
    assert "gain" not in measured


def test_the_lower_of_the_two_bounds_counts_and_both_are_said(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """0.05 over entities, 0.025 over weeks as well."""
    drawn = {False: np.arange(101) / 100, True: np.arange(101) / 200}
    monkeypatch.setattr(thresholds, "bootstrap", lambda *_, with_weeks, **__: {"gain": drawn[with_weeks]})
    rows, requirements = rows_of([1, 0], [0.9, 0.1]), asking(asked, gain=GAIN | {"over": "prior"})

    found = measure_all(rows, requirements, FACTS, skip=[], n_jobs=1)["gain"]

    assert found.bound == 0.025
    assert found.note.startswith("The bound is 0.050 over entities and 0.025 over entities and weeks.")


def test_a_model_that_falls_from_week_to_week_is_judged_by_a_lower_bound(asked: dict[str, Any]) -> None:
    """Four weeks of 100 others each: of the ten best 8, 6, 4 and 2 are positive, of all a tenth."""
    hits = (8, 6, 4, 2)
    label = np.concatenate([[1] * k + [0] * (10 - k) + [1] * (10 - k) + [0] * (80 + k) for k in hits])
    score = np.tile(np.linspace(1, 0, 100), 4)
    rows = ScoredRows(
        week=np.repeat(np.arange(4), 100), entity=np.arange(400), label=label, score=score, baseline=0 * score
    )
    top = {"metric": "precision_at_top", "share": 0.1, "minimum": 0.3, "bound": "lower", "owner": "crm"}

    found = measure_all(rows, asking(asked, top=top), FACTS, skip=[], n_jobs=1)["top"]

    over_entities = bootstrap(rows, {"top": asking(asked, top=top).acceptance["top"]}, settings=SETTINGS, n_jobs=1)
    assert found.value == 0.5
    assert found.bound < lower_bound(over_entities["top"], 0.95) - 0.05
    assert found.bound < 0.4  # the mean of the two newest weeks is 0.3


def test_the_margin_is_what_a_model_needs_to_pass_nine_times_in_ten() -> None:
    """Of 2,000 holdouts whose value is normal about the truth, the bound reaches what was asked in nine of ten."""
    rng = np.random.default_rng(5)
    asked, spread = 0.6, 0.02
    samples = rng.normal(0.7, spread, 4000)
    needed = margin(0.7, lower_bound(samples, 0.95), samples)
    assert needed == pytest.approx((1.645 + 1.282) * spread, rel=0.05)
    bounds = rng.normal(asked + needed, spread, 2000) - 1.645 * spread
    assert (bounds >= asked).mean() == pytest.approx(0.9, abs=0.03)


def test_new_entities_are_ranked_among_themselves(asked: dict[str, Any]) -> None:
    rng = np.random.default_rng(6)
    label, score = rng.integers(0, 2, 60), rng.random(60)
    rows, new = (rows_of(list(label[:n]), list(score[:n])) for n in (60, 30))
    requirements = asking(asked, new=GAIN | {"over": "prior", "entities": "new"}, all=GAIN | {"over": "prior"})

    found = measure_all(rows, requirements, FACTS, skip=[], n_jobs=1, new=new)

    assert found["new"].value == pytest.approx(average_precision_score(label[:30], score[:30]) - label[:30].mean())
    assert found["all"].value == pytest.approx(average_precision_score(label, score) - label.mean())
    assert (found["new"].rows, found["new"].positives) == (30, int(label[:30].sum()))


def test_without_new_entities_nothing_can_be_said_of_them(asked: dict[str, Any]) -> None:
    requirements = asking(asked, new=GAIN | {"entities": "new"}, all=GAIN)
    assert why_not(requirements, has_new=False) == {"new": "training knew every entity of the holdout"}


def test_the_share_that_is_delivered_saves_what_its_list_saves(asked: dict[str, Any]) -> None:
    """A quarter of 8 rows is 2, of them 1 positive: 2 x 1 spent, 4 saved. By lot 2 rows hold half a positive, which is
    spent 2 and saved 2: no better than nobody, and no matter that all would be better."""
    rows = rows_of([1, 0, 1, 0, 0, 0, 0, 0], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2], cost=COST)
    requirements = asking(asked, cost=COST, saving=SAVING | {"share": 0.25})

    found = measure_all(rows, requirements, FACTS, skip=[], n_jobs=1)["saving"]

    assert why_not(requirements, cut_off=None) == {}
    assert found.value == pytest.approx(1000 * (4 - 2) / 8)
    assert found.note.startswith("In EUR.")


def test_a_later_look_at_the_same_weeks_is_judged_by_a_stricter_bound_and_says_so(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the resamples 0.00 to 0.99, five in a hundred lie below the bound at the first look, one at the fifth."""
    monkeypatch.setattr(thresholds, "bootstrap", lambda *_, **__: {"gain": np.arange(101) / 100})
    rows, requirements = rows_of([1, 0], [0.9, 0.1]), asking(asked, gain=GAIN | {"over": "prior"})

    first = measure_all(rows, requirements, FACTS, skip=[], n_jobs=1)["gain"]
    fifth = measure_all(rows, requirements, FACTS.model_copy(update={"looks": 5}), skip=[], n_jobs=1)["gain"]

    assert (first.bound, fifth.bound) == (0.05, 0.01)
    assert "Look" not in first.note
    assert fifth.note.startswith("Look 5 at these weeks: the bound is at 99 %.")
