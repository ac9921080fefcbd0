"""The figures and warnings of a dry run, on frames small enough to work out by hand."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.check.findings import (
    Changed,
    FeatureFacts,
    WeekRate,
    changed_columns,
    feature_facts,
    find_warnings,
    run_seconds,
    spread,
    week_rate,
)
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.load import UseCase

MONDAY = date(2011, 3, 7)
NUMBER = {"dtype": "float64", "unit": "x", "role": "input", "minimum": -10, "maximum": 1000, "meaning": "made up"}
STEADY = [WeekRate(MONDAY + timedelta(weeks=n), 1000, 300, 0) for n in range(4)]
FINE = FeatureFacts("fine", "input", 0.1, 9, 0.7)


def warnings_of(
    case: UseCase,
    *,
    rates: list[WeekRate] = STEADY,
    facts: list[FeatureFacts] | None = None,
    changed: list[Changed] | None = None,
) -> list[str]:
    return find_warnings(case, rates, facts or [FINE], changed or [], training_weeks=20)


def facts_of(**columns: list) -> dict[str, FeatureFacts]:
    text = {"dtype": "string", "unit": "x", "role": "input", "categories": ["a", "b"], "meaning": "made up"}
    declared = {
        name: (text if isinstance(values[0], str) else NUMBER) | {"nullable": True} for name, values in columns.items()
    }
    rows = pd.DataFrame(columns | {"label": [0] * 20 + [1] * 20})
    return {one.name: one for one in feature_facts(rows, FeatureSet.model_validate({"features": declared}))}


def test_the_rate_of_a_week_is_that_of_the_decided() -> None:
    rate = week_rate(MONDAY, pd.Series([1, 0, 0, None], dtype="Int8"))

    assert (rate.rows, rate.positives, rate.undecided) == (4, 1, 1)
    assert rate.rate == pytest.approx(1 / 3)
    assert math.isnan(WeekRate(MONDAY, 2, 0, 2).rate)


def test_a_feature_is_judged_alone_and_whichever_way_round() -> None:
    up, half = list(range(40)), [n % 2 for n in range(40)]
    found = facts_of(up=up, down=up[::-1], half=half)

    assert (found["up"].auc, found["down"].auc) == (1.0, 1.0)
    assert found["half"].auc == pytest.approx(0.5)


def test_a_missing_value_can_tell_as_much_as_any_other() -> None:
    found = facts_of(gap=[np.nan] * 20 + [1.0] * 20)["gap"]

    assert (found.auc, found.null_share, found.distinct) == (1.0, 0.5, 1)


def test_a_category_is_judged_by_its_share_of_positives() -> None:
    assert facts_of(level=["a"] * 20 + ["b"] * 20)["level"].auc == 1.0


def test_with_few_of_a_class_a_feature_is_not_judged() -> None:
    features = FeatureSet.model_validate({"features": {"x": NUMBER | {"nullable": True}}})
    rows = pd.DataFrame({"x": range(100), "label": [0] * 81 + [1] * 19})

    assert feature_facts(rows, features)[0].auc is None


def test_weeks_that_are_as_they_should_be_give_no_warning(retail_lapse: UseCase) -> None:
    assert warnings_of(retail_lapse) == []


def test_a_jump_of_the_base_rate_is_named_with_its_dates(retail_lapse: UseCase) -> None:
    later = WeekRate(MONDAY + timedelta(weeks=9), 1000, 500, 0)

    (found,) = warnings_of(retail_lapse, rates=[*STEADY, later])

    assert "jumps from 30.0% at 2011-03-28 to 50.0% at 2011-05-09" in found


def test_noise_of_a_small_week_is_no_jump(retail_lapse: UseCase) -> None:
    assert warnings_of(retail_lapse, rates=[*STEADY, WeekRate(MONDAY, 20, 10, 0)]) == []


def test_too_few_positives_are_foreseen(retail_lapse: UseCase) -> None:
    few = [WeekRate(one.day, 1000, 10, 0) for one in STEADY]

    found = warnings_of(retail_lapse, rates=few)  # 10 x 20 weeks of 1,000; 10 x 8 weeks of 200

    assert [text.split(",")[0] for text in found] == [
        "too few positives: training will have about 200",
        "too few positives: the holdout will have about 80",
    ]


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        pytest.param(FeatureFacts("x", "input", 0.0, 9, 0.96), "x alone tells who is positive", id="too-good"),
        pytest.param(FeatureFacts("x", "input", 0.96, 9, 0.5), "x has no value in 96%", id="mostly-null"),
        pytest.param(FeatureFacts("x", "input", 0.0, 1, 0.5), "x has the same value in every row", id="constant"),
    ],
)
def test_a_feature_that_cannot_be_right_is_named(retail_lapse: UseCase, fact: FeatureFacts, words: str) -> None:
    (found,) = warnings_of(retail_lapse, facts=[FINE, fact])

    assert found.startswith(words)


def test_a_static_column_that_changed_is_named_with_how_many_people(retail_lapse: UseCase) -> None:
    (found,) = warnings_of(retail_lapse, changed=[Changed("customers", "joined_at", 12, 500, "customer_token")])

    assert found.startswith(
        "customers.joined_at should not change, but differs between the versions of 12 of 500 (by customer_token)"
    )


def test_a_sign_up_date_should_not_change_and_a_plan_may(shop: UseCase) -> None:
    table = shop.sources.tables["plans"]
    columns = dict(table.columns) | {
        "joined": table.columns["plan"].model_copy(update={"alias": "joined_on", "type": "date"})
    }
    table = table.model_copy(update={"columns": columns})
    rows = pd.DataFrame(
        {"customer_token": ["a", "a", "b", "b"], "plan": ["x", "y", "x", "y"], "joined_on": [1, 2, 3, 3],
         "known_at": [1, 2, 1, 2], "changed_at": [1, 2, 1, 2]}
    )  # fmt: skip

    assert changed_columns("plans", table, rows, "customer_token") == [
        Changed("plans", "joined_on", 1, 2, "customer_token")
    ]


def test_versions_are_those_of_what_the_table_says_and_not_of_a_person_who_has_several(shop: UseCase) -> None:
    """The start of each subscription of a person was taken for a date that changed."""
    plans = shop.sources.tables["plans"]
    started = plans.columns["plan"].model_copy(update={"alias": "started_on", "type": "date"})
    table = plans.model_copy(update={"columns": {**plans.columns, "s": started}, "entity": ["plan"]})
    rows = pd.DataFrame(
        {"customer_token": ["a", "a", "a"], "plan": ["x", "y", "y"], "started_on": [1, 2, 2],
         "known_at": [1, 2, 3], "changed_at": [1, 2, 3]}
    )  # fmt: skip

    assert changed_columns("plans", table, rows, "customer_token") == []


def test_a_baseline_that_is_the_same_for_all_is_said_to_make_its_gate_refuse(retail_lapse: UseCase) -> None:
    name = retail_lapse.requirements.baseline.feature

    (found,) = warnings_of(retail_lapse, facts=[FINE, FeatureFacts(name, "input", 0.0, 1, 0.5)])

    assert found.startswith(f"the baseline {name} has the same value in every row")
    assert "the gate" in found
    assert "will refuse every candidate" in found


def test_the_sampled_weeks_are_spread_from_the_first_to_the_last() -> None:
    days = [MONDAY + timedelta(weeks=n) for n in range(9)]

    assert spread(days, 3) == [days[0], days[4], days[8]]
    assert spread(days[:2], 3) == days[:2]


def test_the_time_of_a_run_grows_with_the_files_that_it_writes() -> None:
    """A run of small tables over many weeks took twice what was said: each week of each table is written by itself."""
    two, four = (run_seconds(masking=2.0, per_week=0.1, fits=8.0, weeks=100, tables=tables) for tables in (2, 4))

    assert two == pytest.approx(3 + 10 + 8 + 28 + 15)
    assert four - two == pytest.approx(14)
