"""Which files a path names, in which order, and how a row in quarantine leads back to its file."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.clock import Clock
from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.ingest import REASON, split_weeks
from ds_pipeline.ingestion.read import FILE, ROW_NUMBER, read_source, source_digest
from ds_pipeline.use_case.sources import Table

HEADER = "payment,amount,note,paid_at\n"
Declare = Callable[..., Table]
Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A CSV file below data/ of the project, with one payment per given number."""

    def make(name: str, *payments: Any, base: str | None = None) -> None:
        text = HEADER + "".join(f"{one},1,x,2011-03-01\n" for one in payments)
        with fsspec.open(f"{base}/{name}" if base else str(tmp_path / "data" / name), "wt", auto_mkdir=True) as file:
            file.write(text)

    return make


@pytest.fixture
def memory() -> Iterator[str]:
    """A place behind a URL, empty before and after."""
    system = fsspec.filesystem("memory")
    yield "memory://shop"
    if system.exists("/shop"):
        system.rm("/shop", recursive=True)


def read(table: Table, project: Path) -> list[tuple[str, str | None, int]]:
    """The rows as (payment, file, row number)."""
    rows = read_source(table, name="payments", project=project)
    files = rows[FILE].to_pylist() if FILE in rows.column_names else [None] * rows.num_rows
    return list(zip(rows["payment"].to_pylist(), files, rows[ROW_NUMBER].to_pylist(), strict=True))


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("data/payments/*.csv", id="pattern"),
        pytest.param("data/payments", id="folder"),
        pytest.param("data/**/p*.csv", id="deep-pattern"),
    ],
)
def test_many_files_are_read_in_the_order_of_their_names(
    declare: Declare, write: Write, tmp_path: Path, path: str
) -> None:
    for name in ("payments/p2.csv", "payments/p10.csv", "payments/p1.csv"):
        write(name, name[9:-4], "last")

    assert read(declare(path=path, format="csv"), tmp_path) == [
        ("p1", "data/payments/p1.csv", 0),
        ("last", "data/payments/p1.csv", 1),
        ("p10", "data/payments/p10.csv", 0),
        ("last", "data/payments/p10.csv", 1),
        ("p2", "data/payments/p2.csv", 0),
        ("last", "data/payments/p2.csv", 1),
    ]


def test_a_folder_holds_the_files_of_the_format_at_any_depth_and_no_hidden_ones(
    declare: Declare, write: Write, tmp_path: Path
) -> None:
    for name in ("a/2011/b.csv", "a/2011/readme.txt", "a/.b.csv.swp", "a/_tmp/c.csv", "a/a.csv"):
        write(name, 1)

    files = [file for _, file, _ in read(declare(path="data/a", format="csv"), tmp_path)]
    assert files == ["data/a/2011/b.csv", "data/a/a.csv"]


def test_a_single_file_has_no_column_of_files(declare: Declare, write: Write, tmp_path: Path) -> None:
    write("payments.csv", 1, 2)

    assert read(declare(path="data/payments.csv", format="csv"), tmp_path) == [("1", None, 0), ("2", None, 1)]


def test_a_file_whose_name_looks_like_a_pattern_is_taken_as_it_is(
    declare: Declare, write: Write, tmp_path: Path
) -> None:
    write("pay[1].csv", "named")
    write("pay1.csv", "matching")

    assert read(declare(path="data/pay[1].csv", format="csv"), tmp_path) == [("named", None, 0)]


@pytest.mark.parametrize("path", ["data/none/*.csv", "data/none.csv", "memory://nowhere/x.csv", "memory://nowhere/*"])
def test_a_path_that_names_nothing_is_an_error(declare: Declare, tmp_path: Path, path: str) -> None:
    with pytest.raises(SourceError, match=r"payments \(.*\): (the file is missing|no file is there that it names)"):
        read(declare(path=path, format="csv"), tmp_path)


def test_files_behind_a_url_are_read_like_local_ones(
    declare: Declare, write: Write, memory: str, tmp_path: Path
) -> None:
    write("2011/b.csv", "b", base=memory)
    write("2011/a.csv.gz", "x", base=memory)
    with fsspec.open(f"{memory}/2011/a.csv.gz", "wb", compression="gzip") as file:
        file.write(f"{HEADER}a,1,x,2011-03-01\n".encode())

    for path in (f"{memory}/2011", f"{memory}/2011/*"):
        assert read(declare(path=path, format="csv"), tmp_path) == [("a", "a.csv.gz", 0), ("b", "b.csv", 0)]
    assert read(declare(path=f"{memory}/2011/b.csv", format="csv"), tmp_path) == [("b", None, 0)]


def test_a_parquet_file_behind_a_url_keeps_its_types(declare: Declare, memory: str, tmp_path: Path) -> None:
    rows = pa.table({"payment": [1], "amount": [1.5], "note": ["x"], "paid_at": pa.array([0], pa.timestamp("us"))})
    with fsspec.open(f"{memory}/p.parquet", "wb") as file:
        pq.write_table(rows, file)

    found = read_source(declare(path=f"{memory}/p.parquet"), name="payments", project=tmp_path)
    assert found.drop_columns(ROW_NUMBER).equals(rows)


def test_the_folder_of_a_file_url_is_in_no_message(declare: Declare, write: Write, tmp_path: Path) -> None:
    write("pay/a.csv", 1)
    (tmp_path / "data" / "pay" / "b.csv").write_text("payment\n1\n")

    with pytest.raises(SourceError, match=r"^payments \(b.csv\): .* missing: amount, note, paid_at") as error:
        read(declare(path=f"file://{tmp_path}/data/pay/*.csv", format="csv"), tmp_path)
    assert str(tmp_path) not in str(error.value)


def test_a_scheme_that_nothing_opens_is_an_error(declare: Declare, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"the place cannot be opened"):
        read(declare(path="nosuchscheme://shop/a.csv", format="csv"), tmp_path)


def test_each_file_of_a_class_is_asked_where_it_lies(declare: Declare, write: Write, tmp_path: Path) -> None:
    write("pay/a.csv", 1)
    write("pay/b.csv", 2)
    for command in (["init"], ["add", "data/pay/b.csv"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, capture_output=True)
    for path in ("data/pay", f"file://{tmp_path}/data/pay"):
        with pytest.raises(SourceError, match=r"b\.csv\): git tracks this file"):
            read(declare(path=path, format="csv", data_class="internal", synthetic=False), tmp_path)


def test_a_faulty_row_leads_back_to_its_file_and_row(
    declare: Declare, clock: Clock, write: Write, tmp_path: Path
) -> None:
    write("pay/a.csv", 1, 2)
    write("pay/b.csv", 3, "oops")
    table = declare(path="data/pay", format="csv")

    raw = read_source(table, name="payments", project=tmp_path)
    (week,) = split_weeks(raw, table, name="payments", clock=clock, days=[date(2011, 3, 7)])

    assert week.kept["payment"].tolist() == [1, 2, 3]
    assert week.quarantined[[FILE, ROW_NUMBER, REASON]].values.tolist() == [
        ["data/pay/b.csv", 1, "unreadable:payment"]
    ]  # fmt: skip


def test_the_digest_changes_with_a_content_a_name_and_a_further_file(
    declare: Declare, write: Write, memory: str, tmp_path: Path
) -> None:
    for base, path in ((None, "data/pay"), (memory, memory)):
        folder = "" if base else "pay/"
        table = declare(path=path, format="csv")
        seen = []
        for name, payment in (("a.csv", 1), ("a.csv", 22), ("b.csv", 1)):
            write(folder + name, payment, base=base)
            seen.append(source_digest(table, name="payments", project=tmp_path))
            assert source_digest(table, name="payments", project=tmp_path) == seen[-1]
        assert len(set(seen)) == 3


def test_a_column_may_change_its_type_between_files_without_losing_a_digit(
    declare: Declare, clock: Clock, tmp_path: Path
) -> None:
    """As doubles, two customers of the second file would have become one."""
    folder = tmp_path / "data" / "pay"
    folder.mkdir(parents=True)
    at = pa.array([date(2011, 3, 1)] * 2)
    first = {"payment": [1.0, 2.5], "amount": pa.array([1, 2], pa.int8()), "note": pa.nulls(2), "paid_at": at}
    second = {
        "payment": [2**53 - 1, 2**53 - 2],
        "amount": [0.1, 0.2],
        "note": pa.array(["x", "y"]).dictionary_encode(),
        "paid_at": at.cast(pa.timestamp("ms")),
    }
    for name, columns in (("a", first), ("b", second)):
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    table = declare(path="data/pay")

    raw = read_source(table, name="payments", project=tmp_path)
    (week,) = split_weeks(raw, table, name="payments", clock=clock, days=[clock.first])

    assert week.kept["payment"].tolist() == [1, 2**53 - 1, 2**53 - 2]
    assert week.kept["amount"].tolist() == [1.0, 0.1, 0.2]
    assert week.quarantined[[FILE, REASON]].values.tolist() == [["data/pay/a.parquet", "unreadable:payment"]]


def noted(declare: Declare, file_format: str = "csv", **note: str) -> Table:
    columns = {"payment": {"type": "integer"}, "amount": {"type": "double"}}
    columns["note"] = {"type": "string", "nullable": True} | note
    return declare(columns, path="data/pay", format=file_format)


@pytest.mark.parametrize("file_format", ["parquet", "csv", "jsonl"])
def test_a_column_that_begins_one_day_is_empty_in_the_files_before(
    declare: Declare, clock: Clock, tmp_path: Path, file_format: str
) -> None:
    """Nothing could be declared: the older files lacked it, or the newer ones had one too many."""
    months(tmp_path, file_format, newest="2011-03-07 23:59:59")
    table = noted(declare, file_format, since="2011-03-08")

    raw = read_source(table, name="payments", project=tmp_path)
    weeks = split_weeks(raw, table, name="payments", clock=clock, days=[date(2011, 3, 7), date(2011, 3, 14)])

    kept = pd.concat([week.kept for week in weeks])
    assert kept["payment"].tolist() == [1, 2, 3]
    assert [None if pd.isna(note) else note for note in kept["note"]] == [None, None, "x"]
    assert all(week.quarantined.empty for week in weeks)


LATE = r"old\.csv\): missing: note, which the source holds since 2011-03-08 .*, and 1 rows became known later"


@pytest.mark.parametrize(
    ("newest", "note", "said"),
    [
        pytest.param("2011-03-08 00:00:00", {"since": "2011-03-08"}, LATE, id="a-file-of-then-lacks-it"),
        pytest.param("2011-03-07 23:59:59", {}, r"old\.csv\): .*missing: note", id="no-day-is-said"),
    ],
)  # fmt: skip
def test_a_file_without_a_column_that_has_begun_is_refused(
    declare: Declare, tmp_path: Path, newest: str, note: dict[str, str], said: str
) -> None:
    months(tmp_path, "csv", newest=newest)

    with pytest.raises(SourceError, match=said):
        read_source(noted(declare, **note), name="payments", project=tmp_path)


def test_a_column_that_no_file_has_has_not_begun(declare: Declare, tmp_path: Path) -> None:
    months(tmp_path, "csv", newest="2011-03-01 12:00:00")
    (tmp_path / "data" / "pay" / "young.csv").unlink()

    with pytest.raises(SourceError, match="missing: note"):
        read_source(noted(declare, since="2011-03-08"), name="payments", project=tmp_path)


def months(project: Path, file_format: str, *, newest: str) -> None:
    """Two payments in a file without a note, the second known at `newest` or before, and one in a file with a note."""
    folder = project / "data" / "pay"
    folder.mkdir(parents=True)
    old = pd.DataFrame({"payment": [1, 2], "amount": [1.0, 2.0], "paid_at": ["2011-03-01 12:00:00", newest]})
    young = pd.DataFrame({"payment": [3], "amount": [3.0], "note": ["x"], "paid_at": ["2011-03-10 12:00:00"]})
    for name, rows in (("old", old), ("young", young)):
        path = folder / f"{name}.{file_format}"
        if file_format == "parquet":
            rows.astype({"paid_at": "datetime64[us]"}).to_parquet(path, index=False)
        elif file_format == "csv":
            rows.to_csv(path, index=False)
        else:
            rows.to_json(path, orient="records", lines=True)


def test_a_file_whose_type_cannot_be_read_is_named(declare: Declare, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "pay"
    folder.mkdir(parents=True)
    at = pa.array([date(2011, 3, 1)])
    for name, payment in (("a", 1), ("b", True)):
        columns = {"payment": [payment], "amount": [1.0], "note": ["x"], "paid_at": at}
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")

    with pytest.raises(SourceError, match=r"data/pay/b.parquet\): wrong types: payment: expected integer, found bool"):
        read_source(declare(path="data/pay"), name="payments", project=tmp_path)
