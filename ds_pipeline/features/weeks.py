"""The step of the features: build many weeks at once, replay one of them from its sources, and store them."""

from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa

from ds_pipeline.boundary.cross import masked_weeks
from ds_pipeline.boundary.leak_check import require_clean_table
from ds_pipeline.features.build import build_features, build_part, join_parts, rows_of_everyone
from ds_pipeline.features.days import each_day
from ds_pipeline.features.outside import say_outside
from ds_pipeline.features.renamed import require_blind_to_tokens
from ds_pipeline.features.replay import require_equal, sample_day
from ds_pipeline.features.schema import features_frame_schema, require_valid
from ds_pipeline.store.asof import AsOfTables
from ds_pipeline.store.buckets import Bucket, rows_of_bucket
from ds_pipeline.store.snapshots import Snapshot
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench

MOST_SAID = 6  # weeks by name


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
    require_blind_to_tokens(bench.use_case, bench.datasets.read_week, made, divided=True)
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
    read_week, reads = bench.datasets.read_week, bench.datasets.tell_tales()
    entity, everyone = use_case.problem.entity, {}
    if use_case.sources.buckets > 1 and use_case.features.scope:
        everyone = each_day(use_case, read_week, days, _everyone, divided=False, reads=reads)

    def build(tables: AsOfTables, day: date, bucket: Bucket | None) -> pa.Table:
        given = everyone[day][0] if everyone else {}
        ours = {file: rows_of_bucket(rows, entity, bucket) for file, rows in given.items()}
        return build_part(tables, day, given=ours)

    made = each_day(use_case, read_week, days, build, reads=reads)
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
