"""Events that cannot have been, judged by what was known of their person by the end of their week."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from ds_pipeline.ingestion.possible import count_impossible
from ds_pipeline.use_case.sources import Sources
from ds_pipeline.use_case.sql import masked_schema

FIRST, SECOND, THIRD = date(2011, 3, 7), date(2011, 3, 14), date(2011, 3, 21)
TOKEN = {"type": "string", "identifies": "direct", "treatment": "token", "token_domain": "user"}
NOT_BEFORE = {"not_before": {"table": "users", "column": "signed_up"}}
NOT_AFTER = {"not_after": {"table": "users", "column": "cancelled_at"}}


def declare(possible: dict[str, Any] | None = None, **changes: dict[str, Any]) -> Sources:
    kept = {"nullable": True, "identifies": "no", "treatment": "keep", "meaning": "made up"}
    time = kept | {"type": "timestamp"}

    def table(columns: dict[str, Any], **more: Any) -> dict[str, Any]:
        columns = columns | {"at": time | {"nullable": False}, "user": kept | TOKEN}
        return {
            "meaning": "made up", "kind": "events", "path": "data/x.csv", "format": "csv", "data_class": "public",
            "synthetic": True, "time_zone": "Europe/London", "event_time": "at", "known_at": "at", "key": [],
            "entity": [], "replayable": True, "max_quarantine_share": 0.0,
            "columns": {name: {"alias": name} | column for name, column in columns.items()},
        } | more  # fmt: skip

    users = table({"signed_up": kept | {"type": "date"}, "cancelled_at": time})
    visits = table({}, **({"possible": possible} if possible else {}))
    return Sources.model_validate({"tables": {"users": users | changes.get("users", {}), "visits": visits}})


def at(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2011, month, day, hour, tzinfo=UTC)


def begins(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC)


def count(
    sources: Sources, users: list[dict[str, Any]], visits: list[dict[str, Any]], day: date,
    before: list[dict[str, Any]] | None = None,
) -> dict[str, int]:  # fmt: skip
    """The counts of one week; users are known from their `at` on, and visits before it all from the first week on."""
    schemas = {name: masked_schema(table) for name, table in sources.tables.items()}

    def read_week(name: str, week: date) -> pa.Table:
        start = datetime.combine(week, datetime.min.time(), UTC) - timedelta(days=7)
        if name == "visits":
            return pa.Table.from_pylist((before or []) if week == FIRST else [], schema=schemas[name])
        known = [
            one for one in users if start <= one["at"] < start + timedelta(days=7) or (week == FIRST > one["at"].date())
        ]
        return pa.Table.from_pylist(known, schema=schemas[name])

    weeks = {day: pa.Table.from_pylist(visits, schema=schemas["visits"])}
    until = {day: [FIRST + timedelta(weeks=n) for n in range((day - FIRST).days // 7 + 1)]}
    return count_impossible("visits", sources, weeks, read_week=read_week, until=until, begins=begins)[day]


def test_an_event_before_the_sign_up_is_counted() -> None:
    """A date is the local midnight it begins with."""
    users = [{"user": "ann", "at": at(3, 1), "signed_up": date(2011, 3, 2)}]
    visits = [
        {"user": "ann", "at": at(3, 1, 23)}, {"user": "ann", "at": at(3, 2, 0)}, {"user": "ann", "at": at(3, 5)},
    ]  # fmt: skip

    assert count(declare(NOT_BEFORE), users, visits, FIRST) == {"no_limit_known": 0, "not_before": 1}


def test_an_event_after_the_cancellation_is_counted_and_one_at_its_instant_is_not() -> None:
    users = [{"user": "ann", "at": at(3, 1), "cancelled_at": at(3, 3)}]
    visits = [{"user": "ann", "at": at(3, 3)}, {"user": "ann", "at": at(3, 4)}]

    assert count(declare(NOT_AFTER), users, visits, FIRST) == {"not_after": 1}


def test_the_earliest_sign_up_counts_and_the_newest_cancellation() -> None:
    """Whoever came back has no cancellation any more, and did not sign up anew."""
    users = [
        {"user": "ann", "at": at(3, 1), "signed_up": date(2011, 2, 1), "cancelled_at": at(3, 2)},
        {"user": "ann", "at": at(3, 4), "signed_up": date(2011, 3, 4), "cancelled_at": None},
    ]
    visits = [{"user": "ann", "at": at(2, 2)}, {"user": "ann", "at": at(3, 5)}]

    assert count(declare(NOT_BEFORE | NOT_AFTER), users, visits, FIRST) == {
        "no_limit_known": 0, "not_before": 0, "not_after": 0,
    }  # fmt: skip


def with_changes() -> Sources:
    """No visit after the cancellation; users say when they changed, apart from when that became known."""
    sources = declare(NOT_AFTER)
    users, made_up = (
        sources.tables["users"],
        {"nullable": False, "identifies": "no", "treatment": "keep", "meaning": "x"},
    )
    changed = users.model_dump(exclude_none=True) | {"event_time": "changed"}
    changed["columns"] |= {"changed": made_up | {"alias": "changed", "type": "timestamp"}}
    return Sources.model_validate({"tables": {
        "users": changed, "visits": sources.tables["visits"].model_dump(exclude_none=True),
    }})  # fmt: skip


def test_an_older_row_that_becomes_known_later_is_not_the_newest() -> None:
    """A cancellation that was taken back came again, entered late, and limited everything after it."""
    sources = with_changes()
    rows = [
        {"user": "ann", "at": at(3, 3), "changed": at(3, 3), "cancelled_at": None},
        {"user": "ann", "at": at(3, 4), "changed": at(3, 1), "cancelled_at": at(3, 1)},
    ]

    assert count(sources, rows, [{"user": "ann", "at": at(3, 5)}], FIRST) == {"not_after": 0}
    rows[1]["changed"] = at(3, 3)  # of one change the row that became known last counts
    assert count(sources, rows, [{"user": "ann", "at": at(3, 5)}], FIRST) == {"not_after": 1}


def test_a_change_that_is_planned_sets_a_limit_once_it_has_happened() -> None:
    """As SQL sees it: what is planned, or dated by a slip, hid the cancellation that really was."""
    sources, early = with_changes(), [{"user": "ann", "at": at(3, 4)}]
    cancelled = {"user": "ann", "at": at(3, 2), "changed": at(3, 2), "cancelled_at": at(3, 2)}
    planned = {"user": "ann", "at": at(3, 1), "changed": at(3, 9), "cancelled_at": None}
    slip = planned | {"changed": datetime(2031, 1, 1, tzinfo=UTC)}

    assert count(sources, [planned, slip, cancelled], early, FIRST) == {"not_after": 1}
    assert count(sources, [planned, slip, cancelled], [{"user": "ann", "at": at(3, 10)}], SECOND) == {"not_after": 0}
    assert count(sources, [slip, cancelled], [{"user": "ann", "at": at(3, 10)}], SECOND) == {"not_after": 1}


def test_what_became_known_later_does_not_change_the_count_of_a_week() -> None:
    users = [{"user": "ann", "at": at(3, 9), "cancelled_at": at(3, 1)}]
    visits = [{"user": "ann", "at": at(3, 4)}]

    assert count(declare(NOT_AFTER), users, visits, FIRST) == {"not_after": 0}
    assert count(declare(NOT_AFTER), users, visits, SECOND) == {"not_after": 1}


def test_a_person_of_whom_nothing_is_known_has_no_limit() -> None:
    users = [{"user": "ann", "at": at(3, 1), "signed_up": None, "cancelled_at": None}, {"user": None, "at": at(3, 1)}]
    visits = [{"user": name, "at": at(3, 4)} for name in ("ann", "bob", None)]

    assert count(declare(NOT_BEFORE | NOT_AFTER), users, visits, FIRST) == {
        "no_limit_known": 2, "not_before": 0, "not_after": 0,
    }  # fmt: skip
    assert count(declare(NOT_BEFORE), [], visits, FIRST) == {"no_limit_known": 2, "not_before": 0}


def test_a_sign_up_that_becomes_known_later_counts_the_events_before_it_in_its_own_week() -> None:
    """Nearly every event before a sign-up is of a week in which the sign-up is not known yet: 0 were found."""
    users = [{"user": "ann", "at": at(3, 9), "signed_up": date(2011, 3, 9)}]
    early, sources = [{"user": "ann", "at": at(3, 1)}, {"user": "bob", "at": at(3, 1)}], declare(NOT_BEFORE)

    assert count(sources, users, early, FIRST) == {"no_limit_known": 2, "not_before": 0}
    assert count(sources, users, [], SECOND, before=early) == {"no_limit_known": 0, "not_before": 1}
    assert count(sources, users, [], THIRD, before=early) == {"no_limit_known": 0, "not_before": 0}


def test_an_event_counts_once_however_often_its_limit_is_told_again() -> None:
    users = [{"user": "ann", "at": at(3, day), "cancelled_at": at(3, 1)} for day in (2, 8, 15)]
    early, sources = [{"user": "ann", "at": at(3, 4)}], declare(NOT_AFTER)

    assert count(sources, users, early, FIRST) == {"not_after": 1}
    assert count(sources, users, [], SECOND, before=early) == {"not_after": 0}
    assert count(sources, users, [], THIRD, before=early) == {"not_after": 0}


def test_weeks_that_are_built_together_and_one_by_one_have_the_same_counts() -> None:
    rng = random.Random(3)
    sources, days = declare(NOT_BEFORE | NOT_AFTER), [FIRST + timedelta(weeks=n) for n in range(6)]
    schemas = {name: masked_schema(table) for name, table in sources.tables.items()}

    def made(day: date) -> list[dict[str, Any]]:
        moments = [datetime.combine(day, datetime.min.time(), UTC) - timedelta(days=rng.randint(0, 40)) for _ in "abc"]
        signed_up = rng.choice([None, moments[1].date()])
        who = rng.choice(["ann", "bob", None])
        return [{"user": who, "at": moments[0], "signed_up": signed_up, "cancelled_at": rng.choice([None, moments[2]])}]

    stored = {
        (name, day): pa.Table.from_pylist([row for _ in range(8) for row in made(day)], schema=schemas[name])
        for name in ("users", "visits") for day in days
    }  # fmt: skip
    until = {day: days[: number + 1] for number, day in enumerate(days)}

    def counts(asked: list[date]) -> dict[date, dict[str, int]]:
        weeks = {day: stored["visits", day] for day in asked}
        return count_impossible(
            "visits", sources, weeks, read_week=lambda name, day: stored[name, day], until=until, begins=begins
        )

    together = counts(days)

    assert {day: counts([day])[day] for day in days} == together
    assert all(sum(week[kind] for week in together.values()) for kind in ("not_before", "not_after"))


def test_a_table_without_limits_counts_nothing() -> None:
    assert count(declare(), [], [], FIRST) == {}


@pytest.mark.parametrize(
    ("possible", "message"),
    [
        pytest.param({}, "possible needs not_before, not_after, or both", id="none"),
        pytest.param({"not_before": {"table": "nobody", "column": "at"}}, "nobody.at is not a date", id="table"),
        pytest.param({"not_before": {"table": "users", "column": "user"}}, "users.user is not a date", id="column"),
        pytest.param({"not_before": {"table": "visits", "column": "at"}}, "in a circle", id="itself"),
    ],
)
def test_a_limit_that_cannot_be_joined_is_refused(possible: dict[str, Any], message: str) -> None:
    users = {"possible": possible} if not possible else {}
    with pytest.raises(ValidationError, match=message):
        declare(possible, users=users)
