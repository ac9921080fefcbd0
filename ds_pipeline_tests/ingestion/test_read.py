"""Faults of a file as a whole: each stops the run, and no message holds a cell or a folder."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.clock import Clock
from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.ingest import split_weeks
from ds_pipeline.ingestion.read import read_source, source_digest
from ds_pipeline.starter.profile import SourceFile
from ds_pipeline.use_case.sources import Table

SECRET = "4929-1111"
ROWS = pa.table(
    {
        "payment": [1, 2],
        "amount": [1.5, 2.5],
        "note": [SECRET, None],
        "paid_at": [datetime(2011, 3, 1, 9), datetime(2011, 3, 2, 9, 0, 0, 250000)],
    }
)
HEADER = b"payment,amount,note,paid_at\n"
Read = Callable[..., pa.Table]


@pytest.fixture
def table(declare: Callable[..., Table]) -> Table:
    return declare()


@pytest.fixture
def read(tmp_path: Path, table: Table) -> Read:
    """Write a source and read it back."""

    def run(content: pa.Table | bytes, table: Table = table) -> pa.Table:
        is_csv = isinstance(content, bytes)
        table = table.model_copy(update={"format": "csv", "path": "data/payments.csv"}) if is_csv else table
        path = tmp_path / table.path
        path.parent.mkdir(exist_ok=True)
        if is_csv:
            path.write_bytes(content)
        else:
            pq.write_table(content, path)
        return read_source(table, name="payments", project=tmp_path)

    return run


@pytest.mark.parametrize(
    ("values", "read_as"),
    [
        pytest.param(pa.array([[1, 2], None]), [None, None], id="list"),
        pytest.param(pa.array([{"sku": "x"}, None]), [None, None], id="struct"),
        pytest.param(pa.array([b"\xff\x00", None]), [None, None], id="binary"),
        pytest.param(
            pa.array([bytes(range(16)), None], pa.binary(16)), [str(UUID(bytes=bytes(range(16)))), None], id="uuid"
        ),
    ],
)
def test_a_column_of_any_type_can_be_dropped(
    read: Read, declare: Callable[..., Table], values: pa.Array, read_as: list[str | None]
) -> None:
    """Nothing could be declared of a list or a UUID, not even that it goes."""
    dropped = {"type": "string", "nullable": True, "treatment": "drop", "identifies": "no"}
    rows = pa.table({"it": values, "paid_at": ROWS["paid_at"]})

    assert read(rows, declare({"it": dropped}))["it"].to_pylist() == read_as
    with pytest.raises(SourceError, match="it: expected string, found"):
        read(rows, declare({"it": dropped | {"treatment": "keep"}}))


def test_a_folder_of_partitions_gives_no_column(tmp_path: Path, declare: Callable[..., Table]) -> None:
    folder = tmp_path / "data" / "payments" / "month=2011-03"
    folder.mkdir(parents=True)
    pq.write_table(ROWS, folder / "part-0.parquet")

    assert "month" not in read_source(declare(path="data/payments"), name="payments", project=tmp_path).column_names
    assert "month" not in SourceFile(tmp_path, "data/payments/month=2011-03/part-0.parquet", "p").profile().columns


@pytest.fixture
def fault(read: Read, tmp_path: Path) -> Callable[..., str]:
    """The message about a source that cannot be used, free of cells and folders with all that is chained to it."""

    def run(content: Any, *more: Any) -> str:
        with pytest.raises(SourceError) as error:
            read(content, *more)
        shown = "".join(traceback.format_exception_only(error.value)) + str(error.value.__cause__)
        assert error.value.__suppress_context__ or error.value.__context__ is None
        assert SECRET not in shown
        assert str(tmp_path) not in shown
        return str(error.value)

    return run


def test_rows_come_with_their_number(read: Read) -> None:
    assert read(ROWS)["_row_number"].to_pylist() == [0, 1]


def test_columns_come_in_declared_order(read: Read) -> None:
    turned = ROWS.select(["paid_at", "note", "amount", "payment"])

    assert read(turned).column_names == ["payment", "amount", "note", "paid_at", "_row_number"]


def test_a_missing_file_is_named_below_the_project(table: Table, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^payments \(data/payments.parquet\): the file is missing") as error:
        read_source(table, name="payments", project=tmp_path)

    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda rows: rows.drop_columns("note"), "; missing: note.", id="missing"),
        pytest.param(lambda rows: rows.append_column("iban", rows["note"]), "; not declared: iban.", id="extra"),
        pytest.param(lambda rows: rows.append_column("note", rows["note"]), "; a column name is there twice.", id="2"),
        pytest.param(
            lambda rows: rows.rename_columns(["payment", "Amount", "note", "paid_at"]),
            "; missing: amount; not declared: Amount.",
            id="renamed",
        ),
    ],
)  # fmt: skip
def test_other_columns_are_refused(fault: Callable[..., str], change: Callable[..., Any], message: str) -> None:
    """In parquet a doubled column was reported as a damaged file."""
    assert message in fault(change(ROWS))
    assert message in fault(to_csv(change(ROWS)))


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        pytest.param("amount", pa.array(["1", "2"]), "amount: expected double, found string", id="text-as-number"),
        pytest.param("note", pa.array([1, 2]), "note: expected string, found int64", id="number-as-text"),
        pytest.param("paid_at", pa.array(["2011"] * 2), "paid_at: expected timestamp, found string", id="text-as-time"),
        pytest.param("payment", pa.array([True, False]), "payment: expected integer, found bool", id="flag-as-number"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_refused(fault: Callable[..., str], name: str, values: pa.Array, message: str) -> None:
    assert message in fault(ROWS.set_column(ROWS.column_names.index(name), name, values))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        pytest.param("note", pa.array(["a", "b"]).dictionary_encode(), id="dictionary"),
        pytest.param("note", pa.array(["a", "b"], pa.large_string()), id="large-string"),
        pytest.param("note", pa.nulls(2), id="all-null"),
        pytest.param("payment", pa.array([1.0, 2.0]), id="integer-as-double"),
        pytest.param("paid_at", pa.array([date(2011, 3, 1)] * 2), id="date-as-timestamp"),
    ],
)
def test_a_type_that_can_hold_the_declared_one_is_accepted(read: Read, name: str, values: pa.Array) -> None:
    assert read(ROWS.set_column(ROWS.column_names.index(name), name, values)).num_rows == 2


def test_a_table_without_rows_is_refused(fault: Callable[..., str]) -> None:
    assert "expected rows, found none" in fault(ROWS.slice(0, 0))
    assert "expected rows, found none" in fault(HEADER)


@pytest.mark.parametrize("kept", [pytest.param(0, id="nothing"), pytest.param(100, id="the-first-bytes")])
def test_a_truncated_parquet_file_is_refused(read: Read, table: Table, tmp_path: Path, kept: int) -> None:
    read(ROWS)
    path = tmp_path / table.path
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(SourceError, match="not a readable parquet file") as error:
        read_source(table, name="payments", project=tmp_path)

    assert error.value.__suppress_context__
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(HEADER + f"1,2,{SECRET},2011-03-01,x\n".encode(), id="ragged"),
        pytest.param(HEADER + b"1,2,\xff\xfe,2011-03-01\n", id="not-utf-8"),
        pytest.param(b"payment,amount,n\xf6te,paid_at\n1,2,a,2011-03-01\n", id="header-not-utf-8"),
        pytest.param((HEADER + b"1,2,a,2011-03-01\n").decode().encode("utf-16"), id="utf-16"),
    ],
)
def test_a_damaged_csv_file_is_refused(fault: Callable[..., str], content: bytes) -> None:
    """Arrow's message, which quotes the ragged row, was chained and so got into logs."""
    assert "not a readable csv file" in fault(content)


def test_a_csv_cell_may_hold_line_breaks_quotes_and_a_file_a_byte_order_mark(read: Read) -> None:
    content = b'\xef\xbb\xbf' + HEADER + b'1,2,"a\n""b"", c",2011-03-01\r\n2,"",NA,2011-03-02\r\n'  # fmt: skip

    rows = read(content)

    assert rows["note"].to_pylist() == ['a\n"b", c', "NA"]
    assert rows["amount"].to_pylist() == ["2", None]


def test_line_breaks_in_cells_are_read_in_large_files_too(read: Read) -> None:
    """Beyond the first block of 1 MB a quoted line break was taken for the end of a row."""
    line = b'1,2,"' + b"a" * 70_000 + b'\nb",2011-03-01\n'

    assert read(HEADER + line * 40).num_rows == 40


def test_csv_and_parquet_give_the_same_weeks(read: Read, table: Table, clock: Clock) -> None:
    weeks = [
        split_weeks(read(content), table, name="payments", clock=clock, days=[clock.first])[0]
        for content in (ROWS, to_csv(ROWS))
    ]

    pd.testing.assert_frame_equal(weeks[0].kept, weeks[1].kept)
    assert len(weeks[0].kept) == 2


def test_a_changed_source_has_another_digest(read: Read, table: Table, tmp_path: Path) -> None:
    read(ROWS)
    before = source_digest(table, name="payments", project=tmp_path)
    read(ROWS)
    assert source_digest(table, name="payments", project=tmp_path) == before
    read(ROWS.slice(1))
    assert source_digest(table, name="payments", project=tmp_path) != before


def to_csv(rows: pa.Table) -> bytes:
    return rows.to_pandas().to_csv(index=False).encode()


def test_the_first_record_of_a_file_without_a_header_is_not_shown(
    tmp_path: Path, declare: Callable[..., Table]
) -> None:
    """The names of undeclared columns were shown; without a header row they were a customer."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "payments.csv").write_text("Patel,anna@example.org,07700900375,2011-03-01\n")
    with pytest.raises(SourceError, match="is there a header row") as error:
        read_source(declare(path="data/payments.csv", format="csv"), name="payments", project=tmp_path)
    assert not any(part in str(error.value) for part in ("Patel", "anna", "07700900375"))
    assert "column 1" in str(error.value)


def test_the_field_names_of_a_nested_column_are_not_shown(tmp_path: Path, declare: Callable[..., Table]) -> None:
    table = declare()
    (tmp_path / "data").mkdir()
    rows = {name: [{"jane@example.org": "x"}] for name in table.columns}
    pq.write_table(pa.table(rows), tmp_path / "data" / "payments.parquet")
    with pytest.raises(SourceError, match=r"found struct[;.]") as error:
        read_source(table, name="payments", project=tmp_path)
    assert "jane" not in str(error.value)
