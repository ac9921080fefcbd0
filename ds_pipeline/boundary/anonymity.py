"""k-anonymity of a table as SQL sees it at a scoring date: of what is stored, and of what a run is about to store."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial

import pyarrow as pa

from ds_pipeline.boundary.cross import MaskedWeek
from ds_pipeline.masking.columns.k_anonymity import Anonymity, measure_anonymity, require_anonymity
from ds_pipeline.sql import sandbox
from ds_pipeline.store.asof import AsOfTables
from ds_pipeline.store.buckets import Bucket, buckets, rows_of_bucket
from ds_pipeline.use_case.sources import Sources
from ds_pipeline.use_case.sql import masked_schema
from ds_pipeline.workbench import Workbench


def anonymity_of(
    bench: Workbench, name: str, day: date, made: Mapping[date, pa.Table] | None = None
) -> Anonymity | None:
    """The groups of people in a table at D; None where sources.yaml declares no limit.

    Args:
        made: masked rows that are not stored yet, by scoring date; they go before stored ones of the same date. A week
            that is neither there nor stored counts as empty: whatever needs it refuses to run without it.
    """
    sources, entity = bench.use_case.sources, bench.use_case.problem.entity
    table = sources.tables[name]
    person = table.person(entity)
    if table.k_anonymity is None or person is None:
        return None
    columns = ", ".join(sandbox.quoted(column) for column in [*table.quasi_identifiers, person])
    alone = replace(bench.use_case, sources=Sources(tables={name: table}))
    parts = buckets(sources.buckets) if sources.divides(name, entity=entity) else [None]
    views = []
    for part in parts:  # one after another: each person is in one of them
        with AsOfTables(alone, partial(_read, bench, made or {}, part)) as tables:
            tables.advance_to(day)
            views.append(tables.select(f"SELECT DISTINCT {columns} FROM {sandbox.quoted(name)}", where=name))
    view = pa.concat_tables(views)
    return measure_anonymity(view, quasi=table.quasi_identifiers, person=person, limit=table.k_anonymity)


def _read(bench: Workbench, made: Mapping[date, pa.Table], part: Bucket | None, name: str, week: date) -> pa.Table:
    """The masked rows of a week, of one bucket or of all people, whether they are stored or not."""
    datasets, entity = bench.datasets, bench.use_case.problem.entity
    if week in made:
        return rows_of_bucket(made[week], entity, part)
    if datasets.store.find(datasets.masked(name), str(week)) is None:
        return masked_schema(bench.use_case.sources.tables[name]).empty_table()
    return datasets.read_week(name, week, part)


def check_anonymity(bench: Workbench, name: str, weeks: list[MaskedWeek]) -> Anonymity | None:
    """Judge a table at the newest of the weeks, which are not stored yet; None where no limit is declared.

    Raises:
        AnonymityError: a group is too small.
    """
    day, made = weeks[-1].day, {week.day: week.kept for week in weeks}
    anonymity = anonymity_of(bench, name, day, made)
    if anonymity is not None:
        where = f"configs/{bench.use_case.name}/sources.yaml: tables.{name}.k_anonymity"
        require_anonymity(anonymity, bench.use_case.sources.tables[name], where=where, day=day)
    return anonymity
