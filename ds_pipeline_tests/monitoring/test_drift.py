"""The population stability index, by hand."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.monitoring.drift import (
    FLOOR,
    chance_of,
    classify,
    make_reference,
    population_stability,
    retraining_due_by,
)
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.requirements import PsiLimits

GIVEN: dict[str, Any] = {"unit": "x", "nullable": True, "meaning": "made up", "role": "input"}
FEATURES = FeatureSet.model_validate(
    {
        "features": {
            "visits": GIVEN | {"dtype": "float64", "minimum": 0, "maximum": 99},
            "plan": GIVEN | {"dtype": "string", "categories": ["gold", "basic", "new"]},
            "is_new": GIVEN | {"dtype": "bool"},
            "region": GIVEN | {"dtype": "string", "role": "slice"},
        }
    }
)
SCORES = np.linspace(0, 1, 10)


def rows(visits: Any = range(10), plan: Any = "gold", is_new: Any = False) -> pd.DataFrame:
    return pd.DataFrame({"visits": visits, "plan": plan, "is_new": is_new, "region": "n"}, index=range(10))


def table(columns: dict[str, list[Any]]) -> pd.DataFrame:
    """A stability table of so many people that chance explains nothing."""
    return pd.DataFrame(columns | {"chance": [0.0] * len(columns["psi"])})


def reference_of(training: pd.DataFrame, features: FeatureSet = FEATURES) -> dict[str, Any]:
    people = training.assign(who=range(len(training)))
    return make_reference(people, people.assign(score=SCORES), features, entity="who")


def psi(training: pd.DataFrame, week: pd.DataFrame, name: str, scores: np.ndarray = SCORES) -> float:
    reference = json.loads(json.dumps(reference_of(training)))  # as it travels in a bundle
    stability = population_stability(reference, week.assign(score=scores))
    return float(stability.set_index("name").loc[name, "psi"])


def term(expected: float, actual: float) -> float:
    expected, actual = max(expected, FLOOR), max(actual, FLOOR)
    return (actual - expected) * math.log(actual / expected)


def test_the_same_distribution_has_an_index_of_zero() -> None:
    for name in ("visits", "plan", "is_new", "score"):
        assert psi(rows(), rows(), name) == 0.0


def test_inputs_and_the_score_are_watched_and_nothing_else() -> None:
    assert set(reference_of(rows())) == {"visits", "plan", "is_new", "score"}


def test_shares_that_move_between_categories() -> None:
    """From a half each to 0.8 and 0.2: 0.3 ln 1.6 + -0.3 ln 0.4 = 0.4159."""
    half = rows(plan=["gold"] * 5 + ["basic"] * 5)

    assert psi(half, rows(plan=["gold"] * 8 + ["basic"] * 2), "plan") == pytest.approx(0.41589, abs=1e-5)


def test_numbers_fall_into_tenths_of_training() -> None:
    """Each of ten values is a tenth; all ten at the lowest leave nine tenths empty."""
    assert psi(rows(), rows(visits=[0.0] * 10), "visits") == pytest.approx(term(0.1, 1.0) + 9 * term(0.1, 0.0))


def test_values_beyond_those_of_training_count_in_the_outer_tenths() -> None:
    assert psi(rows(), rows(visits=[-5, 1, 2, 3, 4, 5, 6, 7, 8, 99]), "visits") == 0.0


def test_nulls_are_a_bin_of_their_own() -> None:
    week = rows(plan=["gold"] * 9 + [None], visits=[None, *range(1, 10)])

    assert psi(rows(), week, "plan") == pytest.approx(term(1.0, 0.9) + term(0.0, 0.1))
    assert psi(rows(), week, "visits") == pytest.approx(term(0.1, 0.0) + term(0.0, 0.1))
    assert psi(week, week, "visits") == 0.0


def test_a_category_unseen_in_training_is_not_a_null() -> None:
    unseen, null = (rows(plan=["gold"] * 9 + [last]) for last in ("new", None))

    assert psi(rows(), unseen, "plan") == pytest.approx(term(1.0, 0.9) + term(0.0, 0.1))
    assert psi(null, unseen, "plan") == pytest.approx(2 * term(0.1, 0.0))


@pytest.mark.parametrize("value", [4.0, 6.0])
def test_a_constant_that_changes_is_seen_in_both_directions(value: float) -> None:
    """A constant of 5 that fell to 4 had an index of 0: both lay at or below the only edge."""
    constant = rows(visits=[5.0] * 10)

    assert psi(constant, constant, "visits") == 0.0
    assert psi(constant, rows(visits=[value] * 10), "visits") == pytest.approx(term(1.0, 0.0) + term(0.0, 1.0))


def test_a_constant_of_zero_is_seen_to_rise() -> None:
    assert psi(rows(visits=[0.0] * 10), rows(visits=[0.5] * 10), "visits") > 0.2


def test_a_flag_that_turns_is_seen() -> None:
    turned = rows(is_new=[True] * 5 + [False] * 5)

    assert psi(rows(), turned, "is_new") == pytest.approx(term(1.0, 0.5) + term(0.0, 0.5))


@pytest.mark.parametrize(
    ("training", "week"),
    [
        pytest.param([True, None] * 5, [True] * 10, id="nulls-in-training-only"),
        pytest.param([True] * 10, [True, None] * 5, id="nulls-in-the-week-only"),
    ],
)
def test_a_flag_with_nulls_is_compared(training: list[Any], week: list[Any]) -> None:
    moved = term(0.5, 1.0) + term(0.5, 0.0) if None in training else term(1.0, 0.5) + term(0.0, 0.5)

    assert psi(rows(is_new=training), rows(is_new=week), "is_new") == pytest.approx(moved)


def test_a_column_that_was_never_known_in_training() -> None:
    unknown = rows(visits=[None] * 10, plan=[None] * 10)

    for name in ("visits", "plan"):
        assert psi(unknown, unknown, name) == 0.0
        assert psi(unknown, rows(), name) == pytest.approx(term(1.0, 0.0) + term(0.0, 1.0))


def test_scores_that_move_are_seen() -> None:
    assert psi(rows(), rows(), "score", np.full(10, 0.5)) > 0.2


def test_the_table_is_sorted_and_classified() -> None:
    limits = PsiLimits(warn=0.1, act=0.2)
    reference = reference_of(rows())
    stability = population_stability(reference, rows(plan=[None] * 10).assign(score=SCORES))
    assert stability["name"].tolist() == ["plan", "is_new", "score", "visits"]

    classified = classify(table({"name": list("abcdef"), "psi": [np.nan, 0.3, 0.2, 0.19, 0.1, 0.09]}), limits)

    # what cannot be computed is not stable
    assert classified["status"].tolist() == ["act", "act", "act", "warn", "warn", "stable"]


MONDAY = datetime(2026, 3, 29, 23, tzinfo=UTC)  # midnight in London, once the clocks have changed


def test_the_instant_until_when_retraining_is_due_counts_from_the_scoring_date() -> None:
    limits = PsiLimits(warn=0.1, act=0.2, retrain_within_hours=48)
    drifted = classify(table({"name": ["visits", "plan"], "psi": [0.2, 0.0]}), limits)

    assert retraining_due_by(drifted, limits, since=MONDAY) == datetime(2026, 3, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("psi", "hours"),
    [pytest.param(0.19, 48, id="only-a-warning"), pytest.param(0.5, None, id="no-time-agreed")],
)
def test_nothing_is_due_at_an_instant(psi: float, hours: int | None) -> None:
    limits = PsiLimits(warn=0.1, act=0.2, retrain_within_hours=hours)

    classified = classify(table({"name": ["visits"], "psi": [psi]}), limits)

    assert retraining_due_by(classified, limits, since=MONDAY) is None


def test_of_a_text_only_its_length_is_watched() -> None:
    features = FeatureSet.model_validate({"features": {"note": GIVEN | {"dtype": "text", "topics": 2}}})
    training = pd.DataFrame({"note": ["please cancel my plan", None] * 5})
    reference = json.loads(json.dumps(reference_of(training, features)))

    def moved(note: list[str | None]) -> float:
        stability = population_stability(reference, pd.DataFrame({"note": note}).assign(score=SCORES))
        return float(stability.set_index("name").loc["note", "psi"])

    assert "cancel" not in json.dumps(reference)
    assert moved(["another one, of length", None] * 5) > 0.2  # 22 characters, not 21
    assert moved(["another of that length", None] * 5) == moved(["another one, of length", None] * 5)
    assert moved(["please cancel my deal", None] * 5) == 0.0
    assert moved([None] * 10) == pytest.approx(term(0.5, 0.0) + term(0.5, 1.0))


def test_of_a_text_only_the_length_is_described() -> None:
    """Its words would otherwise stand in the bundle."""
    text = {"ticket": GIVEN | {"dtype": "text", "topics": 2}}
    features = FeatureSet.model_validate({"features": text})
    short, long = pd.DataFrame({"ticket": ["ab", None] * 5}), pd.DataFrame({"ticket": ["a" * 99, None] * 5})

    reference = json.loads(json.dumps(reference_of(short, features)))

    assert "ab" not in json.dumps(reference["ticket"])
    assert reference["ticket"]["shares"][-1] == 0.5  # the missing ones
    stability = [population_stability(reference, week.assign(score=SCORES)) for week in (short, long)]
    psi_of_ticket = [one.set_index("name").loc["ticket", "psi"] for one in stability]
    assert psi_of_ticket[0] == pytest.approx(0)
    assert psi_of_ticket[1] > 1


PEOPLE, INPUTS = 800, 12  # of the training, and tenths each


def weeks_of(people: int, *, moved: float = 0.0, weeks: int = 200) -> list[list[str]]:
    """The statuses of weeks in which nothing has moved, or everybody's first input by so many standard deviations."""
    rng = np.random.default_rng(people)
    names = [f"x{number:02d}" for number in range(INPUTS)]
    declared = {name: GIVEN | {"dtype": "float64", "minimum": -99, "maximum": 99} for name in names}
    features = FeatureSet.model_validate({"features": declared})

    def draw(count: int) -> pd.DataFrame:
        return pd.DataFrame(rng.normal(size=(count, INPUTS)), columns=names).assign(who=range(count))

    training = draw(PEOPLE)
    reference = make_reference(training, training.assign(score=training["x00"]), features, entity="who")
    found = []
    for _ in range(weeks):
        week = draw(people)
        week = week.assign(x00=week["x00"] + moved, score=week["x01"])
        found.append(classify(population_stability(reference, week), PsiLimits(warn=0.1, act=0.2))["status"].tolist())
    return found


@pytest.mark.parametrize("people", [15, 60, 150])
def test_chance_alone_makes_no_retraining_due_and_no_warning(people: int) -> None:
    """Of sixty people whose orders were a stationary process, retraining was due: ten bins held six of them each."""
    weeks = weeks_of(people)

    assert any("chance" in week for week in weeks)
    assert sum(not {"act", "warn"}.isdisjoint(week) for week in weeks) <= 5  # 0.5 % of 200 are expected: P(> 5) < 0.001


def test_of_a_few_people_a_shift_that_chance_does_not_give_is_seen() -> None:
    assert all("act" in week for week in weeks_of(60, moved=2.0, weeks=5))


def test_chance_is_what_chi_squared_says_where_every_bin_is_full() -> None:
    """Of ten tenths, 9 degrees: the 99.5 % quantile is 23.589, times 1 / 2000 + 1 / 1000."""
    described = {"edges": [], "shares": [0.1] * 10, "people": 1000}

    assert chance_of(described, people=2000, columns=1) == pytest.approx(23.589 * 0.0015, rel=0.03)
    assert chance_of({"edges": [], "shares": [0.1] * 10}, people=2000, columns=1) == pytest.approx(
        23.589 * 0.0005, rel=0.03
    )


def test_of_nobody_nothing_can_be_told() -> None:
    stability = population_stability(reference_of(rows()), rows().iloc[:0].assign(score=[]))

    assert set(classify(stability, PsiLimits(warn=0.1, act=0.2))["status"]) == {"chance"}
