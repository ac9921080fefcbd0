"""The step of the labels: what it stores, and what it says of all weeks together and of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ds_pipeline.errors import LeakError
from ds_pipeline.features.weeks import make_features
from ds_pipeline.training.labels import labels_schema
from ds_pipeline.training.weeks import LabelWeeks, mature_labels
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import CUSTOMERS, Declare, put_masked

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


def test_where_nothing_is_decided_there_is_no_rate() -> None:
    made = LabelWeeks({DAYS[0]: labels_schema("customer_token").empty_table()})

    assert made.summary == "0 labels"
    assert made.figures(DAYS[0])["base_rate"] is None


def test_an_identifier_among_the_labels_is_not_stored(ready: Workbench) -> None:
    leaking = labelled_by(ready, f"'{CUSTOMERS[0]}'")

    with pytest.raises(LeakError, match="decided_by"):
        mature_labels(leaking, DAYS)
    assert str(DAYS[-1]) not in ready.datasets.store.partitions(ready.datasets.labels)
