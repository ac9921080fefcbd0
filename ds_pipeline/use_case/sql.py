"""Check the SQL of a use case before any data is read: allowed, runs on empty tables, and agrees with features.yaml."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import pyarrow as pa

from ds_pipeline.errors import FeatureError
from ds_pipeline.sql import guard as sql_guard
from ds_pipeline.sql import sandbox
from ds_pipeline.sql.sandbox import ResultColumn
from ds_pipeline.use_case.features import DECIDED_BY, IS_TREATED, LABEL, FeatureSet
from ds_pipeline.use_case.problem import Problem
from ds_pipeline.use_case.sources import Column, Sources, Table

ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
DECIMAL_DIGITS = 18  # fits a 64-bit integer, which DuckDB sums fast
POPULATION = "population"  # the entities in scope at D, for label and feature SQL
VERSIONS_SUFFIX = "_versions"  # customers is the newest version of each; customers_versions has them all

INTEGER = r"U?(TINYINT|SMALLINT|INTEGER|BIGINT)|HUGEINT"  # HUGEINT: DuckDB's sum of integers
# What a feature of a dtype may come as. Anything else would be cast later, and lose digits or fail on a row.
SQL_TYPES = {
    "int64": INTEGER,
    "float64": rf"FLOAT|DOUBLE|DECIMAL\(.*\)|{INTEGER}",
    "bool": "BOOLEAN",
    "string": "VARCHAR",
    "text": "VARCHAR",
}
UNKNOWN_COLUMN = r"Referenced (column|table) .* not found|does not have a column named"  # in DuckDB's words
LABEL_TYPE = rf"BOOLEAN|{INTEGER}"
LABEL_EXTRAS = {DECIDED_BY: "VARCHAR", IS_TREATED: "BOOLEAN"}  # what label.sql may say beside the label
ANY_MOMENT = datetime(2000, 1, 3, tzinfo=UTC)  # any will do as scoring date: the tables are empty


def arrow_type(column: Column) -> pa.DataType:
    """The type of a source column after casting."""
    return pa.decimal128(DECIMAL_DIGITS, column.scale) if column.type == "decimal" else ARROW_TYPES[column.type]


def masked_schema(table: Table) -> pa.Schema:
    """The schema of a table behind the PII boundary."""
    changed = {"token", "initial", "band", "prefix", "categories", "redact"}
    return pa.schema(
        [
            pa.field(alias, pa.string() if column.treatment in changed else arrow_type(column))
            for alias, column in table.kept.items()
        ]
    )


def check_sql(problem: Problem, sources: Sources, features: FeatureSet | None, texts: Mapping[str, str]) -> list[str]:
    """Everything wrong with the SQL, each as 'file: message'.

    Args:
        features: None if features.yaml is itself wrong; the SQL is then not compared with it.
        texts: file name to SQL: population.sql, label.sql and features/*.sql, as far as they are there.
    """
    entity = problem.entity
    visible = _visible_schemas(sources)
    future = {f"future.{name}": masked_schema(table) for name, table in sources.tables.items()}
    try:
        results, refused = _results_of(
            problem.clock.time_zone, entity, tuple(visible.items()), tuple(future.items()), tuple(texts.items())
        )
    except FeatureError as error:
        return [f"problem.yaml: clock.time_zone: {error}"]
    columns, problems = dict(results), list(refused)
    if not any(entity in schema.names for schema in visible.values()):
        return problems  # what no table has cannot be in a result; cross_check says so
    for file, found in columns.items():
        if found is not None:
            problems.extend(f"{file}: {text}" for text in _wrong_columns(file, found, entity))
    if features is not None:
        problems.extend(_compare(columns, features, entity))
        problems.extend(
            f"features.yaml: scope: {file}: no such file; expected one of: {', '.join(texts)}."
            for file in features.scope
            if file not in texts
        )
    return problems


def _visible_schemas(sources: Sources) -> dict[str, pa.Schema]:
    """The tables every SQL file may read, with their schemas."""
    schemas = {}
    for name, table in sources.tables.items():
        schemas[name] = masked_schema(table)
        if table.kind == "versions":
            schemas[name + VERSIONS_SUFFIX] = masked_schema(table)
    return schemas


@lru_cache(maxsize=64)  # each step loads its use case, and opening a database takes 10 ms
def _results_of(
    time_zone: str,
    entity: str,
    visible: tuple[tuple[str, pa.Schema], ...],
    future: tuple[tuple[str, pa.Schema], ...],
    texts: tuple[tuple[str, str], ...],
) -> tuple[tuple[tuple[str, tuple[ResultColumn, ...] | None], ...], tuple[str, ...]]:
    """The columns that each file returns on empty tables, None with its reason among the problems.

    Raises:
        FeatureError: the time zone is unknown.
    """
    population = {POPULATION: pa.schema([pa.field(entity, pa.string())])}
    columns: list[tuple[str, tuple[ResultColumn, ...] | None]] = []
    problems: list[str] = []
    with sandbox.connect(time_zone, memory=sandbox.CHECK_MEMORY) as connection:
        connection.execute("CREATE SCHEMA future")
        for name, schema in (dict(visible) | dict(future) | population).items():
            sandbox.create_table(connection, name, schema.empty_table())
        for file, sql in texts:
            tables = dict(visible) if file == "population.sql" else dict(visible) | population
            tables = tables | dict(future) if file == "label.sql" else tables
            try:
                sql_guard.require_safe(sql, where=file, tables=frozenset(tables))
                found = sandbox.result_columns(connection, sql, where=file, scoring_at=ANY_MOMENT)
                columns.append((file, tuple(found)))
            except FeatureError as error:
                problems.append(f"{error}{_names_that_exist(str(error), sql, tables)}")
                columns.append((file, None))
    return tuple(columns), tuple(problems)


def _names_that_exist(message: str, sql: str, tables: Mapping[str, pa.Schema]) -> str:
    """The columns of the tables a query reads, for a message about a column that is not there; else nothing."""
    if not re.search(UNKNOWN_COLUMN, message):
        return ""
    text = sql.lower()
    read = [name for name in tables if re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.]*\()\b", text)]
    listed = "; ".join(f"{name} has {', '.join(tables[name].names)}" for name in read)
    return f". {listed}." if listed else ""


def _wrong_columns(file: str, columns: Sequence[ResultColumn], entity: str) -> list[str]:
    """What is wrong with the columns of one file, apart from features.yaml."""
    names = [column.name for column in columns]
    types = dict(columns)
    problems = [f"the column {name} is there twice." for name, count in Counter(names).items() if count > 1]
    expected = {"population.sql": [entity], "label.sql": [entity, LABEL]}.get(file)
    optional = LABEL_EXTRAS if file == "label.sql" else {}
    if expected and set(names) - set(optional) != set(expected):
        may = f" (and, if you like, {' and '.join(optional)})" if optional else ""
        problems.append(f"expected the columns {' and '.join(expected)}{may}, found: {', '.join(names)}.")
    elif entity not in names:
        problems.append(f"the column {entity} is missing; each file returns one row per {entity}.")
    if types.get(entity, "VARCHAR") != "VARCHAR":
        problems.append(f"{entity} is a token, a VARCHAR; found {types[entity]}.")
    if expected and not re.fullmatch(LABEL_TYPE, types.get("label", "BOOLEAN")):
        problems.append(
            "label must be 0, 1 or null (undecided), an integer or a boolean; "
            f"found {types['label']}. Cast it: ...::int."
        )
    problems += [
        f"{name} must be a {sql_type}; found {types[name]}. Cast it: ...::{sql_type.lower()}."
        for name, sql_type in optional.items()
        if types.get(name, sql_type) != sql_type
    ]
    return problems


def _compare(columns: Mapping[str, Sequence[ResultColumn] | None], features: FeatureSet, entity: str) -> list[str]:
    """Where the feature files and features.yaml do not say the same."""
    problems: list[str] = []
    made: dict[str, str] = {}
    declared = features.features
    files = {file: found for file, found in columns.items() if file.startswith("features/")}
    for file, found in files.items():
        for name, sql_type in found or []:
            if name == entity or made.get(name) == file:
                continue
            if name in made:
                problems.append(f"{file}: {name} is already made by {made[name]}.")
                continue
            made[name] = file
            if name not in declared:
                problems.append(f"{file}: {name} is not in features.yaml. Declare it there or do not select it.")
            elif not re.fullmatch(SQL_TYPES[declared[name].dtype], sql_type):
                problems.append(
                    f"{file}: {name} comes as {sql_type}, but features.yaml says {declared[name].dtype}. "
                    "Cast it or declare it so."
                )
    if files and None not in files.values():
        problems.extend(
            f"features.yaml: {name}: no SQL file makes it. Select it or remove it."
            for name in declared
            if name not in made
        )
    return problems
