"""The labels that matured at each of many days."""

from datetime import date

import pyarrow as pa

from ds_pipeline.features.weeks import each_day
from ds_pipeline.store.asof import AsOfTables
from ds_pipeline.training.labels import assign_labels, labels_schema
from ds_pipeline.workbench import Workbench


def labels_of_days(bench: Workbench, days: list[date]) -> dict[date, pa.Table]:
    """The labels that matured at each day: those of the scoring date one lag before; none for the first weeks."""
    clock, entity = bench.use_case.clock, bench.use_case.problem.entity
    bench.datasets.require_masked(days[-1])
    scored = [day - clock.lag for day in days if clock.matured(day)]
    populations = {
        day: bench.datasets.store.read(snapshot)[entity]
        for day, snapshot in zip(scored, bench.datasets.require_features(scored, until=days[-1]), strict=True)
    }

    def build(tables: AsOfTables, day: date) -> pa.Table:
        return assign_labels(tables, day, populations[day])

    made = each_day(bench.use_case, bench.datasets.read_week, scored, build)
    return {day: made.get(day - clock.lag, labels_schema(entity).empty_table()) for day in days}
