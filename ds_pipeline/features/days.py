"""Many days side by side, and of each day all buckets: how everything that SQL makes of the tables is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from ds_pipeline import engine
from ds_pipeline.store.asof import AsOfTables
from ds_pipeline.store.buckets import Bucket, buckets
from ds_pipeline.use_case.load import UseCase

Made = TypeVar("Made")
Build = Callable[[AsOfTables, date, Bucket | None], Made]
ReadPart = Callable[[str, date, Bucket | None], pa.Table]  # the masked rows of a week, or those of one bucket


def each_day(
    use_case: UseCase,
    read_week: ReadPart,
    days: list[date],
    build: Build[Made],
    *,
    divided: bool = True,
    reads: Sequence[Path] = (),
) -> dict[date, list[Made]]:
    """What is built at each day of each bucket, or of the tables whole where they are not divided.

    Runs of neighbouring days of one bucket go side by side, each on a connection of its own with one thread.

    Args:
        reads: files by which another machine can tell that it sees what read_week reads.
    """
    number = use_case.sources.buckets
    parts = buckets(number) if divided and number > 1 else [None]
    at_once = min(-(-engine.cores() // len(parts)), max(1, len(days) // 4))  # each run loads all weeks before it
    size = max(1, -(-len(days) // at_once))
    runs = [(days[start : start + size], part) for start in range(0, len(days), size) for part in parts]

    def build_run(run: tuple[list[date], Bucket | None]) -> list[Made]:
        run_days, part = run
        with AsOfTables(use_case, partial(_read, read_week, part)) as tables:
            return [build(tables, day, part) for day in run_days]

    made: dict[date, list[Made]] = {day: [] for day in days}
    for (run_days, _), results in zip(runs, engine.run(build_run, runs, suits="threading", reads=reads), strict=True):
        for day, result in zip(run_days, results, strict=True):
            made[day].append(result)
    return made


def needs_everyone(files: Sequence[str], use_case: UseCase, day: date) -> str:
    """What is said of SQL files whose rows are others in buckets than in the whole."""
    scope = ", ".join(f"{file}: everyone" for file in files)
    return (
        f"{', '.join(files)}: other rows at {day} where the tables are divided by {use_case.problem.entity} than where "
        "they are not, so what is said of a person depends on others, or on the order of rows (a sum of doubles, the "
        f"first of equals). Have it run once over everyone, in features.yaml: scope: {{{scope}}}."
    )


def _read(read_week: ReadPart, part: Bucket | None, name: str, day: date) -> pa.Table:
    return read_week(name, day, part)
