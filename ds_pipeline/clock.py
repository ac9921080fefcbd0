"""One clock: every date of the pipeline follows from the scoring date D, a Monday 00:00 in the use case's time zone.

All arithmetic on weeks, windows, lag, embargo and holdout lives here and nowhere else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ds_pipeline.errors import ClockError

WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class LabelWindow:
    """The rows that decide the label of one scoring date: start <= event_time < end, known_at < known_before."""

    start: datetime
    end: datetime
    known_before: datetime


@dataclass(frozen=True)
class Clock:
    """The scoring dates of one use case and what may be known at each.

    Attributes:
        time_zone: IANA name; D begins at midnight there.
        first: the first scoring date.
        last: the last scoring date of a historical use case; None for a live one.
        horizon_days: days after D in which the target happens or not.
        settle_days: further days in which late rows may still arrive before a label counts as matured.
        holdout_weeks: number of newest matured weeks that no training row may come from.
    """

    time_zone: str
    first: date
    last: date | None
    horizon_days: int
    settle_days: int
    holdout_weeks: int

    @property
    def lag_weeks(self) -> int:
        """Weeks from a scoring date until its labels have matured."""
        return math.ceil((self.horizon_days + self.settle_days) / 7)

    @property
    def lag(self) -> timedelta:
        return self.lag_weeks * WEEK

    def instant(self, day: date) -> datetime:
        """Midnight of the day in the use case's time zone, as a UTC instant."""
        return datetime.combine(day, time(), ZoneInfo(self.time_zone)).astimezone(UTC)

    def newest(self, now: datetime) -> date:
        """The newest scoring date that has begun; for a historical use case its last one.

        Raises:
            ClockError: none has begun yet, or the instant has no time zone.
        """
        if now.tzinfo is None:
            raise ClockError(f"{now} has no time zone, so it is no instant. Give one with an offset, such as UTC.")
        today = now.astimezone(ZoneInfo(self.time_zone)).date()
        monday = today - timedelta(days=today.weekday())
        newest = monday if self.last is None else min(monday, self.last)
        if newest < self.first:
            raise ClockError(f"No scoring date has begun: the first is {self.first}, today is {today}.")
        return newest

    def require(self, day: date) -> date:
        """The day itself, if it is a scoring date of this use case.

        Raises:
            ClockError: not a Monday, or outside first..last; names the nearest dates that are.
        """
        monday = day - timedelta(days=day.weekday())
        if day != monday:
            near = [
                one for one in (monday, monday + WEEK) if self.first <= one and (self.last is None or one <= self.last)
            ]
            use = f" Use {' or '.join(map(str, near))}." if near else ""
            raise ClockError(f"{day} is not a scoring date: expected a Monday, found a {day:%A}.{use}")
        if day < self.first:
            raise ClockError(
                f"{day} has no history: the first scoring date is {self.first}. Use that or a later Monday."
            )
        if self.last is not None and day > self.last:
            raise ClockError(
                f"{day} lies after the end of the data: the last scoring date is {self.last}. Use an earlier one."
            )
        return day

    def dates_until(self, day: date) -> list[date]:
        """All scoring dates from the first to the given one, both included."""
        self.require(day)
        return [self.first + week * WEEK for week in range((day - self.first).days // 7 + 1)]

    def known_window(self, day: date) -> tuple[datetime | None, datetime]:
        """Partition D holds start <= known_at < end; the first partition has no start and holds everything earlier."""
        return (None if day == self.first else self.instant(day - WEEK)), self.instant(day)

    def label_window(self, day: date) -> LabelWindow:
        """The rows that decide the labels of scoring date D."""
        end = self.instant(day + timedelta(days=self.horizon_days))
        return LabelWindow(start=self.instant(day), end=end, known_before=self.instant(day + self.lag))

    def matured(self, day: date) -> date | None:
        """The newest scoring date whose labels are known at D, or None while there is none."""
        newest = day - self.lag
        return newest if newest >= self.first else None

    def holdout(self, day: date) -> list[date]:
        """The scoring dates a candidate of date D is evaluated on, oldest first."""
        last = day - self.lag
        return [last - week * WEEK for week in reversed(range(self.holdout_weeks))]

    def training(self, day: date) -> list[date]:
        """The scoring dates a candidate of date D may be trained on: their label windows end before the holdout begins.

        Raises:
            ClockError: no week is left for training.
        """
        last_train = self.holdout(day)[0] - self.lag
        if last_train < self.first:
            earliest = self.first + 2 * self.lag + (self.holdout_weeks - 1) * WEEK
            raise ClockError(
                f"{day} leaves no week for training: {self.holdout_weeks} holdout weeks and twice the lag of "
                f"{self.lag_weeks} weeks come first. The earliest date that can train is {earliest}."
            )
        return self.dates_until(last_train)
