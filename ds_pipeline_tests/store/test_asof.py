"""What may be seen at D: known strictly before it, the newest version, and a future for labels alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline.errors import ClockError, FeatureError, StoreError
from ds_pipeline.store.asof import AsOfTables, ReadWeek
from ds_pipeline.use_case.load import UseCase

D = date(2011, 3, 28)  # London is an hour ahead of UTC from the day before on
MIDNIGHT = datetime(2011, 3, 27, 23, tzinfo=UTC)
TICK = timedelta(microseconds=1)
BEFORE = MIDNIGHT - timedelta(days=2)
Weeks = Callable[..., ReadWeek]


def visit(token: str, at: datetime, known: datetime | None = None) -> tuple[str, Any, datetime, datetime]:
    return token, 1, at, known or at


def seen(tables: AsOfTables, sql: str = "select customer_token from visits order by all") -> list[Any]:
    return [tuple(row.values()) for row in tables.select(sql, where="x.sql").to_pylist()]


def test_a_row_known_at_the_cutoff_is_not_seen(shop: UseCase, weeks_of: Weeks) -> None:
    with AsOfTables(shop, weeks_of([visit("a", MIDNIGHT - TICK), visit("b", MIDNIGHT)])) as tables:
        tables.advance_to(D)
        assert seen(tables) == [("a",)]
        tables.advance_to(D + timedelta(weeks=1))
        assert seen(tables) == [("a",), ("b",)]


def test_known_at_decides_and_not_the_time_of_the_event(shop: UseCase, weeks_of: Weeks) -> None:
    late = visit("late", MIDNIGHT - timedelta(days=30), known=MIDNIGHT + timedelta(days=1))
    booked = visit("booked", MIDNIGHT + timedelta(days=5), known=BEFORE)

    with AsOfTables(shop, weeks_of([late, booked])) as tables:
        tables.advance_to(D)
        assert seen(tables) == [("booked",)]


def test_the_newest_version_known_is_seen_and_a_correction_only_once_it_arrived(shop: UseCase, weeks_of: Weeks) -> None:
    """An older change that arrived later won for ever; of one change the version that arrived last counts."""
    old = BEFORE - timedelta(days=9)
    plans = [
        ("a", "gold", BEFORE, BEFORE), ("a", "basic", BEFORE - TICK, BEFORE - TICK), ("a", "older", MIDNIGHT, old),
        ("b", "basic", BEFORE, BEFORE), ("b", "corrected", MIDNIGHT, BEFORE),
    ]  # fmt: skip

    with AsOfTables(shop, weeks_of([], plans)) as tables:
        tables.advance_to(D)
        assert seen(tables, "select customer_token, plan from plans order by all") == [("a", "gold"), ("b", "basic")]
        assert seen(tables, "select count(*) from plans_versions") == [(3,)]
        tables.advance_to(D + timedelta(weeks=1))
        assert seen(tables, "select plan from plans order by customer_token") == [("gold",), ("corrected",)]


def test_a_planned_version_takes_over_when_its_day_comes(shop: UseCase, weeks_of: Weeks) -> None:
    """A row dated 2031, a plan or a slip, was current at once and hid every change that happened until then."""
    week = timedelta(weeks=1)
    plans = [
        ("a", "basic", BEFORE - TICK, BEFORE - TICK), ("a", "slip", BEFORE, BEFORE + 999 * week),
        ("a", "moved", BEFORE, BEFORE), ("a", "planned", BEFORE, MIDNIGHT),
        ("b", "second", BEFORE, MIDNIGHT + 3 * week), ("b", "first", BEFORE, MIDNIGHT + week),
    ]  # fmt: skip

    with AsOfTables(shop, weeks_of([], plans)) as tables:
        for weeks, expected in enumerate([("moved", "first"), ("planned", "first"), *[("planned", "first")] * 2]):
            tables.advance_to(D + weeks * week)
            assert seen(tables, "select plan from plans order by customer_token") == [(one,) for one in expected]
        tables.advance_to(D + 4 * week)
        assert seen(tables, "select plan from plans order by customer_token") == [("planned",), ("second",)]
        assert seen(tables, "select count(*) from plans_versions") == [(6,)]


def test_tables_come_to_a_day_the_same_in_one_step_or_in_many(shop: UseCase, weeks_of: Weeks) -> None:
    visits = [visit(f"t{day}", datetime(2011, 3, 1, tzinfo=UTC) + timedelta(days=day)) for day in range(25)]
    everything = "select * from visits"

    with AsOfTables(shop, weeks_of(visits)) as one, AsOfTables(shop, weeks_of(visits)) as other:
        one.advance_to(D)
        for day in shop.clock.dates_until(D):
            other.advance_to(day)
            other.advance_to(day)
        assert seen(one, everything) == seen(other, everything)


def test_tables_never_go_back(shop: UseCase, weeks_of: Weeks) -> None:
    with AsOfTables(shop, weeks_of([])) as tables:
        tables.advance_to(D)
        with pytest.raises(ValueError, match="stand at 2011-03-28 and cannot go back to 2011-03-21"):
            tables.advance_to(D - timedelta(weeks=1))


@pytest.mark.parametrize("day", [date(2011, 3, 29), date(2011, 2, 28), date(2011, 12, 12)])
def test_only_scoring_dates_can_be_looked_at(shop: UseCase, weeks_of: Weeks, day: date) -> None:
    with AsOfTables(shop, weeks_of([])) as tables, pytest.raises(ClockError):
        tables.advance_to(day)


def test_a_missing_partition_stops_before_anything_is_taken_in(shop: UseCase, weeks_of: Weeks) -> None:
    """A retry after the failure saw the rows of the tables before the gap twice."""
    read_week, gaps = weeks_of([visit("a", BEFORE)]), {("plans", D)}

    def with_gap(name: str, day: date) -> pa.Table:
        if (name, day) in gaps:
            raise StoreError(f"{name} {day}: nothing is stored")
        return read_week(name, day)

    with AsOfTables(shop, with_gap) as tables:
        with pytest.raises(StoreError, match="plans 2011-03-28"):
            tables.advance_to(D)
        gaps.clear()
        tables.advance_to(D)
        assert seen(tables) == [("a",)]


def test_the_label_window_is_thirty_local_days_from_midnight(shop: UseCase, weeks_of: Weeks) -> None:
    """From 2011-10-10 on it holds the hour that London has twice: 30 days are 30 * 24 + 1 hours."""
    start, end = datetime(2011, 10, 9, 23, tzinfo=UTC), datetime(2011, 11, 9, 0, tzinfo=UTC)
    visits = [visit("before", start - TICK), visit("first", start), visit("last", end - TICK), visit("after", end)]

    with AsOfTables(shop, weeks_of(visits)) as tables:
        tables.advance_to(date(2011, 10, 10))
        tables.open_future()
        assert seen(tables, "select customer_token from future.visits order by 1") == [("first",), ("last",)]


def test_a_label_counts_what_settled_in_time_and_what_was_known_before(shop: UseCase, weeks_of: Weeks) -> None:
    inside, settled = MIDNIGHT + timedelta(days=3), MIDNIGHT + timedelta(days=35)
    visits = [
        visit("booked", inside, known=BEFORE), visit("late", inside, known=settled - TICK),
        visit("too late", inside, known=settled),
    ]  # fmt: skip

    with AsOfTables(shop, weeks_of(visits)) as tables:
        tables.advance_to(D)
        tables.open_future()
        assert seen(tables, "select customer_token from future.visits order by 1") == [("booked",), ("late",)]


def test_the_future_follows_the_scoring_date(shop: UseCase, weeks_of: Weeks) -> None:
    visits = [visit("a", MIDNIGHT), visit("b", MIDNIGHT + timedelta(days=30))]

    with AsOfTables(shop, weeks_of(visits)) as tables:
        for day, expected in ((D, "a"), (D + timedelta(weeks=1), "b")):
            tables.advance_to(day)
            tables.open_future()
            assert seen(tables, "select customer_token from future.visits") == [(expected,)]


def test_there_is_no_future_unless_it_is_opened(shop: UseCase, weeks_of: Weeks) -> None:
    with AsOfTables(shop, weeks_of([visit("a", MIDNIGHT)])) as tables:
        tables.advance_to(D)
        with pytest.raises(FeatureError, match=r"future"):
            seen(tables, "select customer_token from future.visits")


def test_the_scoring_date_is_the_local_day(shop: UseCase, weeks_of: Weeks) -> None:
    with AsOfTables(shop, weeks_of([])) as tables:
        tables.advance_to(D)
        assert seen(tables, "select $scoring_at::date") == [(D,)]


def test_the_population_is_replaced(shop: UseCase, weeks_of: Weeks) -> None:
    with AsOfTables(shop, weeks_of([])) as tables:
        tables.advance_to(D)
        for members in (["a", "b"], ["c"]):
            tables.set_population(pa.array(members))
            assert seen(tables, "select customer_token from population order by 1") == [(one,) for one in members]


def test_a_version_of_the_label_window_is_seen_in_the_future_and_not_in_the_past(
    shop: UseCase, weeks_of: Weeks
) -> None:
    plans = [("a", "gold", BEFORE, BEFORE), ("a", "basic", MIDNIGHT + TICK, MIDNIGHT)]

    with AsOfTables(shop, weeks_of([], plans)) as tables:
        tables.advance_to(D)
        tables.open_future()
        assert seen(tables, "select plan from future.plans") == [("basic",)]
        assert seen(tables, "select plan from plans") == [("gold",)]


def test_only_the_tables_that_the_sql_names_get_a_future(shop: UseCase, weeks_of: Weeks) -> None:
    with AsOfTables(shop, weeks_of([visit("a", MIDNIGHT)])) as tables:
        tables.advance_to(D)
        tables.open_future('select 1 from future."Visits"')
        assert seen(tables, "select customer_token from future.visits") == [("a",)]
        with pytest.raises(FeatureError, match="plans"):
            seen(tables, "select plan from future.plans")


def test_a_partition_that_label_windows_share_is_read_once(shop: UseCase, weeks_of: Weeks) -> None:
    """Each window looks six weeks ahead: every partition was read seven times."""
    read_week, asked = weeks_of([visit("a", MIDNIGHT)]), Counter[tuple[str, date]]()

    def counting(name: str, day: date) -> pa.Table:
        asked[name, day] += 1
        return read_week(name, day)

    with AsOfTables(shop, counting) as tables:
        for week in range(4):
            tables.advance_to(D + timedelta(weeks=week))
            tables.open_future()

    assert set(asked.values()) == {1}
