"""Build the features of a scoring date: the population, and one row of features for each of its members."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.errors import FeatureError
from ds_pipeline.features.outside import take_inside
from ds_pipeline.sql import sandbox
from ds_pipeline.store.asof import AsOfTables
from ds_pipeline.use_case.features import SCORING_DATE
from ds_pipeline.use_case.load import UseCase

ARROW_TYPES = {"int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}  # all others are strings
SQL_TYPES = {"int64": "BIGINT", "float64": "DOUBLE", "bool": "BOOLEAN"}


def features_schema(use_case: UseCase) -> pa.Schema:
    """scoring_date, the entity, and the features in declared order."""
    fields = [pa.field(SCORING_DATE, pa.date32()), pa.field(use_case.problem.entity, pa.string())]
    features = use_case.features.features.items()
    return pa.schema(
        fields + [pa.field(name, ARROW_TYPES.get(feature.dtype, pa.string())) for name, feature in features]
    )


def build_features(tables: AsOfTables, day: date) -> pa.Table:
    """The features of one scoring date.

    Args:
        tables: advanced to the day by this call.

    Returns:
        One row per member of the population, sorted by entity; the columns of features_schema. A member without a row
        in a feature query has nulls there.

    Raises:
        FeatureError: an empty population where no table may have silent weeks, an entity that is there twice, or a
            query that fails.
    """
    tables.advance_to(day)
    entity, where = tables.use_case.problem.entity, "population.sql"
    population = tables.select(tables.use_case.population_sql, where=where)
    _require_unique(population, entity, where=f"{where} at {day}")
    if population.num_rows == 0 and not tables.use_case.sources.allow_silent_weeks:
        raise FeatureError(
            f"{where}: nobody is in scope at {day}. Check the dates in the SQL against the data. If a week can pass "
            "without anybody, say allow_silent_weeks: true in sources.yaml, at the table that has no rows then."
        )
    return features_of(tables, day, population[entity])


def features_of(tables: AsOfTables, day: date, population: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The features of the given people at one scoring date, as build_features returns them."""
    use_case, connection = tables.use_case, tables.connection
    entity = use_case.problem.entity
    tables.advance_to(day)
    tables.set_population(population)
    joins = []
    for number, (file, sql) in enumerate(use_case.feature_sql.items()):
        rows = tables.select(sql, where=file)
        _require_unique(rows, entity, where=f"{file} at {day}")
        connection.execute(f"DROP TABLE IF EXISTS _made_{number}")
        sandbox.create_table(connection, f"_made_{number}", rows)
        joins.append(f"LEFT JOIN _made_{number} USING ({sandbox.quoted(entity)})")
    columns = ", ".join(
        f"{sandbox.quoted(name)}::{SQL_TYPES.get(feature.dtype, 'VARCHAR')} AS {sandbox.quoted(name)}"
        for name, feature in use_case.features.features.items()
    )
    query = (
        f"SELECT DATE '{day}' AS {SCORING_DATE}, {sandbox.quoted(entity)}, {columns} "
        f"FROM population {' '.join(joins)} ORDER BY {sandbox.quoted(entity)}"
    )
    made = tables.select(query, where="features").cast(features_schema(use_case))
    return take_inside(made, use_case.features, day=day)


def _require_unique(rows: pa.Table, entity: str, *, where: str) -> None:
    entities = rows[entity]
    if entities.null_count:
        raise FeatureError(f"{where}: {entities.null_count:,} rows have no {entity}. Leave them out in the SQL.")
    repeated = rows.num_rows - pc.count_distinct(entities).as_py()
    if repeated:
        raise FeatureError(f"{where}: expected one row per {entity}, found {repeated:,} repeated. Group by {entity}.")
