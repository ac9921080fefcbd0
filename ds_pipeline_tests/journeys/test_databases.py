"""The tables of a use case in a real PostgreSQL and in SQLite: what files give, and only new rows read."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Done, Journey

ENV = "SHOP_DATABASE"
TIMES = {"transactions": "InvoiceDate", "customers": "updated_at"}
CUT = "2011-07-25"  # rows from that Monday on come later
Load = Callable[[str, pa.Table], None]


def by_adbc(address: str) -> Load:
    """Append rows to a table of PostgreSQL, which is made if it is not there."""
    from adbc_driver_postgresql import dbapi

    def load(name: str, rows: pa.Table) -> None:
        with dbapi.connect(address, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest(name, rows, mode="create_append")

    return load


def by_sqlite(path: Path) -> Load:
    def load(name: str, rows: pa.Table) -> None:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            columns = ", ".join(f'"{column}"' for column in rows.column_names)
            connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
            marks = ", ".join("?" for _ in rows.column_names)
            cells = [[str(one) if hasattr(one, "year") else one for one in row.values()] for row in rows.to_pylist()]
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", cells)
            connection.commit()

    return load


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_a_use_case_in_a_database_gives_what_its_files_give_and_reads_a_new_week_alone(
    new_journey: Journey, first_run: tuple[Journey, Done], kind: str, request: pytest.FixtureRequest
) -> None:
    journey = new_journey
    journey.begin(date(2011, 6, 20))
    address = request.getfixturevalue("postgresql") if kind == "postgresql" else "sqlite:///data/shop.db"
    load = by_adbc(address) if kind == "postgresql" else by_sqlite(journey.root / "data" / "shop.db")
    later = to_database(journey, load)

    done = journey.cli("history", "--date", CUT, **{ENV: address})
    assert done.code == 0, done.text
    for name, rows in later.items():
        load(name, rows)
    monday = journey.cli("history", **{ENV: address})
    again = journey.cli("history", **{ENV: address})

    assert "6 of 6 weeks to build" in done.out
    assert "1 of 7 weeks to build" in monday.out, monday.text
    assert "all 7 weeks are there" in again.out, again.text
    there = made(first_run[0])
    here = {
        week: rows for week, rows in made(journey).items() if rows["scoring_date"]
    }  # it begins later, without labels
    assert here == {week: there[week] for week in here}
    assert {week.split()[0] for week in here} == {"features", "labels"}
    assert not [text for text in (done.text, monday.text) if address in text]
    assert address.encode() not in b"".join(path.read_bytes() for path in journey.root.rglob("*") if path.is_file())


def test_a_column_that_is_added_to_a_database_is_told_and_one_that_is_gone_stops_the_run(
    new_journey: Journey, postgresql: str
) -> None:
    from adbc_driver_postgresql import dbapi

    journey = new_journey
    journey.begin(date(2011, 6, 20))
    with dbapi.connect(postgresql, autocommit=True) as connection, connection.cursor() as cursor:
        for name in TIMES:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
        later = to_database(journey, by_adbc(postgresql), added_columns="warn")
        assert journey.cli("history", "--date", CUT, **{ENV: postgresql}).code == 0
        for name, rows in later.items():
            by_adbc(postgresql)(name, rows)

        cursor.execute("ALTER TABLE customers ADD COLUMN loyalty_card text")
        added = journey.cli("history", **{ENV: postgresql})
        cursor.execute("ALTER TABLE customers RENAME COLUMN phone TO mobile")
        gone = journey.cli("history", "--rebuild", **{ENV: postgresql})

    assert added.code == 0, added.text
    assert "WARNING: the shape of the source has changed; added: loyalty_card (string)" in added.text
    assert gone.code == 2, gone.text
    assert "missing: phone" in gone.err
    changes = "its shape has changed; added: mobile (string), loyalty_card (string); gone: phone (string)"
    assert changes in " ".join(gone.err.split())


def to_database(journey: Journey, load: Load, **changes: Any) -> dict[str, pa.Table]:
    """Move the files of a project into a database, up to a Monday; the rows that come later."""
    later = {}
    for name, column in TIMES.items():
        rows = pq.read_table(journey.source[name])
        is_early = pc.less(rows[column].cast(pa.timestamp("us")), pa.scalar(CUT).cast(pa.timestamp("us")))
        load(name, rows.filter(is_early))
        later[name] = rows.filter(pc.invert(is_early))
        journey.source[name].unlink()
    with journey.edit("sources.yaml") as sources:
        for name, table in sources["tables"].items():
            del table["path"]
            table |= {"format": "query", "query": f"SELECT * FROM {name}", "connection_env": ENV} | changes
    return later


def made(journey: Journey) -> dict[str, pa.Table]:
    """The features and labels of every week."""
    found = {}
    for folder in ("features", "labels"):
        for path in sorted((journey.store / "datasets" / folder).rglob("*.parquet")):
            found[f"{folder} {path.parent.name}"] = pq.read_table(path).to_pydict()
    assert found
    return found
