"""Which SQL files give other rows where tables are cut by person: run undivided and in two buckets, bytes compared."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.errors import FeatureError
from ds_pipeline.features.build import POPULATION_SQL, population_of
from ds_pipeline.features.days import needs_everyone
from ds_pipeline.store.asof import AsOfTables, ReadWeek
from ds_pipeline.store.buckets import Bucket, buckets, rows_of_bucket
from ds_pipeline.store.snapshots import encode
from ds_pipeline.training.labels import LABEL_SQL
from ds_pipeline.use_case.load import UseCase

HALVES = 2


def undivided_files(use_case: UseCase, read_week: ReadWeek, day: date, people: pa.Table) -> list[str]:
    """A warning about each SQL file that needs everyone and is not declared so.

    Args:
        read_week: the masked rows, whole.
        day: a scoring date whose labels have matured.
        people: its population, a row each.

    Raises:
        FeatureError: there is such a file, and the tables are divided.
    """
    undivided = _rows(use_case, read_week, day, [people], [None])
    divided = _rows(use_case, read_week, day, [people] * HALVES, buckets(HALVES))
    files = [name for name, rows in undivided.items() if encode(rows) != encode(divided[name])]
    if not files:
        return []
    said = needs_everyone(files, use_case, day)
    if use_case.sources.buckets > 1:
        raise FeatureError(said)
    return [f"{said} With buckets: 1 in sources.yaml nothing is divided, and nothing is wrong."]


def _rows(
    use_case: UseCase, read_week: ReadWeek, day: date, people: Sequence[pa.Table], parts: Sequence[Bucket | None]
) -> dict[str, pa.Table]:
    """The rows of each file from all the parts, by entity."""
    entity, sources = use_case.problem.entity, use_case.sources.model_copy(update={"buckets": HALVES})
    made: dict[str, list[pa.Table]] = {}
    for population, bucket in zip(people, parts, strict=True):

        def read(name: str, week: date, bucket: Bucket | None = bucket) -> pa.Table:
            part = bucket if sources.divides(name, entity=entity) else None
            return rows_of_bucket(read_week(name, week), entity, part)

        members = rows_of_bucket(population, entity, bucket)
        with AsOfTables(use_case, read) as tables:
            tables.advance_to(day)
            found = {POPULATION_SQL: population_of(tables, day)}
            tables.set_population(members[entity])
            for file, sql in use_case.feature_sql.items():
                rows = tables.select(sql, where=file)
                found[file] = rows.filter(pc.is_in(rows[entity], members[entity].combine_chunks()))  # all that is used
            tables.open_future(use_case.label_sql)  # nothing of this is kept
            found[LABEL_SQL] = tables.select(use_case.label_sql, where=LABEL_SQL)
        for file, rows in found.items():
            made.setdefault(file, []).append(rows)
    scope = use_case.features.scope
    return {file: pa.concat_tables(rows).sort_by(entity) for file, rows in made.items() if file not in scope}
