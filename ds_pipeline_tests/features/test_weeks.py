"""The step of the features: what it stores, and that nothing is stored where one of its checks fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ds_pipeline.errors import FeatureError, HistoryError, LeakError
from ds_pipeline.features.weeks import make_features
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import CUSTOMERS, Declare, put_masked, write_sources

DAYS = [date(2011, 3, 7) + timedelta(weeks=week) for week in range(3)]


def test_the_weeks_are_stored_with_what_they_were_made_from(declare: Declare) -> None:
    bench = declare(visits={"allow_silent_weeks": True})
    put_masked(bench, DAYS)

    made = make_features(bench, DAYS)

    stored = bench.datasets.require_features(DAYS, until=DAYS[-1])  # raises where they are of other tables
    assert list(made.weeks.values()) == stored
    assert bench.datasets.store.read(stored[0])["visits_seen"].to_pylist() == [1] * len(CUSTOMERS)
    assert made.rows == 3 * len(CUSTOMERS)
    assert made.summary == f"15 rows in 3 weeks; {made.replayed} replayed from its sources: same bytes"
    assert made.replayed in DAYS


def test_a_week_that_is_not_masked_is_named(bench: Workbench) -> None:
    put_masked(bench, DAYS[:1])

    with pytest.raises(HistoryError, match="2011-03-14"):
        make_features(bench, DAYS[:2])


def test_a_source_that_changed_its_past_stops_before_anything_is_stored(bench: Workbench) -> None:
    put_masked(bench, DAYS[:1])
    write_sources(bench.project.root, plan="basic")

    with pytest.raises(FeatureError, match="columns that differ: plan"):
        make_features(bench, DAYS[:1])
    assert bench.datasets.store.partitions(bench.datasets.features) == []


def test_a_value_that_is_not_declared_is_not_stored(bench: Workbench) -> None:
    put_masked(bench, DAYS[:1])

    with pytest.raises(FeatureError):
        make_features(with_plans(bench, "select customer_token, 'silver' as plan from plans"), DAYS[:1])
    assert bench.datasets.store.partitions(bench.datasets.features) == []


def test_an_input_made_of_tokens_is_not_stored(bench: Workbench) -> None:
    put_masked(bench, DAYS[:1])
    sql = {"features/visits.sql": "select customer_token, hash(customer_token) % 99 as visits_seen from visits"}
    case = replace(bench.use_case, feature_sql=dict(bench.use_case.feature_sql) | sql)

    with pytest.raises(FeatureError, match=r"features at 2011-03-07: .* other values: visits_seen"):
        make_features(replace(bench, use_case=case), DAYS[:1])
    assert bench.datasets.store.partitions(bench.datasets.features) == []


def test_an_identifier_in_a_text_is_not_stored(bench: Workbench) -> None:
    put_masked(bench, DAYS[:1])
    declared = bench.use_case.features.model_dump(mode="json", exclude_none=True)["features"]
    note = {"meaning": "made up", "dtype": "text", "unit": "text", "nullable": True, "role": "input", "topics": 2}
    features = FeatureSet.model_validate({"features": declared | {"note": note}})
    sql = f"select customer_token, plan, 'ask for {CUSTOMERS[0]}' as note from plans"

    with pytest.raises(LeakError, match="'note'"):
        make_features(with_plans(bench, sql, features=features), DAYS[:1])
    assert not list((bench.datasets.root / "datasets" / "features").glob("*"))


def with_plans(bench: Workbench, sql: str, **changes: FeatureSet) -> Workbench:
    """Another query for the features of plans."""
    queries = bench.use_case.feature_sql | {"features/plans.sql": sql}
    return replace(bench, use_case=replace(bench.use_case, feature_sql=queries, **changes))
