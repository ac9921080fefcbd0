"""The step of the features: build many weeks at once, replay one of them from its sources, and store them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import TypeVar

import pyarrow as pa

from ds_pipeline import engine
from ds_pipeline.boundary.cross import masked_weeks
from ds_pipeline.boundary.leak_check import require_clean_table
from ds_pipeline.features.build import build_features, build_part, join_parts, rows_of_everyone
from ds_pipeline.features.outside import say_outside
from ds_pipeline.features.renamed import require_blind_to_tokens
from ds_pipeline.features.replay import require_equal, sample_day
from ds_pipeline.features.schema import features_frame_schema, require_valid
from ds_pipeline.store.asof import AsOfTables
from ds_pipeline.store.buckets import Bucket, buckets, rows_of_bucket
from ds_pipeline.store.datasets import Datasets
from ds_pipeline.store.snapshots import Snapshot
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench

MOST_SAID = 6  # weeks by name
Made = TypeVar("Made")
Build = Callable[[AsOfTables, date, Bucket | None], Made]


@dataclass(frozen=True)
class FeatureWeeks:
    """The weeks of features that were stored, the one of them that was replayed, and what was not as declared."""

    weeks: dict[date, Snapshot]
    replayed: date
    outside: str

    @property
    def rows(self) -> int:
        return sum(snapshot.rows for snapshot in self.weeks.values())

    @property
    def summary(self) -> str:
        made = f"{self.rows:,} rows in {len(self.weeks)} weeks"
        empty = [str(day) for day, week in self.weeks.items() if week.rows == 0]
        nobody = f"nobody in scope at {', '.join(empty[:MOST_SAID])}{' and more' if empty[MOST_SAID:] else ''}"
        notes = [nobody if empty else "", f"{self.replayed} replayed from its sources: same bytes", self.outside]
        return "; ".join([made, *filter(None, notes)])


def make_features(bench: Workbench, days: list[date]) -> FeatureWeeks:
    """Build, check and store the features of neighbouring days, oldest first.

    Raises:
        HistoryError: a week of a masked table is missing.
        FeatureError: a query fails, a value is not as declared, the replayed week has other bytes, or an input is made
            of tokens.
        LeakError: an identifier stands in them. Whatever is raised, nothing was written.
    """
    inputs = bench.datasets.inputs_digests(days[-1])
    made = features_of_days(bench, bench.use_case, days)
    whole = pa.concat_tables(made.values())
    require_valid(whole.to_pandas(), features_frame_schema(bench.use_case), where="features")
    require_clean_table(bench, whole, where="features")
    replayed = sample_day(days)
    require_equal(replayed, made[replayed], replayed_features(bench, replayed))
    require_blind_to_tokens(bench.use_case, bench.datasets.read_week, made)
    weeks = bench.datasets.put_weeks(bench.datasets.features, made, inputs=inputs)
    return FeatureWeeks(weeks, replayed, say_outside(made.values()))


def features_of_version(bench: Workbench, model_case: UseCase, days: list[date]) -> dict[date, pa.Table]:
    """The features of each day in the SQL and schema of a version, over the tables as they are declared today.

    A column that is gone is an error where the SQL needs it. How many values may lie outside of what is declared is no
    part of a version either: raised today, it lets the next Monday through.

    Args:
        model_case: the use case as it was when the version was made.
    """
    today = bench.use_case
    features = model_case.features.model_copy(update={"max_outside_share": today.features.max_outside_share})
    return features_of_days(bench, replace(model_case, sources=today.sources, features=features), days)


def features_of_days(bench: Workbench, use_case: UseCase, days: list[date]) -> dict[date, pa.Table]:
    """The features of each day, from the masked tables."""
    bench.datasets.require_masked(days[-1])
    bench.datasets.cut_anew(days[-1])
    entity, everyone = use_case.problem.entity, {}
    if use_case.sources.buckets > 1 and use_case.features.scope:
        everyone = each_day(bench.datasets, use_case, days, _everyone, divided=False)

    def build(tables: AsOfTables, day: date, bucket: Bucket | None) -> pa.Table:
        given = everyone[day][0] if everyone else {}
        if bucket is not None:
            given = {file: rows_of_bucket(rows, entity, bucket) for file, rows in given.items()}
        return build_part(tables, day, given=given)

    made = each_day(bench.datasets, use_case, days, build)
    return {day: join_parts(use_case, day, parts) for day, parts in made.items()}


def _everyone(tables: AsOfTables, day: date, _: Bucket | None) -> dict[str, pa.Table]:
    return rows_of_everyone(tables, day)


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


def each_day(
    datasets: Datasets, use_case: UseCase, days: list[date], build: Build[Made], *, divided: bool = True
) -> dict[date, list[Made]]:
    """What is built at each day of each bucket, or of the tables whole where they are not divided.

    Runs of neighbouring days of one bucket go side by side, each on a connection of its own with one thread.
    """
    parts = buckets(use_case.sources.buckets) if divided and use_case.sources.buckets > 1 else [None]
    at_once = min(-(-engine.cores() // len(parts)), max(1, len(days) // 4))  # each run loads all weeks before it
    size = -(-len(days) // at_once)
    runs = [(days[start : start + size], part) for start in range(0, len(days), size) for part in parts]

    def build_run(run: tuple[list[date], Bucket | None]) -> list[Made]:
        with AsOfTables(use_case, partial(datasets.read_week, bucket=run[1])) as tables:
            return [build(tables, day, run[1]) for day in run[0]]

    made: dict[date, list[Made]] = {day: [] for day in days}
    answers = engine.run(build_run, runs, suits="threading", reads=datasets.tell_tales())
    for (run, _), results in zip(runs, answers, strict=True):
        for day, result in zip(run, results, strict=True):
            made[day].append(result)
    return made
