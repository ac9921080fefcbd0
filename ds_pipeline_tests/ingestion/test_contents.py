"""JSON lines, separators and encodings: read exactly or refused with the line, never a mangled name."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion import contents
from ds_pipeline.ingestion.cast import cast_columns
from ds_pipeline.ingestion.read import read_source
from ds_pipeline.use_case.sources import Table

SECRET = "4929-1111"
ROW = '{"payment": 1, "amount": 1.5, "note": "x", "paid_at": "2011-03-01T09:30:00"}'
HEADER = "payment,amount,note,paid_at\n"
Read = Callable[..., pa.Table]


@pytest.fixture
def read(declare: Callable[..., Table], tmp_path: Path) -> Read:
    """Write a file and read it back, cast to the declared types."""

    def run(content: str | bytes, format: str = "jsonl", **changes: Any) -> pa.Table:
        path = tmp_path / "data" / f"payments.{format}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        table = declare(path=f"data/payments.{format}", format=format, **changes)
        return cast_columns(read_source(table, name="payments", project=tmp_path), table)[0]

    return run


@pytest.fixture
def fault(read: Read, tmp_path: Path) -> Callable[..., str]:
    def run(content: str | bytes, format: str = "jsonl", **changes: Any) -> str:
        with pytest.raises(SourceError) as error:
            read(content, format, **changes)
        assert SECRET not in str(error.value)
        assert str(tmp_path) not in str(error.value)
        assert error.value.__cause__ is None
        assert error.value.__suppress_context__ or error.value.__context__ is None
        return str(error.value)

    return run


def test_an_object_on_each_line_is_a_row(read: Read) -> None:
    """A column may be left out, lines be empty, and a text hold what Unicode takes for the end of a line."""
    lines = f'\ufeff{ROW}\n\n{{"paid_at": "2011-03-02", "note": "a\u2028b\x85c", "payment": "2", "extra\\n": null}}\n'

    rows = read(lines, added_columns="warn")

    assert rows["payment"].to_pylist() == [1, 2]
    assert rows["amount"].to_pylist() == [1.5, None]
    assert rows["note"].to_pylist() == ["x", "a\u2028b\x85c"]


def test_numbers_are_taken_as_they_are_written(read: Read) -> None:
    columns = {"code": {"type": "string"}, "is_paid": {"type": "boolean"}, "price": {"type": "decimal", "scale": 2}}
    line = '{"code": 007, "is_paid": true, "price": 0.10, "paid_at": "2011-03-01"}'.replace("007", "7.0")

    rows = read(line, columns=columns_of(columns))

    assert (rows["code"][0].as_py(), rows["is_paid"][0].as_py(), str(rows["price"][0].as_py())) == ("7.0", True, "0.10")


def columns_of(columns: dict[str, Any]) -> dict[str, Any]:
    said = {"nullable": False, "identifies": "no", "treatment": "keep", "meaning": "made up"}
    columns = columns | {"paid_at": {"type": "timestamp"}}
    return {name: {"alias": name} | said | column for name, column in columns.items()}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(ROW[:-5], "line 2 is not JSON", id="cut-off"),
        pytest.param(f'["{SECRET}"]', "line 2 is not an object of columns and values", id="list"),
        pytest.param(f'"{SECRET}"', "line 2 is not an object", id="text"),
        pytest.param(f'{{"note": {{"{SECRET}": 1}}}}', "line 2 holds a list or an object in a cell", id="nested"),
        pytest.param(f'{{"note": "a", "note": "{SECRET}"}}', "line 2 names a column twice", id="twice"),
    ],
)
def test_a_line_that_is_no_row_stops_the_run_and_is_numbered(
    fault: Callable[..., str], line: str, message: str
) -> None:
    assert message in fault(f"{ROW}\n{line}\n")


def test_columns_of_json_lines_are_compared_with_the_declared_ones(fault: Callable[..., str]) -> None:
    assert "missing: note" in fault(ROW.replace('"note": "x", ', ""))
    assert "not declared: iban" in fault(ROW.replace('"note"', f'"iban": "{SECRET}", "note"'))


def test_a_file_without_lines_is_refused(fault: Callable[..., str]) -> None:
    assert "no declared column was found" in fault("")


def test_cells_may_be_separated_by_something_else(read: Read, fault: Callable[..., str]) -> None:
    content = "payment;amount;note;paid_at\n1;2;ab;2011-03-01\n"

    assert read(content, "csv", delimiter=";")["note"].to_pylist() == ["ab"]
    assert "is the separator a comma" in fault(content, "csv")


@pytest.mark.parametrize("format", ["csv", "jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "latin-1", "utf-16"])
def test_a_declared_encoding_is_read(read: Read, format: str, encoding: str) -> None:
    lines = f"{HEADER}1,1,Müller,2011-03-01\n" if format == "csv" else ROW.replace('"x"', '"Müller"')

    assert read(lines.encode(encoding), format, encoding=encoding)["note"].to_pylist() == ["Müller"]


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_bytes_of_another_encoding_stop_the_run_with_the_line(fault: Callable[..., str], format: str) -> None:
    head = HEADER if format == "csv" else f"{ROW}\n"
    line = f"1,1,Mü {SECRET},2011-03-01\n" if format == "csv" else ROW.replace("x", f"Mü {SECRET}")

    said = fault(head.encode() + line.encode("cp1252"), format)

    assert "line 2 holds bytes that are not utf-8" in said
    assert "encoding: cp1252" in said


def test_a_file_that_mixes_encodings_is_refused_at_the_first_line_of_the_other(fault: Callable[..., str]) -> None:
    content = HEADER.encode() + "1,1,Müller,2011-03-01\n".encode() + "1,1,Müller,2011-03-01\n".encode("cp1252")

    assert "line 3 holds bytes that are not utf-8" in fault(content, "csv")


def test_utf8_is_not_read_as_single_bytes(fault: Callable[..., str], read: Read) -> None:
    """Every byte is a letter in latin-1: Müller became MÃ¼ller."""
    assert "the file is UTF-8" in fault(f"{HEADER}1,1,Müller,2011-03-01\n", "csv", encoding="cp1252")
    assert read(f"{HEADER}1,1,Mueller,2011-03-01\n", "csv", encoding="cp1252").num_rows == 1


def test_bytes_that_the_declared_encoding_does_not_have_are_refused(fault: Callable[..., str]) -> None:
    assert "line 2 holds bytes that are not cp1252" in fault(
        HEADER.encode() + b"1,1,M\x81\xfcller,2011-03-01\n", "csv", encoding="cp1252"
    )


NOTES = "payment,amount,note,paid_at\n1,1,{},2011-03-01\n2,1,{},2011-03-01\n3,1,{},2011-03-01\n4,1,x,2011-03-01\n"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
@pytest.mark.parametrize(
    ("notes", "message"),
    [
        pytest.param(("x", f'"{SECRET}', "x"), "a quote opens a cell in line 3 and nothing closes it", id="unclosed"),
        pytest.param(('"a" b', "x", "x"), "line 2 goes on after the closing quote of a cell. ", id="text-after"),
        pytest.param(
            ('"open', "x", '"open'), "line 4 goes on after the closing quote of a cell that opens in line 2",
            id="two-unclosed-make-a-pair",
        ),
        pytest.param(("x", '"open', '"fine"'), "line 4 goes on .* opens in line 3", id="unclosed-before-a-quoted-one"),
        pytest.param(('5"', '"open', '""'), "opens a cell in line 3 and nothing closes it", id="beside-literal-ones"),
        pytest.param(('"a "b" c"', "x", "x"), "line 2 goes on after the closing quote", id="not-doubled"),
    ],
)  # fmt: skip
def test_a_broken_quote_stops_the_run_with_its_line(
    fault: Callable[..., str], encoding: str, notes: tuple[str, ...], message: str
) -> None:
    """An unclosed quote made one cell of all later rows, and the counts still reconciled: 2 rows of 5 were read."""
    assert re.search(message, fault(NOTES.format(*notes).encode(encoding), "csv", encoding=encoding))


def test_an_unclosed_quote_in_a_large_file_is_named_as_such(fault: Callable[..., str]) -> None:
    row = f"1,1,{'x' * 1000},2011-03-01\n"

    assert "opens a cell in line 3 and" in fault(HEADER + row + row.replace(",x", ',"x') + 20_000 * row, "csv")


def test_quotes_that_are_right_are_read(read: Read) -> None:
    """Doubled, around separators and lines, and within a cell that does not begin with one."""
    notes = ('"a, ""b""\nc"', '""', '5" pipe')

    assert read(NOTES.format(*notes), "csv")["note"].to_pylist() == ['a, "b"\nc', None, '5" pipe', "x"]
    assert read(NOTES.format(*notes).replace("\n", "\r\n"), "csv").num_rows == 4
    assert read("\ufeff" + NOTES.format(*notes).replace("payment", '"payment"'), "csv").num_rows == 4


def test_a_cell_may_be_some_megabytes_long_and_a_longer_one_is_named(
    read: Read, fault: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a cell of 3 MB it was said that the file is truncated or damaged."""
    content = f"{HEADER}1,1,{'x' * 3_000_000},2011-03-01\n"

    assert len(read(content, "csv")["note"][0].as_py()) == 3_000_000
    monkeypatch.setattr(contents, "LONGEST_ROW_MB", 1)
    assert "a row is longer than 1 MB" in fault(content, "csv")


def test_an_empty_file_and_a_row_of_another_length_are_named(fault: Callable[..., str]) -> None:
    assert "it is empty" in fault("", "csv")
    assert "a row has 3 cells where the header has 4" in fault(f"{HEADER}1,1,{SECRET}\n", "csv")


def test_a_column_of_json_lines_may_come_late(read: Read, fault: Callable[..., str]) -> None:
    """Only the first 1,000 lines said which columns there are."""
    without = ROW.replace('"note": "x", ', "")

    assert read(1_500 * f"{without}\n" + ROW)["note"].to_pylist()[-2:] == [None, "x"]
    assert "not declared: iban" in fault(1_500 * f"{ROW}\n" + ROW.replace('"note"', f'"iban": "{SECRET}", "note"'))


@pytest.mark.parametrize("size", [30, -12])
def test_a_packed_file_that_is_cut_off_is_one_message(declare: Callable[..., Table], tmp_path: Path, size: int) -> None:
    packed = gzip.compress((HEADER + "".join(f"{n},{n * 7919},{SECRET},2011-03-01\n" for n in range(999))).encode())
    (tmp_path / "payments.csv.gz").write_bytes(packed[:size])

    with pytest.raises(SourceError, match="not a readable csv file: truncated or damaged") as error:
        read_source(declare(path="payments.csv.gz", format="csv"), name="payments", project=tmp_path)
    assert error.value.__suppress_context__
    (tmp_path / "payments.csv.gz").write_bytes(gzip.compress((HEADER + '1,1,"a,2011-03-01\n').encode()))
    with pytest.raises(SourceError, match="opens a cell in line 2 and nothing closes it"):
        read_source(declare(path="payments.csv.gz", format="csv"), name="payments", project=tmp_path)
