"""A DuckDB connection in which user SQL sees the tables it was given and nothing else.

No file, no network, no setting, one thread. Which SQL may run in it is decided by guard.py, once, at load. What the
tables hold, and that they end at D, is the caller's business.
"""

from __future__ import annotations

import itertools
import os
import re
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from ds_pipeline.errors import FeatureError

CLOSED: dict[str, Any] = {
    "threads": 1,  # sums of doubles differ between runs with two, and the same inputs must give the same bytes
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}

# An endless recursion would hang whoever loads the use case, or a run on Monday night. On tables without rows a query
# takes milliseconds; in a run the slowest of a week takes seconds.
CHECK_SECONDS, RUN_SECONDS = 10, 600
CHECK_MEMORY = "1 GiB"
# What makes one huge value, such as repeat('x', 2000000000), neither asks for memory nor hears that it is to end; only
# its process can be ended, before the machine ends it or another one.
PATIENCE = 10  # seconds after it was told to end
EXCESS = 2  # times the memory it may take: the result, and what else the process does, come on top
ENDED = 2  # the exit code of whatever is wrong with a use case
STATM = Path("/proc/self/statm")
LOOK = 0.05  # seconds between two looks
UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
LIMITS = (duckdb.OutOfMemoryException, duckdb.InterruptException)
SPILL = "16 GiB"  # on the disk, beyond the memory; DuckDB itself would take nine tenths of what is free

_spill_numbers = itertools.count()


class ResultColumn(NamedTuple):
    """One column of a result: its name and DuckDB's name of its type, such as DECIMAL(18,3)."""

    name: str
    type: str


def connect(time_zone: str, *, memory: str | None = None) -> duckdb.DuckDBPyConnection:
    """An empty in-memory database, closed to the outside; days and truncations follow the time zone.

    Args:
        memory: how much it may take, such as CHECK_MEMORY; None is half of what DuckDB would: weeks are built side by
            side, and the rest of the run needs room too.

    Raises:
        FeatureError: DuckDB does not know the time zone.
    """
    # What does not fit into memory goes to a private folder, not to DuckDB's default: .tmp where the run was started.
    spill = f"{_spill_folder().name}/{next(_spill_numbers)}"
    spilling = {"temp_directory": spill, "max_temp_directory_size": SPILL}
    connection = duckdb.connect(":memory:", config=CLOSED | spilling)
    amount, unit = _memory_of(connection).split()
    connection.execute("SET memory_limit = ?", [memory or f"{float(amount) / 2} {unit}"])
    try:
        connection.execute("SET TimeZone = ?", [time_zone])
    except duckdb.Error as error:
        connection.close()
        raise FeatureError(f"the time zone {time_zone} is unknown. Use a name such as Europe/London.") from error
    connection.execute("SET enable_progress_bar = false")  # it would write into what a command prints
    connection.execute("SET lock_configuration = true")
    return connection


def _memory_of(connection: duckdb.DuckDBPyConnection) -> str:
    """How much memory a database may take, such as 9.3 GiB."""
    (limit,) = connection.execute("SELECT current_setting('memory_limit')").fetchall()[0]
    return str(limit)


@contextmanager
def _limited(seconds: float, connection: duckdb.DuckDBPyConnection, *, where: str) -> Iterator[None]:
    """Stops what runs inside, and says so with a FeatureError; and names the memory where that is not enough.

    Where it cannot be stopped, the process is ended.
    """
    late, done = threading.Event(), threading.Event()
    amount, unit = _memory_of(connection).split()
    most = _resident() + EXCESS * float(amount) * UNITS[unit]

    def watch() -> None:
        began = time.monotonic()
        while not done.wait(LOOK):
            took = time.monotonic() - began
            if took > seconds:
                late.set()
                connection.interrupt()
            if took > seconds + PATIENCE:
                _end(f"{where}: the query was told to end after {seconds:g} seconds and did not.")
            if _resident() > most:
                _end(f"{where}: the query takes more than {EXCESS} times the {amount} {unit} of memory that it may.")

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise FeatureError(
            f"{where}: the query needs more than the {amount} {unit} of memory and the {SPILL} of disk that "
            "it may take. Filter or aggregate earlier; a recursive query has to end."
        ) from None
    except duckdb.InterruptException:
        if not late.is_set():
            raise
        raise FeatureError(
            f"{where}: the query was stopped after {seconds:g} seconds, the most it may take. Filter or aggregate "
            "earlier; a recursive query has to end, so give it a WHERE that comes true no more."
        ) from None
    finally:
        done.set()
        watching.join()  # or it would interrupt the next query


def _end(why: str) -> None:
    """End this process with one line, and leave nothing on the disk but what is whole."""
    advice = "A function that makes a huge value does that, or a long list: make smaller ones."
    os.write(2, f"ds-pipeline: {why} The process was ended. {advice}\n".encode())
    shutil.rmtree(_spill_folder().name, ignore_errors=True)
    os._exit(ENDED)


def _resident() -> int:
    """Bytes of memory that this process holds; where the system does not tell, the most it ever held."""
    if STATM.exists():
        return int(STATM.read_bytes().split()[1]) * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@cache
def _spill_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder that only the user can enter, removed when the process ends."""
    return tempfile.TemporaryDirectory(prefix="ds-pipeline-")


def create_table(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Copy an Arrow table into the database under a (possibly schema-qualified) name."""
    _from_arrow(connection, f"CREATE TABLE {quoted(name)} AS SELECT * FROM _incoming", table)


def append(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Add the rows of an Arrow table, with the same columns in the same order, to a table that is there."""
    _from_arrow(connection, f"INSERT INTO {quoted(name)} SELECT * FROM _incoming", table)


def _from_arrow(connection: duckdb.DuckDBPyConnection, sql: str, table: pa.Table) -> None:
    connection.register("_incoming", table)
    try:
        connection.execute(sql)
    finally:
        connection.unregister("_incoming")


def quoted(name: str) -> str:
    """A table name as an SQL identifier, part by part."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def result_columns(
    connection: duckdb.DuckDBPyConnection, sql: str, *, where: str, scoring_at: datetime
) -> list[ResultColumn]:
    """The columns of one user SELECT, which is run on tables without rows: the messages may then quote everything.

    The caller has checked the text with sql_guard.require_safe.
    """
    parameters = _parameters(connection, sql, where=where, scoring_at=scoring_at)
    statement, above = split_head(sql)
    try:
        with _limited(CHECK_SECONDS, connection, where=where):
            # execute, not sql as below: only then do DuckDB's messages say the line.
            found = connection.execute(statement, parameters).description or []
    except duckdb.Error as error:
        raise explained(error, where, above) from error
    return [ResultColumn(name, str(kind)) for name, kind, *_ in found]


def run_select(connection: duckdb.DuckDBPyConnection, sql: str, *, where: str, scoring_at: datetime) -> pa.Table:
    """The rows of one user SELECT, in no particular order; $scoring_at, if it is used, is the instant D begins.

    The caller has checked the text with sql_guard.require_safe.

    Raises:
        FeatureError: names the fault in the text; of a fault in the data only its kind, because DuckDB quotes cells.
    """
    parameters = _parameters(connection, sql, where=where, scoring_at=scoring_at)
    with _limited(RUN_SECONDS, connection, where=where):
        return _rows(connection, sql, parameters, where=where)


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, datetime] | None, *, where: str
) -> pa.Table:
    try:
        relation = connection.sql(sql, params=parameters)  # binds, and reads no row
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
        raise explained(error, where) from error
    except LIMITS:
        raise
    except duckdb.Error as error:
        raise _hidden(error, where) from None
    try:
        return relation.to_arrow_table()
    except LIMITS:
        raise
    except duckdb.Error as error:
        raise _hidden(error, where) from None  # a chained error would print the cell after all


def _parameters(
    connection: duckdb.DuckDBPyConnection, sql: str, *, where: str, scoring_at: datetime
) -> dict[str, datetime] | None:
    try:
        used = connection.extract_statements(sql)[0].named_parameters
    except duckdb.Error as error:
        raise explained(error, where) from error
    unknown = sorted(set(used) - {"scoring_at"})
    if unknown:
        raise FeatureError(f"{where}: unknown parameter ${', $'.join(unknown)}; known: $scoring_at.")
    return {"scoring_at": scoring_at} if used else None


def split_head(sql: str) -> tuple[str, int]:
    """A statement without the comment lines above it, and their number: DuckDB's positions get lost over them."""
    head = re.match(r"(?:\s*--[^\n]*\n)*\s*", sql)
    text = head.group() if head else ""
    return sql[len(text) :], text.count("\n")


def explained(error: duckdb.Error, where: str, above: int = 0) -> FeatureError:
    """DuckDB's own words without the excerpt, and the line it points to.

    Args:
        above: lines of the file above the statement.
    """
    text, *excerpt = re.split(r"\n+LINE (\d+): ", str(error), maxsplit=1)
    place = f"{where}:{int(excerpt[0]) + above}" if excerpt else where
    return FeatureError(f"{place}: {' '.join(text.split())}")


def _hidden(error: duckdb.Error, where: str) -> FeatureError:
    return FeatureError(
        f"{where}: the query fails on the data ({type(error).__name__}); the values are not shown. "
        "Check casts and divisions; try_cast and nullif give NULL instead."
    )
