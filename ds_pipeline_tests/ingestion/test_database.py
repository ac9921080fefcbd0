"""A table by query, from a real PostgreSQL and a real SQLite: what is asked for, never a cell or an address."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from adbc_driver_manager import dbapi as adbc

from ds_pipeline.clock import Clock
from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion import database
from ds_pipeline.ingestion.cast import cast_columns
from ds_pipeline.ingestion.database import Window
from ds_pipeline.ingestion.ingest import REASON, split_weeks
from ds_pipeline.ingestion.read import ROW_NUMBER, read_source, source_digest, source_shape, source_state
from ds_pipeline.use_case.sources import Table

ENV = "SHOP_DATABASE"
SECRET = "4929-1111"
ROWS = [
    (1, "1.50", "first", "2011-03-01 09:00:00"),
    (2, "2.25", None, "2011-03-08 10:00:00"),
    (3, "3.00", SECRET, "2011-03-15 11:30:00"),
]
Execute = Callable[..., None]
Declare = Callable[..., Table]


@pytest.fixture(params=["postgresql", "sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def execute(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Execute]:
    """Run statements in an empty database, whose address lies in the environment."""
    if kind == "sqlite":
        monkeypatch.setenv(ENV, "sqlite:///shop.db")
        with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as connection:

            def run(*statements: str) -> None:
                for statement in statements:
                    connection.execute(statement)
                connection.commit()

            yield run
    else:
        from adbc_driver_postgresql import dbapi

        address = request.getfixturevalue("postgresql")
        monkeypatch.setenv(ENV, address)
        with dbapi.connect(address, autocommit=True) as connection, connection.cursor() as cursor:

            def run(*statements: str) -> None:
                for statement in statements:
                    cursor.execute(statement)

            run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
            yield run


@pytest.fixture
def payments(execute: Execute) -> Execute:
    """A table of payments with three rows, one in each of three weeks."""
    execute(
        "CREATE TABLE payments (payment bigint, amount numeric(9, 2), note text, paid_at timestamp)",
        *[insert(*row) for row in ROWS],
    )
    return execute


def insert(payment: Any, amount: str, note: str | None, paid_at: str | None) -> str:
    cells = ", ".join("NULL" if one is None else f"'{one}'" for one in (payment, amount, note, paid_at))
    return f"INSERT INTO payments VALUES ({cells})"


@pytest.fixture
def asked(declare: Declare) -> Declare:
    """A table that is read by query."""

    def make(query: str = "SELECT payment, amount, note, paid_at FROM payments", **changes: Any) -> Table:
        return declare(**{"path": "", "format": "query", "query": query, "connection_env": ENV} | changes)

    return make


def fault(table: Table, project: Path) -> str:
    """The message about a table that cannot be read, free of cells, addresses and folders with all chained to it."""
    with pytest.raises(SourceError) as error:
        read_source(table, name="payments", project=project)
    shown = "".join(traceback.format_exception(error.value))
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None
    assert not any(part in str(error.value) for part in (SECRET, str(project), "postgresql:///", "host="))
    assert SECRET not in shown.replace(f'SECRET = "{SECRET}"', "")
    return str(error.value)


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2011, 3, day, hour, tzinfo=UTC)


def test_the_rows_of_a_query_are_cast_to_the_declared_types(payments: Execute, asked: Declare, tmp_path: Path) -> None:
    table = asked()

    typed, unreadable = cast_columns(read_source(table, name="payments", project=tmp_path), table)

    assert typed.to_pydict() == {
        "payment": [1, 2, 3],
        "amount": [1.5, 2.25, 3.0],
        "note": ["first", None, SECRET],
        "paid_at": [at(1, 9), at(8, 10), datetime(2011, 3, 15, 11, 30, tzinfo=UTC)],
    }
    assert not any(mask.any() for mask in unreadable.values())


def test_only_the_rows_of_the_window_are_fetched(payments: Execute, asked: Declare, tmp_path: Path) -> None:
    rows = read_source(asked(), name="payments", project=tmp_path, window=Window(at(7), at(14)))

    assert [str(one) for one in rows["payment"].to_pylist()] == ["2"]


def test_what_lies_a_few_hours_outside_is_fetched_and_cut_exactly_in_memory(
    payments: Execute, asked: Declare, clock: Clock, tmp_path: Path
) -> None:
    payments(insert(4, "1", None, "2011-03-13 23:59:59"), insert(5, "1", None, "2011-03-14 00:00:00"))
    table, second, third = asked(), date(2011, 3, 14), date(2011, 3, 21)

    kept = {}
    for day in (second, third):
        raw = read_source(table, name="payments", project=tmp_path, window=Window(*clock.known_window(day)))
        (week,) = split_weeks(raw, table, name="payments", clock=clock, days=[day])
        kept[day] = week.kept["payment"].tolist()

    assert kept == {second: [2, 4], third: [5, 3]}


def test_a_week_is_the_same_whether_fetched_alone_or_with_all_others(
    payments: Execute, asked: Declare, clock: Clock, tmp_path: Path
) -> None:
    payments(insert(7, "-1", None, "2011-03-09"), insert(6, "-1", None, "2011-03-09"))
    table, second = asked(), date(2011, 3, 14)

    weeks = []
    for window in (Window(None, None), Window(*clock.known_window(second))):
        raw = read_source(table, name="payments", project=tmp_path, window=window)
        weeks += split_weeks(raw, table, name="payments", clock=clock, days=[second])

    assert weeks[0].kept.equals(weeks[1].kept)
    assert weeks[0].quarantined.equals(weeks[1].quarantined)
    assert weeks[0].quarantined[[ROW_NUMBER, "payment"]].values.tolist() == [[1, 6], [2, 7]]


def test_a_row_without_a_date_comes_with_every_window_and_stops_the_run(
    payments: Execute, asked: Declare, clock: Clock, tmp_path: Path
) -> None:
    """The condition on known_at would have hidden it."""
    payments(insert(9, "1", None, None))
    table, day = asked(), date(2011, 3, 14)
    raw = read_source(table, name="payments", project=tmp_path, window=Window(*clock.known_window(day)))

    with pytest.raises(SourceError, match=rf"payments \(query on {ENV}\): 1 rows have no date in paid_at"):
        split_weeks(raw, table, name="payments", clock=clock, days=[day])


def test_a_week_without_rows_is_an_answer_and_a_table_without_rows_is_none(
    payments: Execute, asked: Declare, tmp_path: Path
) -> None:
    window = Window(datetime(2012, 3, 1, tzinfo=UTC), datetime(2012, 3, 8, tzinfo=UTC))

    assert read_source(asked(), name="payments", project=tmp_path, window=window).num_rows == 0
    payments("DELETE FROM payments")
    with pytest.raises(SourceError, match="expected rows, found none"):
        read_source(asked(), name="payments", project=tmp_path, window=window)


def test_a_new_row_changes_the_state_of_its_week_alone(payments: Execute, asked: Declare, tmp_path: Path) -> None:
    starts = [at(7), at(14), at(21)]
    before = source_state(asked(), name="payments", project=tmp_path, starts=starts)
    digest = source_digest(asked(), name="payments", project=tmp_path)

    payments(insert(4, "1", None, "2011-03-17"))

    after = source_state(asked(), name="payments", project=tmp_path, starts=starts)
    assert [one == other for one, other in zip(before.weeks, after.weeks, strict=True)] == [True, True, False, True]
    assert (before.rows, after.rows) == (3, 4)
    assert source_digest(asked(), name="payments", project=tmp_path) == digest  # nothing of it was read yet
    read_source(asked(), name="payments", project=tmp_path, window=Window(at(14), at(21)))
    assert source_digest(asked(), name="payments", project=tmp_path) != digest


def test_another_query_has_another_state(payments: Execute, asked: Declare, tmp_path: Path) -> None:
    one, other = (
        source_digest(asked(query), name="payments", project=tmp_path)
        for query in ("SELECT * FROM payments", "SELECT * FROM payments WHERE 1 = 1")
    )
    assert one != other


def test_a_query_may_begin_with_a_with_and_end_in_a_comment_or_a_semicolon(
    payments: Execute, asked: Declare, tmp_path: Path
) -> None:
    for query in ("WITH p AS (SELECT * FROM payments) SELECT * FROM p;", "SELECT * FROM payments -- all of them"):
        assert read_source(asked(query), name="payments", project=tmp_path).num_rows == 3


@pytest.mark.parametrize(
    ("query", "message"),
    [
        pytest.param("SELECT nope FROM payments", "nope", id="column"),
        pytest.param("SELECT * FROM nope", "nope", id="table"),
        pytest.param("SELECT * FRM payments", "syntax error", id="syntax"),
    ],
)
def test_a_query_that_does_not_run_names_what_is_wrong(
    payments: Execute, asked: Declare, tmp_path: Path, query: str, message: str
) -> None:
    said = fault(asked(query), tmp_path)

    assert said.startswith(f"payments (query on {ENV}): the query does not run: ")
    assert message in said


def test_other_columns_than_declared_are_refused_before_a_row_is_read(
    payments: Execute, asked: Declare, tmp_path: Path
) -> None:
    extra = "SELECT payment, amount, note, paid_at, note AS iban FROM payments"

    assert "missing: note" in fault(asked("SELECT payment, amount, paid_at FROM payments"), tmp_path)
    assert "not declared: iban" in fault(asked(extra), tmp_path)
    assert read_source(asked(extra, added_columns="warn"), name="payments", project=tmp_path).num_rows == 3


def test_a_query_cannot_write(payments: Execute, asked: Declare, kind: str, tmp_path: Path) -> None:
    statement = "DELETE FROM payments RETURNING payment, amount, note, paid_at"
    table = asked().model_copy(update={"query": statement})
    assert "does not run" in fault(table, tmp_path)
    if kind == "postgresql":
        payments(
            "CREATE FUNCTION forget() RETURNS SETOF payments LANGUAGE sql AS 'DELETE FROM payments RETURNING *'",
        )
        assert "the database cannot answer the query" in fault(asked("SELECT * FROM forget()"), tmp_path)
    assert read_source(asked(), name="payments", project=tmp_path).num_rows == 3


def test_an_address_that_is_missing_or_of_another_kind_is_not_shown(
    asked: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENV, raising=False)
    assert f"{ENV} is not set" in fault(asked(), tmp_path)
    monkeypatch.setenv(ENV, f"mysql://user:{SECRET}@host/db")
    assert "is not an address of the form postgresql:// or sqlite:///" in fault(asked(), tmp_path)
    monkeypatch.setenv(ENV, "sqlite:///nowhere.db")
    assert "the SQLite file is missing" in fault(asked(), tmp_path)


def test_an_address_may_lie_in_the_private_file_of_the_project(
    asked: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENV, raising=False)
    (tmp_path / ".envrc.local").write_text(f"export {ENV}=sqlite:///nowhere.db\n")

    assert "the SQLite file is missing" in fault(asked(), tmp_path)


def test_a_lost_connection_is_tried_again_and_no_row_comes_twice(
    payments: Execute, asked: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, attempts = database._fetch, []

    def fetch(connection: Any, sql: str) -> pa.Table:
        attempts.append(sql)
        rows = whole(connection, sql)
        if len(attempts) < 3:
            raise adbc.OperationalError(
                f"server closed the connection, {SECRET}", status_code=adbc._lib.AdbcStatusCode.IO
            )
        return rows

    monkeypatch.setattr(database, "_fetch", fetch)
    monkeypatch.setattr(database, "PAUSES", (0.0, 0.0, 0.0))

    assert read_source(asked(), name="payments", project=tmp_path).num_rows == 3
    assert len(attempts) == 3


def test_a_session_that_the_server_ends_is_opened_again(
    postgresql: str, declare: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the session of the first attempt while its query runs."""
    from adbc_driver_postgresql import dbapi

    monkeypatch.setenv(ENV, postgresql)
    monkeypatch.setattr(database, "PAUSES", (0.0,))
    with dbapi.connect(postgresql, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE IF NOT EXISTS attempts")
        cursor.execute("SELECT setval('attempts', 1, false)")
        cursor.fetchall()
    monkeypatch.setattr(
        database, "READ_ONLY", "SET default_transaction_read_only = off"
    )  # a sequence counts the attempts
    query = (
        "SELECT i AS payment, 1.5 AS amount, CASE WHEN i = 3 THEN (SELECT CASE WHEN nextval('attempts') = 1 "
        "THEN pg_terminate_backend(pg_backend_pid())::text END) ELSE 'x' END AS note, "
        "timestamp '2011-03-01' AS paid_at FROM generate_series(1, 3) i"
    )
    table = declare(path="", format="query", query=query, connection_env=ENV)

    assert read_source(table, name="payments", project=tmp_path)["payment"].to_pylist() == [1, 2, 3]


def test_an_error_that_comes_with_the_rows_is_told_at_once_and_without_a_cell(
    postgresql: str, declare: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENV, postgresql)
    query = (
        f"SELECT i AS payment, CASE WHEN i = 3 THEN '{SECRET}'::text || i ELSE '1' END::numeric AS amount, "
        "'x' AS note, timestamp '2011-03-01' AS paid_at FROM generate_series(1, 3) i"
    )
    table = declare(path="", format="query", query=query, connection_env=ENV)

    assert "the database cannot answer the query (OSError; what it says may hold cells)" in fault(table, tmp_path)


def test_a_database_that_does_not_answer_is_tried_a_bounded_number_of_times(
    asked: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setenv(ENV, f"postgresql://user:{SECRET}@127.0.0.1:1/shop")
    monkeypatch.setattr(database.time, "sleep", slept.append)

    said = fault(asked(), tmp_path)

    assert slept == [1.0, 2.0, 4.0, 8.0]
    assert "could not be reached, or the connection was lost, 5 times, with 15 seconds of pauses" in said
    assert "127.0.0.1" not in said


def test_numbers_of_any_length_keep_every_digit(
    postgresql: str, declare: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """numeric comes as text; as a double two neighbouring numbers of 16 digits were one customer."""
    monkeypatch.setenv(ENV, postgresql)
    query = (
        "SELECT 9007199254740993::numeric AS big, 0.1250::numeric AS small, 'NaN'::numeric AS none, "
        "gen_random_uuid() AS id, '{}'::jsonb AS note, timestamp '2011-03-01' AS paid_at"
    )
    kinds = {"big": "integer", "small": "decimal", "none": "decimal", "id": "string", "note": "string"}
    columns = {name: {"type": one} | ({"scale": 3} if one == "decimal" else {}) for name, one in kinds.items()}
    table = declare(columns, path="", format="query", query=query, connection_env=ENV)

    typed, unreadable = cast_columns(read_source(table, name="payments", project=tmp_path), table)

    assert typed["big"].to_pylist() == [2**53 + 1]
    assert typed["small"].to_pylist() == [Decimal("0.125")]
    assert [name for name, mask in unreadable.items() if mask.any()] == []
    assert typed["none"].to_pylist() == [None]
    assert len(typed["id"][0].as_py()) == 36
    shape = source_shape(table, name="payments", project=tmp_path)
    assert (shape["big"], shape["paid_at"]) == ("numeric", "timestamp[us]")


def test_an_instant_of_postgresql_is_compared_as_an_instant(
    postgresql: str, declare: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENV, postgresql)
    query = "SELECT 1 AS payment, 1 AS amount, 'x' AS note, timestamptz '2011-06-06 23:30+00' AS paid_at"
    table = declare(path="", format="query", query=query, connection_env=ENV)
    monday = datetime(2011, 6, 6, 23, tzinfo=UTC)  # 7 June 00:00 in London

    state = source_state(table, name="payments", project=tmp_path, starts=[monday])
    later = source_state(table, name="payments", project=tmp_path, starts=[monday, at(1)])

    assert state.weeks[0] == database.digest_json([query, None, None])
    assert len(later.weeks) == 3


def test_sqlite_cells_of_any_type_are_read_or_set_aside(
    declare: Declare, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ADBC takes the type of a column from its first rows: a later text, or an all-null beginning, broke the read."""
    monkeypatch.setenv(ENV, "sqlite:///shop.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE payments (payment, amount, note, paid_at)")
        early = [(number, 0.1 + 0.2, None, "2011-03-01") for number in range(1500)]
        connection.executemany("INSERT INTO payments VALUES (?, ?, ?, ?)", early)
        late = [("oops", 1, "", "2011-03-01T10:00:00"), (7, "2.5", "note", "2011-03-01 11:00")]
        connection.executemany("INSERT INTO payments VALUES (?, ?, ?, ?)", late)
        connection.commit()
    table = declare(path="", format="query", query="SELECT * FROM payments", connection_env=ENV)

    raw = read_source(table, name="payments", project=tmp_path)
    (week,) = split_weeks(raw, table, name="payments", clock=clock, days=[clock.first])

    assert week.quarantined[REASON].tolist() == ["unreadable:payment"]
    assert week.kept["amount"].tolist()[:2] == [0.1 + 0.2] * 2
    assert week.kept["note"].dropna().tolist() == ["note"]
    assert len(week.kept) == 1501


def test_bytes_in_sqlite_that_are_no_text_are_refused(
    declare: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENV, "sqlite:///shop.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE payments (payment, amount, note, paid_at)")
        connection.execute("INSERT INTO payments VALUES (1, 1, ?, '2011-03-01')", [b"M\xfcller"])
        connection.commit()
    table = declare(path="", format="query", query="SELECT * FROM payments", connection_env=ENV)

    assert "note: a text is not UTF-8" in fault(table, tmp_path)


def test_a_restricted_table_is_read_from_a_server_and_not_from_a_file(
    payments: Execute, asked: Declare, kind: str, tmp_path: Path
) -> None:
    table = asked(data_class="restricted", synthetic=False)

    if kind == "postgresql":
        assert read_source(table, name="payments", project=tmp_path).num_rows == 3
    else:
        assert "a restricted table may only be read by a database query" in fault(table, tmp_path)


def in_sqlite(project: Path, monkeypatch: pytest.MonkeyPatch, *cells: str) -> None:
    """A table of payments, one for each cell of paid_at."""
    monkeypatch.setenv(ENV, "sqlite:///shop.db")
    with contextlib.closing(sqlite3.connect(project / "shop.db")) as connection:
        connection.execute("CREATE TABLE payments (payment, amount, note, paid_at)")
        for number, cell in enumerate(cells):
            connection.execute(f"INSERT INTO payments VALUES ({number}, 1, 'x', {cell})")
        connection.commit()


@pytest.mark.parametrize(
    "cell", ["'Oct 05 2011'", "'31/12/2011'", "'2011/03/08'", "'20110308'", "1299542400", "x'32303131'", "''"]
)
def test_a_date_of_sqlite_in_another_form_is_fetched_with_every_window_and_stops_the_run(
    asked: Declare, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str
) -> None:
    """Text such as Oct 05 sorts after every date in ISO form: it was in no window, and nobody counted it."""
    in_sqlite(tmp_path, monkeypatch, "'2011-03-08 10:00:00'")
    day = date(2011, 3, 14)
    before = source_state(asked(), name="payments", project=tmp_path, starts=[at(7), at(14)])
    with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute(f"INSERT INTO payments VALUES (9, 1, 'x', {cell})")
        connection.commit()

    raw = read_source(asked(), name="payments", project=tmp_path, window=Window(*clock.known_window(day)))
    after = source_state(asked(), name="payments", project=tmp_path, starts=[at(7), at(14)])

    with pytest.raises(SourceError, match="1 rows have no date in paid_at"):
        split_weeks(raw, asked(), name="payments", clock=clock, days=[day])
    assert not set(before.weeks) & set(after.weeks)


def test_a_locked_sqlite_database_is_tried_again_and_then_named(
    asked: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was told at once, as a query that the database cannot answer."""
    in_sqlite(tmp_path, monkeypatch, "'2011-03-08'")
    slept: list[float] = []
    monkeypatch.setattr(database.time, "sleep", slept.append)
    hold = (
        "import sqlite3, sys; c = sqlite3.connect('shop.db'); c.execute('begin exclusive'); print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        said = fault(asked(), tmp_path)
        holder.communicate(b"\n")

    assert "the SQLite database is locked" in said
    assert slept == [1.0, 2.0, 4.0, 8.0]
    assert read_source(asked(), name="payments", project=tmp_path).num_rows == 1


def test_a_file_that_is_no_database_is_said_to_be_none(
    asked: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENV, "sqlite:///shop.db")
    (tmp_path / "shop.db").write_text(f"payment,note\n1,{SECRET}\n" * 50)

    assert "the file is no SQLite database" in fault(asked(), tmp_path)
