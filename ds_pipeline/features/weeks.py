"""Build many weeks of features at once, and replay one of them from its sources."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pyarrow as pa

from ds_pipeline.boundary.cross import masked_weeks
from ds_pipeline.features.build import build_features
from ds_pipeline.store.asof import AsOfTables, ReadWeek
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench

Build = Callable[[AsOfTables, date], pa.Table]


def features_of_days(bench: Workbench, use_case: UseCase, days: list[date]) -> dict[date, pa.Table]:
    """The features of each day, from the masked tables; the use case is the current one or that of a bundle."""
    bench.datasets.require_masked(days[-1])
    return each_day(use_case, bench.datasets.read_week, days, build_features)


def replayed_features(bench: Workbench, day: date) -> pa.Table:
    """The features of one day from sources cut at that day: whatever came later cannot have been read.

    A source that is not replayable is taken from its masked tables, whose later partitions are not opened.
    """
    clock, datasets = bench.use_case.clock, bench.datasets
    rebuilt: dict[tuple[str, date], pa.Table] = {}
    for name, table in bench.use_case.sources.tables.items():
        if table.replayable:
            weeks = masked_weeks(bench, name, clock.dates_until(day), before=clock.instant(day))
            rebuilt |= {(name, week.day): week.kept for week in weeks}
        else:
            rebuilt |= {(name, known): datasets.read_week(name, known) for known in clock.dates_until(day)}
    with AsOfTables(bench.use_case, lambda name, known: rebuilt[name, known]) as tables:
        return build_features(tables, day)


def each_day(use_case: UseCase, read_week: ReadWeek, days: list[date], build: Build) -> dict[date, pa.Table]:
    """Runs of neighbouring days side by side, each on a connection of its own with one thread."""
    workers = min(os.cpu_count() or 1, max(1, len(days) // 4))
    size = -(-len(days) // workers)
    runs = [days[start : start + size] for start in range(0, len(days), size)]

    def build_run(run: list[date]) -> list[tuple[date, pa.Table]]:
        with AsOfTables(use_case, read_week) as tables:
            return [(day, build(tables, day)) for day in run]

    with ThreadPoolExecutor(workers) as pool:
        return dict(pair for made in pool.map(build_run, runs) for pair in made)
