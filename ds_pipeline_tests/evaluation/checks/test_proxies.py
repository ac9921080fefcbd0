"""How much the inputs tell of a protected attribute: nothing, everything, and what chance would pretend."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.evaluation.checks.proxies import ALL_INPUTS, Proxy, check_proxies, cramers_v
from ds_pipeline_tests.evaluation.checks.made_up import material

WEEK = date(2011, 8, 8)
PEOPLE = 400
AGES = np.array(["young", "old"])[np.arange(PEOPLE) % 2]


def find_proxies(rows: pd.DataFrame, *, inputs: list[str], protected: list[str]) -> list[Proxy]:
    features = SimpleNamespace(inputs_of=lambda *_: inputs, of_role=lambda _: protected)
    use_case = SimpleNamespace(features=features, problem=SimpleNamespace(entity="customer_token"))
    found: list[Proxy] = check_proxies(material(use_case=use_case, labelled=rows)).findings["proxies"]
    return found


def rows_of(**columns: object) -> pd.DataFrame:
    """One row for each of 400 people, every second of whom is old."""
    tokens = [f"t{number:03d}" for number in range(PEOPLE)]
    return pd.DataFrame({"scoring_date": WEEK, "customer_token": tokens, "age": AGES} | columns)


def find(rows: pd.DataFrame, protected: str = "age") -> dict[str, Proxy]:
    inputs = [name for name in rows.columns if name not in ("scoring_date", "customer_token", "age")]
    found = find_proxies(rows, inputs=inputs, protected=[protected])
    return {proxy.input: proxy for proxy in found}


def test_cramers_v_by_hand() -> None:
    """30 of 40 agree: chi-squared 10, phi-squared 10/40 - 1/39; each side counts as 2 - 1/39 categories."""
    left = np.repeat([0, 0, 1, 1], [15, 5, 5, 15])
    right = np.repeat([0, 1, 0, 1], [15, 5, 5, 15])

    assert cramers_v(left, right) == pytest.approx(((10 / 40 - 1 / 39) / (1 - 1 / 39)) ** 0.5)


def test_an_input_that_determines_the_attribute_has_strength_one() -> None:
    found = find(rows_of(area=np.where(AGES == "old", "N", "SW")))

    assert found["area"].strength == pytest.approx(1.0)
    assert found[ALL_INPUTS].strength == pytest.approx(1.0)
    assert (found["area"].people, found["area"].groups) == (400, 2)


def test_an_input_that_is_the_same_for_all_tells_nothing() -> None:
    found = find(rows_of(same=1.0))

    assert found["same"].strength == 0.0
    assert found[ALL_INPUTS].strength == 0.5


def test_chance_is_not_taken_for_an_association() -> None:
    """Without the correction the mean of V would be 0.15: ten bins of 400 people always differ a little."""
    draws = [np.random.default_rng(seed) for seed in range(12)]
    found = [find(rows_of(noise=draw.random(PEOPLE))) for draw in draws]

    assert np.mean([one["noise"].strength for one in found]) < 0.06
    assert abs(np.mean([one[ALL_INPUTS].strength for one in found]) - 0.5) < 0.02


def test_many_weeks_of_the_same_people_are_no_more_evidence_than_one() -> None:
    """With a row per week the correction for chance would reckon with people who are not there."""
    once = rows_of(noise=np.random.default_rng(5).random(PEOPLE))
    weeks = [once.assign(scoring_date=WEEK + timedelta(weeks=week)) for week in range(20)]

    assert find(pd.concat(weeks)) == find(once)


def test_the_newest_row_of_a_person_counts() -> None:
    area = np.where(AGES == "old", "N", "SW")
    old_rows = rows_of(area="N").assign(scoring_date=WEEK - timedelta(weeks=1))

    assert find(pd.concat([rows_of(area=area), old_rows]))["area"].strength == pytest.approx(1.0)


def test_inputs_come_strongest_first_behind_all_together() -> None:
    area = np.where(AGES == "old", "N", "SW")
    rows = rows_of(b_noise=np.random.default_rng(5).random(PEOPLE), weak=np.where(np.arange(PEOPLE) < 120, area, "N"))

    assert list(find(rows.assign(area=area))) == [ALL_INPUTS, "area", "weak", "b_noise"]


def test_two_weak_inputs_can_be_strong_together() -> None:
    """Neither says anything alone; whether they are equal says it all."""
    left = (np.arange(PEOPLE) // 2) % 2 == 1

    found = find(rows_of(left=left, right=left == (AGES == "old")))

    assert found["left"].strength == found["right"].strength == 0.0
    assert found[ALL_INPUTS].strength == pytest.approx(1.0)


def test_a_missing_number_can_give_the_attribute_away() -> None:
    found = find(rows_of(gap_days=np.where(AGES == "old", np.nan, 3.0)))

    assert found["gap_days"].strength == pytest.approx(1.0)


def test_numbers_are_compared_in_bins_of_equal_size() -> None:
    """Heavy tails: a few customers who spend a thousand times as much must not hide the rest in one bin."""
    spend = np.where(AGES == "old", 20.0, 10.0) + np.arange(PEOPLE) / PEOPLE
    spend[:4] = 100_000

    assert find(rows_of(spend_gbp_90d=spend))["spend_gbp_90d"].strength > 0.9


def test_a_protected_number_is_compared_in_bins() -> None:
    rows = rows_of().assign(age=np.arange(PEOPLE) % 100 + 1.0)

    found = find(rows.assign(age_again=rows["age"] * 2))

    assert (found["age_again"].groups, found["age_again"].people) == (4, 400)
    assert found["age_again"].strength > 0.8  # two of its ten bins lie across the border of two quarters


def test_small_groups_pool_and_one_group_alone_cannot_be_assessed() -> None:
    few = np.array(["20-29"] * 340 + ["80-89"] * 30 + ["90+"] * 30)
    alone = np.array(["20-29"] * 380 + ["90+"] * 20)

    pooled = find(rows_of(area=np.where(few == "20-29", "N", "SW")).assign(age=few))
    unassessable = find(rows_of(area=np.where(alone == "20-29", "N", "SW")).assign(age=alone))

    assert (pooled["area"].strength, pooled["area"].groups, pooled["area"].people) == (pytest.approx(1.0), 2, 400)
    assert (unassessable["area"].strength, unassessable[ALL_INPUTS].strength) == (None, None)
    assert (unassessable["area"].groups, unassessable["area"].people) == (1, 380)


def test_the_order_of_the_rows_changes_nothing() -> None:
    rows = rows_of(noise=np.random.default_rng(5).random(PEOPLE), area=np.where(AGES == "old", "N", "SW"))

    assert find(rows.sample(frac=1, random_state=1)) == find(rows)


def test_without_protected_attributes_or_rows_there_is_nothing_to_tell() -> None:
    assert find_proxies(rows_of(x=1.0), inputs=["x"], protected=[]) == []
    nobody = find(rows_of(x=1.0).iloc[:0])
    assert [(proxy.strength, proxy.people) for proxy in nobody.values()] == [(None, 0), (None, 0)]
