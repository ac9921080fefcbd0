"""The step of the labels: what it stores, and what it says of all weeks together and of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import cloudpickle
import pyarrow as pa
import pytest

from ds_pipeline import engine
from ds_pipeline.errors import FeatureError, LeakError, TrainingError
from ds_pipeline.features.weeks import make_features
from ds_pipeline.store.snapshots import encode
from ds_pipeline.training.labels import join_parts, labels_schema
from ds_pipeline.training.weeks import LabelWeeks, labels_of_days, mature_labels
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import CUSTOMERS, TEST_SECRET, Declare, in_buckets, put_masked

DAYS = [date(2011, 3, 7) + timedelta(weeks=week) for week in range(6)]  # the labels of the first mature at the last
LABEL_SQL = """
    select customer_token, case row_number() over (order by customer_token) when 1 then 1 when 2 then null else 0 end
    as label, row_number() over (order by customer_token) = 3 as is_treated, {decided_by} as decided_by from population
"""


@pytest.fixture
def ready(declare: Declare) -> Workbench:
    """Features of every week; no customer comes back after the first."""
    bench = declare(visits={"allow_silent_weeks": True})
    put_masked(bench, DAYS)
    make_features(bench, DAYS)
    return bench


def labelled_by(bench: Workbench, decided_by: str) -> Workbench:
    return replace(bench, use_case=replace(bench.use_case, label_sql=LABEL_SQL.format(decided_by=decided_by)))


def test_labels_are_stored_on_the_day_they_mature(ready: Workbench) -> None:
    made = mature_labels(labelled_by(ready, "'rule one'"), DAYS)

    (stored,) = ready.datasets.require_labels(DAYS[:1], until=DAYS[-1])  # raises where they are of other tables
    assert stored.partition == str(DAYS[-1])
    assert [made.weeks[day].num_rows for day in DAYS] == [0] * 5 + [len(CUSTOMERS)]
    assert made.summary == "5 labels, base rate 25.0%; 1 undecided, 1 treated by a campaign"
    assert made.figures(DAYS[-1]) == {
        "base_rate": 0.25, "undecided": 1, "treated": 1, "decided_by": {"rule one": 5},
    }  # fmt: skip


def test_labels_have_the_same_bytes_in_any_number_of_buckets(ready: Workbench) -> None:
    """Each bucket has its own first, second and third; the numbers of the undivided labels come from their tokens."""
    sql = """
        select customer_token, (ord(customer_token) % 2)::int as label, ord(customer_token) % 3 = 0 as is_treated,
        'as ' || left(customer_token, 1) as decided_by from population
    """
    case = replace(ready.use_case, label_sql=sql)

    whole = labels_of_days(replace(ready, use_case=case), DAYS)
    for number in (2, 16):
        bench = in_buckets(replace(ready, use_case=case), number)
        labels = labels_of_days(bench, DAYS)

        assert [encode(one) for one in labels.values()] == [encode(one) for one in whole.values()]


def test_no_key_is_sent_to_where_features_and_labels_are_made(
    ready: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, sent = engine.run, []

    def note(function: Any, items: Any, **how: Any) -> Any:
        sent.append(cloudpickle.dumps([function, items]))
        return run(function, items, **how)

    monkeypatch.setattr(engine, "run", note)
    make_features(ready, DAYS)
    mature_labels(ready, DAYS)

    assert len(sent) == 3  # features, the same under other tokens, labels
    signing = ready.keys.private_path.read_bytes()
    assert not [one for one in sent for key in (ready.key, TEST_SECRET.encode(), signing) if key in one]


def test_labels_that_need_everyone_are_made_undivided_where_they_say_so(ready: Workbench) -> None:
    bench = labelled_by(ready, "'rule one'")  # by rank among all
    case = bench.use_case
    scope = case.features.model_copy(update={"scope": {"label.sql": "everyone"}})
    divided = in_buckets(replace(bench, use_case=replace(case, features=scope)), 2)

    assert labels_of_days(divided, DAYS) == labels_of_days(bench, DAYS)


def test_labels_that_need_everyone_and_do_not_say_so_are_refused_in_buckets(ready: Workbench) -> None:
    """Each bucket had quantiles of its own, and nobody was told."""
    with pytest.raises(FeatureError, match=r"label\.sql: other rows at 2011-03-07 .*scope: \{label\.sql: everyone\}"):
        labels_of_days(in_buckets(labelled_by(ready, "'rule one'"), 2), DAYS)


def test_ways_to_decide_are_counted_over_all_buckets() -> None:
    def part(first: int) -> pa.Table:
        ways = [f"way {first + number}" for number in range(15)]
        return pa.Table.from_pylist([{"decided_by": way} for way in ways], schema=labels_schema("customer_token"))

    with pytest.raises(TrainingError, match="at most 20 different values of decided_by, found 30"):
        join_parts(DAYS[0], [part(0), part(15)], entity="customer_token")


def test_where_nothing_is_decided_there_is_no_rate() -> None:
    made = LabelWeeks({DAYS[0]: labels_schema("customer_token").empty_table()})

    assert made.summary == "0 labels"
    assert made.figures(DAYS[0])["base_rate"] is None


def test_an_identifier_among_the_labels_is_not_stored(ready: Workbench) -> None:
    leaking = labelled_by(ready, f"'{CUSTOMERS[0]}'")

    with pytest.raises(LeakError, match="decided_by"):
        mature_labels(leaking, DAYS)
    assert str(DAYS[-1]) not in ready.datasets.store.partitions(ready.datasets.labels)
