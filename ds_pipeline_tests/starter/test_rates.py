"""The base rate of files small enough to count by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from ds_pipeline.starter.profile import SourceFile
from ds_pipeline.starter.rates import PeopleRows, TargetRows, base_rate

Rows = list[tuple[Any, ...]]
Open = Callable[..., PeopleRows]
FIRST = date(2024, 3, 4)
LAST = FIRST + timedelta(days=30)  # with a horizon of 30 days all four counts are of the first day


@pytest.fixture
def people(tmp_path: Path, write: Callable[[str, list[dict[str, Any]]], str]) -> Open:
    """A file of rows (customer, days from the first scoring date, more columns by name), ready to be counted."""

    def make(name: str, rows: Rows, *columns: str) -> PeopleRows:
        written = [
            {"who": who, "at": datetime(2024, 3, 4) + timedelta(days=day), **dict(zip(columns, more, strict=True))}
            for who, day, *more in rows
        ]
        file = SourceFile(tmp_path, write(f"{name}.csv", written), name)
        file.profile()
        return PeopleRows(file, "who", "at")

    return make


class InMemory:
    """Answers as a file of these rows would."""

    def __init__(self, rows: list[tuple[str, int]]) -> None:
        self.rows = rows

    def people(self, entity: str, column: str, start: datetime | None, end: datetime) -> set[str]:
        at = ((who, datetime(2024, 3, 4) + timedelta(days=day)) for who, day in self.rows)
        return {who for who, when in at if (start is None or start <= when) and when < end}


def seen(*rows: tuple[str, int]) -> PeopleRows:
    return PeopleRows(cast(SourceFile, InMemory(list(rows))), "who", "at")


def rate(target: TargetRows, *, active: list[PeopleRows], register: PeopleRows, last: date = LAST) -> float | None:
    return base_rate(target, active=active, register=register, first=FIRST, last=last, window_days=60, horizon_days=30)


def test_those_with_a_row_in_the_window_are_in_scope_and_with_one_in_the_horizon_positive() -> None:
    rows = seen(("a", -60), ("b", -1), ("b", 0), ("c", -61), ("c", 5), ("d", 3), ("a", 30))

    # In scope: a (the first day of the window) and b; within 30 days comes b alone.
    assert rate(TargetRows("event", rows, None, None, False), active=[rows], register=rows) == 1 / 2
    assert rate(TargetRows("no-event", rows, None, None, False), active=[rows], register=rows) == 1 / 2


def test_whoever_was_in_the_table_already_is_out_of_scope_where_nobody_is_there_twice() -> None:
    visits = seen(("a", -5), ("b", -5), ("c", -5))
    ends = seen(("a", -3), ("b", 3))

    assert rate(TargetRows("event", ends, None, None, True), active=[visits], register=visits) == 1 / 2
    assert rate(TargetRows("event", ends, None, None, False), active=[visits], register=visits) == 1 / 3


def test_without_activity_everybody_on_record_before_the_day_is_in_scope() -> None:
    register = seen(("a", -900), ("b", -1), ("c", 0))
    ends = seen(("a", 29), ("c", 1))

    assert rate(TargetRows("event", ends, None, None, True), active=[], register=register) == 1 / 2


def test_a_date_counts_from_the_day_to_the_horizon_and_whose_lies_before_is_out(people: Open) -> None:
    def day(offset: int) -> str:
        return str(FIRST + timedelta(days=offset))

    members = people(
        "members", [("a", -9, ""), ("b", -9, day(-1)), ("c", -9, day(0)), ("d", -9, day(30))], "ended"
    )  # fmt: skip

    # b has left before; of a, c and d only c leaves within 30 days.
    target = TargetRows("date", members, "ended", None, False)
    assert rate(target, active=[], register=members) == 1 / 3


def test_a_state_is_that_of_the_newest_row_and_who_is_in_it_already_is_out(people: Open) -> None:
    plans = people(
        "plans",
        [("a", -9, "on"), ("a", 4, "off"), ("b", -9, "off"), ("b", -2, "on"), ("b", 3, "off"), ("b", 6, "on"),
         ("c", -9, "off"), ("d", -9, "ON"), ("e", 2, "off")],
        "status",
    )  # fmt: skip

    # c is off already and e not known yet; of a, b and d, a alone is off at the end.
    assert rate(TargetRows("state", plans, "status", "off", False), active=[], register=plans) == 1 / 3


def test_a_state_is_the_same_whatever_its_case_and_the_blanks_around_it(people: Open) -> None:
    """The estimate took Off and off for one and the label did not, so that the threshold was for another target."""
    plans = people(
        "plans",
        [("a", -9, "on"), ("a", 4, "Off "), ("b", -9, "OFF"), ("c", -9, " on"), ("d", -9, "off"), ("d", -5, None)],
        "status",
    )

    # b is off already; of a, c and d, whose newest row says nothing, a alone is off at the end.
    assert rate(TargetRows("state", plans, "status", " oFF", False), active=[], register=plans) == 1 / 3


def test_four_days_are_counted_together_and_none_whose_horizon_is_open() -> None:
    rows = seen(*(("a", day) for day in range(-3, 20)))
    last = FIRST + timedelta(days=60)

    # Counted on the days 0, 10, 20 and 30; a is in scope on each, and comes within 30 days of the first two only.
    assert rate(TargetRows("event", rows, None, None, False), active=[rows], register=rows, last=last) == 2 / 4


def test_nobody_in_scope_is_no_rate() -> None:
    rows = seen(("a", 5), ("b", 6))

    assert rate(TargetRows("event", rows, None, None, False), active=[rows], register=rows) is None
