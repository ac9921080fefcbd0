"""The calendar of the simulated business: which weeks there are, when prices rise, and what the season does.

Every run ends on the same Monday, so that more weeks mean a longer past and the planned dates stay where they are.
Times inside the simulation are whole seconds since the first Monday; they are negative before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DAY = 24 * 60 * 60  # seconds
WEEK = 7 * DAY
HORIZON = 30 * DAY
HORIZON_WEEKS = 5  # the last of them counts for two days

END = date(2026, 2, 16)  # a Monday; nothing is known from this day on
PRICE_RISES = (date(2025, 6, 2), date(2025, 11, 24))  # first the pilot markets, then the others; Mondays
NOTICE_WEEKS = 4  # before a rise, when it is announced


@dataclass(frozen=True)
class Timeline:
    """The simulated weeks, numbered from 0; week w begins on the Monday start + 7 w days."""

    weeks: int

    @property
    def start(self) -> date:
        return END - timedelta(weeks=self.weeks)

    @property
    def seconds(self) -> int:
        """Seconds from the first Monday to the end."""
        return self.weeks * WEEK

    @property
    def mondays(self) -> list[date]:
        """The scoring dates, one at the beginning of each week."""
        return [self.start + timedelta(weeks=week) for week in range(self.weeks)]

    def week_of(self, day: date) -> int:
        """The number of the week that begins on a Monday; negative before the first."""
        return (day - self.start).days // 7

    @property
    def price_rise_weeks(self) -> Ints:
        """The week of each price rise."""
        return np.array([self.week_of(day) for day in PRICE_RISES])

    def to_timestamps(self, seconds: Ints) -> NDArray[np.datetime64]:
        """Instants (UTC, microseconds)."""
        origin = datetime.combine(self.start, time(), UTC).replace(tzinfo=None)
        return np.datetime64(origin, "us") + seconds.astype("timedelta64[s]")

    def hazard_season(self, weeks: int) -> Floats:
        """How the season multiplies the hazard, per week: people go through their bills at the end of the year."""
        days = [self.start + timedelta(weeks=week) for week in range(weeks)]
        return np.array([1.35 if (day.month, day.day) >= (12, 8) or day.month == 1 else 1.0 for day in days])

    def usage_season(self) -> Floats:
        """How the season multiplies usage, per day: holidays look like cooling off and are not."""
        days = [self.start + timedelta(days=day) for day in range(7 * self.weeks)]
        return np.array([_usage_on(day) for day in days])


def _usage_on(day: date) -> float:
    weekend = 0.75 if day.weekday() >= 5 else 1.0
    if (day.month, day.day) >= (12, 22) or (day.month, day.day) <= (1, 3):
        return 0.5 * weekend
    return (0.85 if day.month in (7, 8) else 1.0) * weekend
