"""The step of the labels: those that matured at each of many days, stored, and what came of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from ds_pipeline.boundary.leak_check import guarded
from ds_pipeline.errors import FeatureError
from ds_pipeline.features.days import each_day, needs_everyone
from ds_pipeline.features.replay import sample_day
from ds_pipeline.store.asof import AsOfTables
from ds_pipeline.store.buckets import Bucket, rows_of_bucket
from ds_pipeline.store.snapshots import encode
from ds_pipeline.training.labels import (
    LABEL_SQL,
    assign_labels,
    count_ways,
    join_parts,
    labels_schema,
    positives,
    treated,
    undecided,
)
from ds_pipeline.workbench import Workbench


@dataclass(frozen=True)
class LabelWeeks:
    """The labels that were stored, by the day at which they matured."""

    weeks: dict[date, pa.Table]

    @property
    def summary(self) -> str:
        rows, unknown, marked = (self._sum(count) for count in (len, undecided, treated))
        rate = f", base rate {self._sum(positives) / (rows - unknown):.1%}" if rows > unknown else ""
        beside = f"; {unknown:,} undecided, {marked:,} treated by a campaign" if unknown or marked else ""
        return f"{rows:,} labels{rate}{beside}"

    def figures(self, day: date) -> dict[str, Any]:
        """What one of the weeks holds; no base rate where nothing is decided."""
        table = self.weeks[day]
        decided = len(table) - undecided(table)
        return {
            "base_rate": positives(table) / decided if decided else None,
            "undecided": undecided(table),
            "treated": treated(table),
            "decided_by": count_ways(table),
        }

    def _sum(self, count: Callable[[pa.Table], int]) -> int:
        return sum(count(table) for table in self.weeks.values())


def mature_labels(bench: Workbench, days: list[date]) -> LabelWeeks:
    """Assign and store the labels that mature at neighbouring days, oldest first.

    Raises:
        HistoryError: a week of a masked table, or the features of a scoring date, are missing or stale.
        TrainingError: label.sql does not give one label for each member of the population.
        FeatureError: it gives others where the tables are divided by person.
        LeakError: an identifier stands in them.
    """
    datasets = guarded(bench).datasets
    inputs = datasets.inputs_digests(days[-1])
    labels = labels_of_days(bench, days)
    datasets.put_weeks(datasets.labels, labels, inputs=inputs)
    return LabelWeeks(labels)


def labels_of_days(bench: Workbench, days: list[date]) -> dict[date, pa.Table]:
    """The labels that matured at each day: those of the scoring date one lag before; none for the first weeks.

    Where the tables are cut into buckets, those of one day are made from the whole as well, and must be the same.
    """
    clock, entity = bench.use_case.clock, bench.use_case.problem.entity
    bench.datasets.require_masked(days[-1])
    bench.datasets.cut_anew(days[-1])
    scored = [day - clock.lag for day in days if clock.matured(day)]
    populations = {
        day: bench.datasets.store.read(snapshot).select([entity])
        for day, snapshot in zip(scored, bench.datasets.require_features(scored, until=days[-1]), strict=True)
    }

    def build(tables: AsOfTables, day: date, bucket: Bucket | None) -> pa.Table:
        return assign_labels(tables, day, rows_of_bucket(populations[day], entity, bucket)[entity])

    divided = LABEL_SQL not in bench.use_case.features.scope
    datasets = bench.datasets
    made = each_day(bench.use_case, datasets.read_week, scored, build, divided=divided, reads=datasets.tell_tales())
    labels = {day: join_parts(day, parts, entity=entity) for day, parts in made.items()}
    if scored and divided and bench.use_case.sources.buckets > 1:
        sampled = sample_day(scored)
        whole = each_day(
            bench.use_case, datasets.read_week, [sampled], build, divided=False, reads=datasets.tell_tales()
        )
        if encode(join_parts(sampled, whole[sampled], entity=entity)) != encode(labels[sampled]):
            raise FeatureError(needs_everyone([LABEL_SQL], bench.use_case, sampled))
    return {day: labels.get(day - clock.lag, labels_schema(entity).empty_table()) for day in days}
