"""Read a table by query from PostgreSQL or SQLite through ADBC: only the rows of a window, in record batches.

The address comes from the environment and appears in no message. The session may only read. A connection that is lost
is opened again a few times, ever later; the query then begins anew, so that no row comes twice.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, SecretStr, ValidationError, create_model
from pydantic_settings import BaseSettings, SettingsConfigDict

from ds_pipeline.digests import digest_json
from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.cast import exact_numbers
from ds_pipeline.ingestion.classes import require_class
from ds_pipeline.use_case.sources import Table

PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds before the second, third, ... attempt
CONNECT_SECONDS = 10
READ_ONLY = "SET default_transaction_read_only = on"
SLACK = timedelta(days=1)  # around a window: its exact cut, in the table's time zone, is made in memory
LOST = ("08", "53", "57P", "40")  # SQLSTATE: connection, resources, shutdown, a conflict that another try resolves
OF_THE_QUERY = "42"  # SQLSTATE: names and syntax; a message of this class quotes the query and no cell
ENDED = ("FATAL:", "server closed")  # while rows arrive, Arrow tells a lost connection from an answer by text alone
REFUSED = ("authentication failed", "does not exist", "no pg_hba.conf entry", "permission denied")
SQLITE_NAMES = r'no such (?:table|column|function): [\w."]{1,80}|near "[^"]{1,40}": syntax error'
SQLITE_BUSY = ("database is locked", "database table is locked", "database schema is locked")
ISO_GLOB = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"
Connection = Any  # of adbc_driver_manager.dbapi
Columns = list[tuple[str, pa.DataType]]
Answer = TypeVar("Answer")


class Window(NamedTuple):
    """The rows known at or after an instant and before another; None: without that end."""

    start: datetime | None
    end: datetime | None


WHOLE = Window(None, None)


@dataclass(frozen=True)
class SourceState:
    """What a source looks like from outside.

    Attributes:
        weeks: one digest per week, and a last one for all that became known later.
        rows: how many it has; None where counting means reading it.
    """

    weeks: list[str]
    rows: int | None


class _Connection(BaseSettings):
    """The address of a database: from the environment, else from .envrc.local; never printed."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)


def read_query(table: Table, *, name: str, project: Path, window: Window, check: Callable[[Columns], None]) -> pa.Table:
    """The declared columns of the rows in a window, ordered by known_at and then all columns.

    Rows without a date come too, so that they can be reported. Types that Arrow has no name for come as text, numbers
    of any length exactly; of SQLite, whose columns have no types, every cell comes as text.

    Args:
        check: raises unless the columns of the query can be used.

    Raises:
        SourceError: no address, no answer, a query that does not run, or what `check` raises.
    """

    def work(connection: Connection) -> tuple[pa.Table, Columns]:
        columns = _columns(connection, table)
        check(columns)
        wanted = ", ".join(_selected(column, dict(columns)[column]) for column in table.columns)
        undated = _undated(table, is_sqlite=_vendor_is_sqlite(connection))
        sql = f"SELECT {wanted} FROM {_inner(table)}{_predicate(table, window, undated)}"
        return _fetch(connection, sql), columns

    rows, columns = _with_connection(work, table, name=name, project=project)
    types = dict(columns)
    arrays = {
        column: _decoded(
            rows[column].combine_chunks(), types[column], declared.type, where=f"{name} ({table.lies_at}), {column}"
        )
        for column, declared in table.columns.items()
    }
    decoded = pa.table(arrays)
    if decoded.num_rows == 0:
        return decoded
    known_at = table.source_name(table.known_at)
    order = [known_at, *(column for column in decoded.column_names if column != known_at)]
    return decoded.sort_by([(column, "ascending") for column in order if not pa.types.is_null(decoded[column].type)])


def column_types(table: Table, *, name: str, project: Path) -> Columns:
    """The columns of a query with their types; of SQLite every one is a null, since any type may follow."""
    return _with_connection(lambda connection: _columns(connection, table), table, name=name, project=project)


def read_state(table: Table, *, name: str, project: Path, starts: list[datetime]) -> SourceState:
    """The state of a query week by week: how many rows became known in each, and the newest of them.

    One aggregate, worked out in the database. It sees rows that come, go or move to another week. It does not see a
    row that is changed in place under the same known_at, nor one that is replaced by another of its week: a table that
    does that is not one of versions, and `history --rebuild` reads it again. Rows without a date change every week.

    Args:
        starts: the instants at which weeks 0, 1, ... end.
    """
    known_at = quoted(table.source_name(table.known_at))
    week = " ".join(f"WHEN {known_at} < {_literal(start, table)} THEN {number}" for number, start in enumerate(starts))

    def work(connection: Connection) -> pa.Table:
        undated = _undated(table, is_sqlite=_vendor_is_sqlite(connection))
        buckets = f"CASE WHEN {undated} THEN -1 {week} ELSE {len(starts)} END"
        return _fetch(
            connection,
            "SELECT bucket, count(*) AS rows_there, CAST(max(known) AS text) AS newest FROM "
            f"(SELECT {known_at} AS known, {buckets} AS bucket FROM {_inner(table)}) AS dated GROUP BY bucket",
        )

    counted = _with_connection(work, table, name=name, project=project)
    states = {row["bucket"]: [row["rows_there"], row["newest"]] for row in counted.to_pylist()}
    asked = [table.query, states.get(-1)]
    weeks = [digest_json([*asked, states.get(number)]) for number in range(len(starts) + 1)]
    return SourceState(weeks, rows=sum(rows for rows, _ in states.values()))


def count_rows(table: Table, *, name: str, project: Path) -> int:
    """How many rows a query has, counted in the database."""
    sql = f"SELECT count(*) AS rows_there FROM {_inner(table)}"
    counted = _with_connection(lambda connection: _fetch(connection, sql), table, name=name, project=project)
    return int(counted["rows_there"][0].as_py())


def comes_as_text(kind: pa.DataType) -> bool:
    """Whether a type of a database has no counterpart in Arrow; its cells are then read as text."""
    return isinstance(kind, pa.BaseExtensionType)


def _address(table: Table, project: Path, *, where: str) -> SecretStr:
    variable = str(table.connection_env)
    settings = create_model("Address", __base__=_Connection, uri=(SecretStr, Field(validation_alias=variable)))
    try:
        return settings(_env_file=project / ".envrc.local").uri  # type: ignore[attr-defined,call-arg]
    except ValidationError:
        raise SourceError(
            f"{where}: {variable} is not set. Put the address of the database, postgresql://... or sqlite:///..., into "
            "the environment or .envrc.local; never into sources.yaml."
        ) from None


@contextmanager
def _connected(table: Table, *, name: str, project: Path) -> Iterator[Connection]:
    where = f"{name} ({table.lies_at})"
    uri = _address(table, project, where=where).get_secret_value()
    scheme, _, rest = uri.partition("://")
    if scheme in ("postgresql", "postgres"):
        from adbc_driver_postgresql import dbapi as postgresql  # type: ignore[import-untyped]

        timeout = "" if "connect_timeout=" in uri else f"{'&' if '?' in uri else '?'}connect_timeout={CONNECT_SECONDS}"
        with postgresql.connect(uri + timeout, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(READ_ONLY)
            cursor.execute(f"SET TIME ZONE '{table.time_zone}'")
            yield connection
    elif scheme == "sqlite" and rest.startswith("/"):
        from adbc_driver_sqlite import dbapi as sqlite

        path = (project / rest[1:]).resolve()
        if not path.is_file():
            raise SourceError(f"{where}: the SQLite file is missing. Correct {table.connection_env}.")
        require_class(path, table, where=where, shown="FILE")
        with sqlite.connect(f"{path.as_uri()}?mode=ro", autocommit=True) as connection:
            yield connection
    else:
        raise SourceError(f"{where}: {table.connection_env} is not an address of the form postgresql:// or sqlite:///.")


def _with_connection(work: Callable[[Connection], Answer], table: Table, *, name: str, project: Path) -> Answer:
    """What work gives on a new connection; one that is lost is tried again after a pause."""
    from adbc_driver_manager import dbapi

    where = f"{name} ({table.lies_at})"
    is_busy = False
    for pause in (*PAUSES, None):
        try:
            with _connected(table, name=name, project=project) as connection:
                return work(connection)
        except (dbapi.Error, pa.ArrowException, OSError) as error:  # their messages hold the address, or cells
            is_busy = any(said in str(error) for said in SQLITE_BUSY)
            problem = None if is_busy else _problem(error)
        if problem is not None:
            raise SourceError(f"{where}: {problem}")
        if pause is not None:
            time.sleep(pause)
    if is_busy:
        raise SourceError(
            f"{where}: the SQLite database is locked; another program was writing to it at each of {len(PAUSES) + 1} "
            f"attempts, with {sum(PAUSES):g} seconds of pauses. Let it finish. Nothing was written; run again."
        )
    raise SourceError(
        f"{where}: the database could not be reached, or the connection was lost, {len(PAUSES) + 1} times, with "
        f"{sum(PAUSES):g} seconds of pauses. Is it up, and is {table.connection_env} right? "
        "Nothing was written; run again."
    )


def _problem(error: Exception) -> str | None:
    """What to tell of an error that another attempt would not mend; None for a connection that was lost."""
    state, text = getattr(error, "sqlstate", None) or "", str(error)
    if state.startswith(OF_THE_QUERY):
        said = re.search(r"ERROR:\s+(.*)", text)
        return f"the query does not run: {said[1] if said else f'SQLSTATE {state}'}. Correct query in sources.yaml."
    if "file is not a database" in text:
        return "the file is no SQLite database, or an encrypted or damaged one. Correct the address in the environment."
    if names := re.search(SQLITE_NAMES, text):
        return f"the query does not run: {names[0]}. Correct query in sources.yaml."
    if not state and any(part in text for part in REFUSED):
        return "the database refuses the user, or there is none of that name. Correct the address in the environment."
    is_answer = "ERROR:" in text and not any(part in text for part in ENDED)
    if state.startswith(LOST) or (not state and not is_answer and isinstance(error, OSError | _operational())):
        return None
    code = f", SQLSTATE {state}" if state else ""
    return f"the database cannot answer the query ({type(error).__name__}{code}; what it says may hold cells)."


def _operational() -> type[Exception]:
    from adbc_driver_manager import dbapi

    return dbapi.OperationalError


def _fetch(connection: Connection, sql: str) -> pa.Table:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        reader = cursor.fetch_record_batch()
        return pa.Table.from_batches(list(reader), reader.schema)


def _columns(connection: Connection, table: Table) -> Columns:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {_inner(table)} LIMIT 0")
        schema = cursor.fetch_record_batch().schema
    if _vendor_is_sqlite(connection):  # it has no types before there are rows
        return [(field.name, pa.null()) for field in schema]
    return [(field.name, field.type) for field in schema]


def _vendor_is_sqlite(connection: Connection) -> bool:
    return str(connection.adbc_get_info()["vendor_name"]).lower() == "sqlite"


def _inner(table: Table) -> str:
    """The query as a table. In parentheses nothing but one SELECT is allowed; its last line may be a comment."""
    return f"({str(table.query).rstrip().removesuffix(';')}\n) AS source"


def _selected(name: str, kind: pa.DataType) -> str:
    column = quoted(name)
    if pa.types.is_null(kind):
        # ADBC takes a column's type from the first 1,024 rows: all are text so, and begin with v unless they are null.
        exact = f"CASE typeof({column}) WHEN 'real' THEN printf('%!.17g', {column}) ELSE CAST({column} AS text) END"
        return f"CASE WHEN {column} IS NULL THEN '' ELSE 'v' || {exact} END AS {column}"
    return f"CAST({column} AS text) AS {column}" if comes_as_text(kind) else column


def _decoded(values: pa.Array, kind: pa.DataType, declared: str, *, where: str) -> pa.Array:
    """The cells as the rest of the ingestion expects them."""
    if pa.types.is_null(kind):  # of SQLite
        text = values.cast(pa.string())
        _require_utf8(text, where=where)
        return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), pc.utf8_slice_codeunits(text, 1))
    if comes_as_text(kind) and declared in ("integer", "decimal"):
        return exact_numbers(values)
    return values


def _require_utf8(text: pa.Array, *, where: str) -> None:
    """SQLite takes any bytes for text."""
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        raise SourceError(f"{where}: a text is not UTF-8. Correct the row, or convert it in the query.") from None


def _undated(table: Table, *, is_sqlite: bool) -> str:
    """The condition on known_at under which a row belongs to no week that the database could tell.

    SQLite compares text letter by letter: 'Oct 05 2024' is after every date in ISO form and would be in no window.
    """
    column = quoted(table.source_name(table.known_at))
    missing = f"{column} IS NULL"
    return f"({missing} OR typeof({column}) <> 'text' OR {column} NOT GLOB '{ISO_GLOB}')" if is_sqlite else missing


def _predicate(table: Table, window: Window, undated: str) -> str:
    """The condition on known_at that a window means, with a day of slack on both sides; undated rows are in each."""
    column = quoted(table.source_name(table.known_at))
    parts = []
    if window.start is not None:
        parts.append(f"{column} >= {_literal(window.start - SLACK, table, only_day=True)}")
    if window.end is not None:
        parts.append(f"{column} < {_literal(window.end + SLACK, table, only_day=True)}")
    return f" WHERE ({' AND '.join(parts)}) OR {undated}" if parts else ""


def _literal(moment: datetime, table: Table, *, only_day: bool = False) -> str:
    """An instant as the table writes it; as text it sorts with dates and times in ISO form, T or blank between."""
    local = moment.astimezone(ZoneInfo(table.time_zone))
    return f"'{local:%Y-%m-%d}'" if only_day else f"'{local:%Y-%m-%d %H:%M:%S}'"


def quoted(name: str) -> str:
    """A column as an SQL identifier; a point in it belongs to its name."""
    return '"' + name.replace('"', '""') + '"'
