"""The step of the features: what it stores, and that nothing is stored where one of its checks fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import FeatureError, HistoryError, LeakError
from ds_pipeline.features.weeks import features_of_days, make_features
from ds_pipeline.store.snapshots import encode
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench, open_workbench
from ds_pipeline_tests.workbenches import CUSTOMERS, Declare, elsewhere, in_buckets, put_masked, write_sources

NUMBER = {"dtype": "float64", "unit": "GBP", "nullable": True, "role": "input", "minimum": 0, "maximum": 10_000}
SPEND_SQL = """
    select customer_token, avg(spend_gbp) as mean_gbp, median(spend_gbp / 3) as median_gbp,
        stddev(spend_gbp::double) as sd_gbp, regr_slope(spend_gbp, epoch(visited_at)) * 1e9 as slope_gbp
    from visits group by customer_token
"""
RANK_SQL = "select customer_token, rank() over (order by sum(spend_gbp))::double as rank_gbp from visits group by 1"
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


@pytest.mark.parametrize("number", [1, 2], ids=lambda number: f"{number} buckets")
def test_an_input_made_of_tokens_is_not_stored(bench: Workbench, number: int) -> None:
    bench = in_buckets(bench, number)
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


@pytest.fixture
def spending(bench: Workbench) -> Workbench:
    """Sixty customers with visits in three weeks, and features that take many of their rows."""
    random, at = np.random.default_rng(0), datetime(2011, 3, 1, 12)
    names = [f"Wexcombe-{number:02d}" for number in random.integers(0, 60, size=600)]
    times = [at + timedelta(hours=int(hour)) for hour in np.sort(random.integers(0, 480, size=600))]
    spend = [round(float(one), 2) for one in random.uniform(0, 99, size=600)]
    visits = {"customer_token": names, "spend_gbp": spend, "visited_at": times, "known_at": times}
    pq.write_table(pa.table(visits), bench.project.root / "data" / "visits.parquet")
    features = {name: {"meaning": "x"} | NUMBER for name in ("mean_gbp", "median_gbp", "sd_gbp", "slope_gbp")}
    features["slope_gbp"] |= {"minimum": -1e12, "maximum": 1e12}
    files = {"features/visits.sql": SPEND_SQL}
    return asking(bench, files, features)


def asking(bench: Workbench, files: dict[str, str], features: dict[str, object], **more: object) -> Workbench:
    declared = FeatureSet.model_validate({"features": features} | more)
    texts = bench.use_case.files | {file: sql.encode() for file, sql in files.items()}
    return open_workbench(bench.project, replace(bench.use_case, feature_sql=files, features=declared, files=texts))


def test_features_have_the_same_bytes_in_any_number_of_buckets(spending: Workbench) -> None:
    made = {}
    for number in (1, 2, 16):
        bench = in_buckets(elsewhere(spending, f"store-{number}"), number)
        put_masked(bench, DAYS)
        weeks = make_features(bench, DAYS).weeks  # one of them is also made from its sources, undivided
        made[number] = [week.digest for week in weeks.values()], bench.datasets.inputs_digests(DAYS[-1])

    assert made[1] == made[2] == made[16]
    assert sum(week.rows for week in weeks.values()) > 150
    assert not bench.datasets.store.read(weeks[DAYS[2]])["sd_gbp"].null_count


def test_a_file_that_needs_everyone_gives_the_same_in_buckets_once_it_says_so(spending: Workbench) -> None:
    rank = {"rank_gbp": {"meaning": "x"} | NUMBER}
    put_masked(in_buckets(spending, 2), DAYS[:1])
    whole = features_of_days(*both(asking(in_buckets(spending, 1), {"features/rank.sql": RANK_SQL}, rank)), DAYS[:1])
    said = asking(
        in_buckets(spending, 2), {"features/rank.sql": RANK_SQL}, rank, scope={"features/rank.sql": "everyone"}
    )
    unsaid = asking(in_buckets(spending, 2), {"features/rank.sql": RANK_SQL}, rank)

    assert encode(features_of_days(*both(said), DAYS[:1])[DAYS[0]]) == encode(whole[DAYS[0]])
    with pytest.raises(FeatureError, match="columns that differ: rank_gbp"):
        make_features(unsaid, DAYS[:1])


def both(bench: Workbench) -> tuple[Workbench, UseCase]:
    return bench, bench.use_case


def test_people_from_a_table_that_is_not_divided_are_refused(declare: Declare) -> None:
    """Plans are versions of a plan and not of a person here, so that each bucket is given all of them."""
    bench = in_buckets(declare(plans={"entity": ["plan"]}), 2)
    case = replace(bench.use_case, population_sql="select distinct customer_token from plans_versions")
    put_masked(bench, DAYS[:1])

    with pytest.raises(FeatureError, match="5 of 10 customer_token came from more than one of the 2 buckets"):
        make_features(replace(bench, use_case=case), DAYS[:1])


def test_another_number_of_buckets_takes_what_is_stored_and_makes_nothing_stale(spending: Workbench) -> None:
    put_masked(spending, DAYS)
    before = make_features(spending, DAYS).weeks
    (spending.project.root / "data" / "visits.parquet").unlink()  # the sources are not read again

    bench = in_buckets(spending, 4)
    again = features_of_days(bench, spending.use_case, DAYS)

    assert [week.digest for week in before.values()] == [digest_bytes(encode(one)) for one in again.values()]
    assert [len(bench.datasets.store.get(bench.datasets.masked("visits"), str(day)).parts) for day in DAYS] == [4] * 3
    assert bench.datasets.require_features(DAYS, until=DAYS[-1]) == list(before.values())
