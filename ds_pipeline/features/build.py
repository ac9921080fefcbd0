"""Build the features of a scoring date: the population, and one row of features for each of its members.

Where tables are cut into buckets, a part is what one bucket gives, and the parts are joined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.errors import FeatureError
from ds_pipeline.features.outside import take_inside
from ds_pipeline.sql import sandbox
from ds_pipeline.store.asof import AsOfTables
from ds_pipeline.use_case.features import SCORING_DATE
from ds_pipeline.use_case.load import UseCase

POPULATION_SQL = "population.sql"
ARROW_TYPES = {"int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}  # all others are strings
SQL_TYPES = {"int64": "BIGINT", "float64": "DOUBLE", "bool": "BOOLEAN"}
DIGITS = 9  # of a float feature; what lies below depends on the order of a sum, and could hide what tells people apart


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
        One row per member of the population, sorted by entity; the columns of features_schema, floats to DIGITS
        digits. A member without a row in a feature query has nulls there.

    Raises:
        FeatureError: an empty population where no table may have silent weeks, an entity that is there twice, or a
            query that fails.
    """
    return join_parts(tables.use_case, day, [build_part(tables, day, given={})])


def build_part(tables: AsOfTables, day: date, *, given: Mapping[str, pa.Table]) -> pa.Table:
    """The features of the people that some tables hold, whether there are any or not.

    Args:
        given: from rows_of_everyone, those of the people of these tables.
    """
    tables.advance_to(day)
    population = given[POPULATION_SQL] if POPULATION_SQL in given else population_of(tables, day)
    return features_of(tables, day, population[tables.use_case.problem.entity], given=given)


def join_parts(use_case: UseCase, day: date, parts: Sequence[pa.Table]) -> pa.Table:
    """The features of one scoring date from all its parts, as build_features returns them."""
    entity = use_case.problem.entity
    made = parts[0] if len(parts) == 1 else pa.concat_tables(parts).sort_by(entity)
    if made.num_rows == 0 and not use_case.sources.allow_silent_weeks:
        raise FeatureError(
            f"{POPULATION_SQL}: nobody is in scope at {day}. Check the dates in the SQL against the data. If a week "
            "can pass without anybody, say allow_silent_weeks: true in sources.yaml, at the table without rows then."
        )
    if repeated := made.num_rows - pc.count_distinct(made[entity]).as_py():
        raise FeatureError(
            f"{POPULATION_SQL} at {day}: {repeated:,} of {made.num_rows:,} {entity} came from more than one of the "
            f"{len(parts)} buckets: it takes people from a table that is not divided by {entity}. Take them from one "
            f"that is, or say scope: {{{POPULATION_SQL}: everyone}} in features.yaml."
        )
    return take_inside(made, use_case.features, day=day)


def rows_of_everyone(tables: AsOfTables, day: date) -> dict[str, pa.Table]:
    """The population, and the rows of the feature files that features.yaml says need everyone, by file."""
    tables.advance_to(day)
    population, case = population_of(tables, day), tables.use_case
    tables.set_population(population[case.problem.entity])
    files = {file: sql for file, sql in case.feature_sql.items() if file in case.features.scope}
    return {POPULATION_SQL: population} | {file: _rows(tables, file, sql, day) for file, sql in files.items()}


def population_of(tables: AsOfTables, day: date) -> pa.Table:
    """Who is in scope: the entity alone, one row each."""
    return _rows(tables, POPULATION_SQL, tables.use_case.population_sql, day)


def _rows(tables: AsOfTables, file: str, sql: str, day: date) -> pa.Table:
    rows = tables.select(sql, where=file)
    _require_unique(rows, tables.use_case.problem.entity, where=f"{file} at {day}")
    return rows


def features_of(
    tables: AsOfTables, day: date, population: pa.Array | pa.ChunkedArray, *, given: Mapping[str, pa.Table]
) -> pa.Table:
    """One row for each of the given people, with the values as they come, floats rounded; as in build_part."""
    tables.advance_to(day)
    use_case, connection = tables.use_case, tables.connection
    entity = use_case.problem.entity
    tables.set_population(population)
    joins = []
    for number, (file, sql) in enumerate(use_case.feature_sql.items()):
        rows = given[file] if file in given else _rows(tables, file, sql, day)
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
    for place, field in enumerate(made.schema):
        if field.type == pa.float64():
            made = made.set_column(place, field, rounded(made[field.name]))
    return made


def rounded(values: pa.ChunkedArray) -> pa.Array:
    """Floats to DIGITS significant digits; one that has no more of them stays as it is."""
    exact = values.to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        places = DIGITS - 1 - np.floor(np.log10(np.abs(exact)))
    places = np.where(np.isfinite(exact) & (exact != 0), places, 0).clip(max=300)
    up, down = 10.0 ** places.clip(min=0), 10.0 ** (-places).clip(min=0)  # powers that are whole, so exact
    short = np.where(np.isfinite(exact), np.round(exact * up / down) / up * down, exact)
    return pa.array(short, mask=values.is_null().to_numpy())


def _require_unique(rows: pa.Table, entity: str, *, where: str) -> None:
    entities = rows[entity]
    if entities.null_count:
        raise FeatureError(f"{where}: {entities.null_count:,} rows have no {entity}. Leave them out in the SQL.")
    repeated = rows.num_rows - pc.count_distinct(entities).as_py()
    if repeated:
        raise FeatureError(f"{where}: expected one row per {entity}, found {repeated:,} repeated. Group by {entity}.")
