"""Tables as they were known before D, in a sandbox: the only way features, populations and labels see data.

The connection holds the rows of the partitions up to D and no others; there is no future to filter away. Only the
tables of labels get `future.<table>`, with the rows of the label window.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.clock import WEEK
from ds_pipeline.sql import sandbox
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.sources import Table
from ds_pipeline.use_case.sql import VERSIONS_SUFFIX, masked_schema

ReadWeek = Callable[[str, date], pa.Table]  # table name and scoring date to the masked rows of that partition


def in_order(rows: pa.Table, table: Table) -> pa.Table:
    """The masked rows of a partition in an order of their own content, whatever order the source has them in.

    SQL can see the order of rows, and a source may be sorted by what becomes known later. By when they became known and
    happened, then all other columns, tokens last; rows that tie are equal.
    """
    names = dict.fromkeys([table.known_at, table.event_time, *rows.column_names])
    return rows.sort_by([(name, "ascending") for name in sorted(names, key=table.tokens.__contains__)])


class AsOfTables:
    """The tables of a use case at one scoring date, and at later ones as it is advanced; it never goes back."""

    def __init__(self, use_case: UseCase, read_week: ReadWeek) -> None:
        self.use_case = use_case
        self.day: date | None = None
        self._read_week = read_week
        self._ahead: dict[tuple[str, date], pa.Table] = {}  # partitions after D that label windows have shown
        self._connection = sandbox.connect(use_case.problem.clock.time_zone)
        for name, table in use_case.sources.tables.items():
            sandbox.create_table(self._connection, _base(name, table), masked_schema(table).empty_table())

    def __enter__(self) -> AsOfTables:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        return self._connection

    def advance_to(self, day: date) -> None:
        """Take in the partitions up to and including D, oldest first."""
        if self.day is not None and day < self.day:
            raise ValueError(f"the tables stand at {self.day} and cannot go back to {day}")
        start = self.day + WEEK if self.day else self.use_case.clock.first
        days = [known for known in self.use_case.clock.dates_until(day) if known >= start]
        if days:
            tables = self.use_case.sources.tables
            read = {_base(name, table): self._read(name, table, days) for name, table in tables.items()}
            for name, rows in read.items():  # only once every partition was there
                sandbox.append(self._connection, name, rows)
        for name, table in self.use_case.sources.tables.items():
            if table.kind == "versions":
                self._connection.execute(_newest_version(name, table, before=self.use_case.clock.instant(day)))
        self._ahead = {key: rows for key, rows in self._ahead.items() if key[1] > day}
        self.day = day

    def open_future(self, sql: str | None = None) -> None:
        """Make future.<table> show the rows of the label window of D: for label.sql alone.

        Args:
            sql: what will be run; a table whose name it does not hold is left out. None opens every table.
        """
        assert self.day is not None
        clock, window = self.use_case.clock, self.use_case.clock.label_window(self.day)
        later = [self.day + week * WEEK for week in range(1, clock.lag_weeks + 1)]
        self._connection.execute("CREATE SCHEMA IF NOT EXISTS future")
        for name, table in self.use_case.sources.tables.items():
            if sql is not None and name not in sql.lower():
                continue
            happened, known = sandbox.quoted(table.event_time), sandbox.quoted(table.known_at)
            future = f"future.{name}"
            self._connection.execute(
                f"CREATE OR REPLACE TABLE {sandbox.quoted(future)} AS FROM {sandbox.quoted(_base(name, table))} "
                f"WHERE {happened} >= $start AND {happened} < $end AND {known} < $known_before",
                {"start": window.start, "end": window.end, "known_before": window.known_before},
            )
            rows = self._read(name, table, later)
            inside = pc.and_(
                pc.and_(
                    pc.greater_equal(rows[table.event_time], pa.scalar(window.start)),
                    pc.less(rows[table.event_time], pa.scalar(window.end)),
                ),
                pc.less(rows[table.known_at], pa.scalar(window.known_before)),
            )
            sandbox.append(self._connection, future, rows.filter(inside))

    def set_population(self, entities: pa.Array | pa.ChunkedArray) -> None:
        """Offer the entities in scope at D to feature and label SQL as the table population."""
        self._connection.execute("DROP TABLE IF EXISTS population")
        table = pa.table({self.use_case.problem.entity: entities.cast(pa.string())})
        sandbox.create_table(self._connection, "population", table)

    def select(self, sql: str, *, where: str) -> pa.Table:
        """The rows of a SELECT that was checked when the use case was loaded."""
        assert self.day is not None
        moment = self.use_case.clock.instant(self.day)
        return sandbox.run_select(self._connection, sql, where=where, scoring_at=moment)

    def _read(self, name: str, table: Table, days: list[date]) -> pa.Table:
        schema = masked_schema(table)
        return pa.concat_tables([self._week(name, day).cast(schema) for day in days])

    def _week(self, name: str, day: date) -> pa.Table:
        """The rows of one partition; windows of neighbouring dates overlap, so one after D is read once and kept."""
        if (name, day) in self._ahead:
            return self._ahead[name, day]
        rows = self._read_week(name, day)
        if self.day is not None and day > self.day:
            self._ahead[name, day] = rows
        return rows


def _base(name: str, table: Table) -> str:
    return name + VERSIONS_SUFFIX if table.kind == "versions" else name


def _newest_version(name: str, table: Table, *, before: datetime) -> str:
    """A view with the newest known version per entity: of the last change, of that the one that became known last.

    A change that is known ahead counts once its day has come; where nothing else is known, the first to come does. Of
    versions with other keys the content decides before the order of their tokens, which says nothing.
    """
    entity = ", ".join(sandbox.quoted(column) for column in table.entity)
    by = [table.known_at, *table.key]
    if table.tokens.keys() & set(table.key) - set(table.entity):
        by += table.kept
    order = sorted(dict.fromkeys(by), key=table.tokens.__contains__)
    happens = sandbox.quoted(table.event_time)
    is_ahead = f"{happens} >= TIMESTAMPTZ '{before.isoformat()}'"
    return (
        f"CREATE OR REPLACE VIEW {sandbox.quoted(name)} AS SELECT * FROM {sandbox.quoted(name + VERSIONS_SUFFIX)} "
        f"QUALIFY row_number() OVER (PARTITION BY {entity} ORDER BY "
        f"{is_ahead}, CASE WHEN {is_ahead} THEN {happens} END, {happens} DESC, "
        f"{', '.join(f'{sandbox.quoted(column)} DESC' for column in order)}) = 1"
    )
