"""k-anonymity of a table as SQL sees it: of what is stored, and of what is about to be stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline.boundary.anonymity import anonymity_of, check_anonymity
from ds_pipeline.boundary.cross import masked_weeks
from ds_pipeline.errors import AnonymityError
from ds_pipeline.masking.columns.k_anonymity import Groups
from ds_pipeline.use_case.sql import masked_schema
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import in_buckets

FIRST, NEXT = date(2011, 3, 7), date(2011, 3, 14)
SEEN = datetime(2011, 3, 1, 12)
Declare = Callable[..., Workbench]
Week = Callable[..., pa.Table]


@pytest.fixture
def limited(declare: Declare) -> Callable[..., Workbench]:
    """The shop, whose plans are quasi-identifiers with a limit."""

    def make(k: int = 2, from_entities: int = 0, table: str = "plans", column: str = "plan") -> Workbench:
        limit = {"k_anonymity": {"k": k, "from_entities": from_entities}}
        return declare(**{table: limit, column: {"identifies": "quasi"}})

    return make


def plans(bench: Workbench, *rows: tuple[str, str], week: date = FIRST) -> pa.Table:
    """Masked versions of customers' plans that became known before the date."""
    at = SEEN + (week - FIRST)
    values = [{"customer_token": token, "plan": plan, "changed_at": at, "known_at": at} for token, plan in rows]
    return pa.Table.from_pylist(values, schema=masked_schema(bench.use_case.sources.tables["plans"]))


def store(bench: Workbench, day: date, rows: pa.Table) -> None:
    bench.datasets.store.put(rows, dataset=bench.datasets.masked("plans"), partition=str(day))


def groups(bench: Workbench, day: date, made: dict[date, pa.Table] | None = None) -> tuple[int, Groups]:
    found = anonymity_of(bench, "plans", day, made)
    assert found is not None
    return found.people, found.groups


def test_the_newest_version_of_each_person_counts(limited: Declare) -> None:
    bench = limited()
    store(bench, FIRST, plans(bench, ("a", "gold"), ("b", "gold"), ("c", "basic")))
    store(bench, NEXT, plans(bench, ("a", "basic"), week=NEXT))

    assert groups(bench, FIRST) == (3, Groups(smallest=1, people_below=1))  # c alone has basic
    assert groups(bench, NEXT) == (3, Groups(smallest=1, people_below=1))  # b alone has gold


@pytest.mark.parametrize("number", [2, 16], ids=lambda number: f"{number} buckets")
def test_people_of_all_buckets_share_a_combination(limited: Declare, number: int) -> None:
    whole, cut = limited(), in_buckets(limited(), number)
    store(whole, FIRST, plans(whole, ("a", "gold"), ("b", "gold"), ("c", "basic"), ("d", "basic")))
    cut.datasets.put_masked("plans", {NEXT: (plans(cut, ("a", "basic"), week=NEXT), {})})
    later = NEXT + (NEXT - FIRST)
    made = {later: plans(cut, ("d", "gold"), week=later)}

    assert groups(cut, NEXT) == groups(whole, NEXT) == (4, Groups(smallest=1, people_below=1))  # b alone has gold
    assert groups(cut, later, made) == groups(whole, later, made) == (4, Groups(smallest=2, people_below=0))


def test_rows_that_are_not_stored_yet_count_and_go_before_stored_ones(limited: Declare) -> None:
    bench = limited()
    store(bench, FIRST, plans(bench, ("a", "gold")))
    made = {FIRST: plans(bench, ("a", "gold"), ("b", "gold")), NEXT: plans(bench, ("c", "gold"), week=NEXT)}

    assert groups(bench, NEXT, made) == (3, Groups(smallest=3, people_below=0))
    assert groups(bench, FIRST, made) == (2, Groups(smallest=2, people_below=0))
    assert groups(bench, NEXT) == (1, Groups(smallest=1, people_below=1))


def test_what_becomes_known_later_does_not_count(limited: Declare) -> None:
    bench = limited()
    store(bench, FIRST, plans(bench, ("a", "gold"), ("b", "gold")))
    store(bench, NEXT, plans(bench, ("c", "basic"), week=NEXT))

    assert groups(bench, FIRST) == (2, Groups(smallest=2, people_below=0))


def test_in_events_the_people_behind_a_combination_count_and_not_the_rows(limited: Declare) -> None:
    bench = limited(table="visits", column="spend_gbp")
    schema = masked_schema(bench.use_case.sources.tables["visits"])
    seen = [("a", 1), ("a", 1), ("b", 1), ("a", 2), ("a", 2)]
    rows = [
        {"customer_token": token, "spend_gbp": spend, "visited_at": SEEN, "known_at": SEEN} for token, spend in seen
    ]

    found = anonymity_of(bench, "visits", FIRST, {FIRST: pa.Table.from_pylist(rows, schema=schema)})

    assert found is not None
    assert (found.people, found.groups) == (2, Groups(smallest=1, people_below=1))


def test_a_table_without_a_limit_is_not_judged(bench: Workbench) -> None:
    assert anonymity_of(bench, "plans", FIRST) is None
    assert check_anonymity(bench, "plans", masked_weeks(bench, "plans", [FIRST])) is None


@pytest.mark.parametrize(
    ("limit", "is_broken"),
    [
        pytest.param({"k": 5}, False, id="kept"),
        pytest.param({"k": 6}, True, id="broken"),
        pytest.param({"k": 6, "from_entities": 6}, False, id="too-few-people"),
    ],
)
def test_a_source_is_judged_before_anything_is_written(
    limited: Declare, limit: dict[str, Any], is_broken: bool
) -> None:
    """Five customers have the plan gold."""
    bench = limited(**limit)
    weeks = masked_weeks(bench, "plans", [FIRST, FIRST + timedelta(weeks=1)])

    if not is_broken:
        found = check_anonymity(bench, "plans", weeks)
        assert found is not None
        assert found.groups.smallest == 5
        return
    with pytest.raises(AnonymityError) as error:
        check_anonymity(bench, "plans", weeks)
    assert error.value.figures["smallest_group"] == 5
    text = str(error.value)
    assert text.startswith("configs/shop/sources.yaml: tables.plans.k_anonymity: at least 6 people must share")
    assert "At 2011-03-14 the smallest group has 5, and 5 of 5 people are in groups below 6" in text
    assert bench.datasets.store.partitions(bench.datasets.masked("plans")) == []
