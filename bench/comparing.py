"""What a pair compares: how long each side took, and lines that put ours beside another, with a target or without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

Size = dict[str, int]
Work = Callable[[], Any]
Side = Callable[[Path, Size], Work]


class Run(NamedTuple):
    """What a side took.

    Attributes:
        seconds: on the clock of its fastest run, and of the processor, all cores together, of that which took least.
        mb: the most memory that any run took.
    """

    seconds: float
    processor: float
    mb: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s ({self.processor:.2f} s), {self.mb:,.0f} MB"


class Line(NamedTuple):
    """One comparison: the value is to be at most the limit, or at least where it says so; without one it is told."""

    what: str
    ours: str
    other: str
    value: float
    limit: float | None = None
    at_least: bool = False
    form: str = "{:.2f} times"

    @property
    def is_missed(self) -> bool:
        if self.limit is None:
            return False
        return not (self.value >= self.limit if self.at_least else self.value <= self.limit)  # NaN meets nothing

    @property
    def target(self) -> str:
        return "" if self.limit is None else f"{'>=' if self.at_least else '<='} {self.form.format(self.limit)}"


Runs = dict[str, Run]


def times_as_fast(what: str, runs: Runs, ours: str, other: str, *, at_least: float) -> list[Line]:
    """How many times as long as ours the other takes; no line where it could not run."""
    if other not in runs:
        return []
    value = runs[other].seconds / runs[ours].seconds
    return [Line(what, str(runs[ours]), f"{other}: {runs[other]}", value, at_least, at_least=True)]


def times_as_long(what: str, runs: Runs, ours: str, others: list[str], *, at_most: float) -> list[Line]:
    """How many times as long ours takes as the fastest of the others that could run."""
    there = [name for name in others if name in runs]
    if not there:
        return []
    best = min(there, key=lambda name: runs[name].seconds)
    value = runs[ours].seconds / runs[best].seconds
    return [Line(what, str(runs[ours]), f"{best}: {runs[best]}", value, at_most)]
