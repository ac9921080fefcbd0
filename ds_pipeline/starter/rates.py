"""The base rate as the raw files show it: who is in scope on a few days, and of whom the target comes true.

A rough figure for a first threshold, before any SQL is there. Customers' numbers stay in memory; a share comes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from ds_pipeline.starter.profile import SourceFile

DAYS = 4  # on which it is counted, evenly spread


@dataclass(frozen=True)
class PeopleRows:
    """The rows of a file: the columns of the customer's number and of when it happened."""

    file: SourceFile
    entity: str
    at: str

    def between(self, start: datetime | None, end: datetime, *, column: str | None = None) -> set[str]:
        return self.file.people(self.entity, column or self.at, start, end)


@dataclass(frozen=True)
class TargetRows:
    """What is predicted, and the rows that tell.

    Attributes:
        column, value: of a date or a state.
        leaves_out: whoever is in the table already is out of scope.
    """

    kind: str
    rows: PeopleRows
    column: str | None
    value: str | None
    leaves_out: bool


def base_rate(
    target: TargetRows,
    *,
    active: list[PeopleRows],
    register: PeopleRows,
    first: date,
    last: date,
    window_days: int,
    horizon_days: int,
) -> float | None:
    """The share of positives (0..1) over a few days from the first to the last that the horizon leaves; None if none.

    Args:
        active: a row there within the window makes a customer one in scope; without any, a row in the register does.
    """
    closed = max(first, last - timedelta(days=horizon_days))
    positives = people = 0
    for turn in range(DAYS):
        day = datetime.combine(first + (closed - first) * turn // (DAYS - 1), time())
        horizon = day + timedelta(days=horizon_days)
        since = day - timedelta(days=window_days)
        scope = set().union(*(one.between(since, day) for one in active)) if active else register.between(None, day)
        scope, hit = _outcome(target, scope, day, horizon)
        people += len(scope)
        positives += len(scope & hit)
    return positives / people if people else None


def _outcome(target: TargetRows, scope: set[str], day: datetime, horizon: datetime) -> tuple[set[str], set[str]]:
    """Those in scope as the target leaves them, and those of whom it comes true."""
    rows = target.rows
    if target.kind == "state" and target.column is not None and target.value is not None:
        known, was = rows.file.people_in_state(rows.entity, target.column, rows.at, target.value, day)
        _, becomes = rows.file.people_in_state(rows.entity, target.column, rows.at, target.value, horizon)
        return (scope & known) - was, becomes
    if target.kind == "date":
        return scope - rows.between(None, day, column=target.column), rows.between(day, horizon, column=target.column)
    came = rows.between(day, horizon)
    if target.leaves_out:
        scope = scope - rows.between(None, day)
    return scope, (scope - came if target.kind == "no-event" else came)
