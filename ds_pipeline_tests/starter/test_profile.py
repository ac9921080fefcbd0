"""A look at a file: types as ingestion will read them, from a bounded sample, without a value in any message."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.errors import SourceError
from ds_pipeline.starter import profile
from ds_pipeline.starter.profile import SourceFile

Write = Callable[[str, list[dict[str, Any]]], str]


def test_the_types_of_a_csv_file_are_those_that_can_be_cast(tmp_path: Path, write: Write) -> None:
    rows = [
        {"n": "12", "code": "007", "price": "1.50", "many": "1e9", "yes": "true", "day": "2024-01-31",
         "at": "2024-01-31 09:30:00", "odd": "01/02/2024", "gap": ""},
        {"n": "-3", "code": "12", "price": "2", "many": "2.5", "yes": "no", "day": "2024-02-01", "at": "2024-02-01",
         "odd": "03/04/2024", "gap": ""},
    ]  # fmt: skip
    found = SourceFile(tmp_path, write("t.csv", rows), "t").profile()

    assert {name: one.type for name, one in found.columns.items()} == {
        "n": "integer", "code": "string", "price": "decimal", "many": "double", "yes": "boolean", "day": "date",
        "at": "timestamp", "odd": "string", "gap": "string",
    }  # fmt: skip
    assert found.columns["price"].scale == 2
    assert (found.columns["n"].lowest, found.columns["n"].highest) == (-3, 12)
    assert found.times() == ["day", "at"]


@pytest.mark.parametrize(
    ("cells", "kind", "formats"),
    [
        pytest.param(["31.01.2024", "01.02.2024"], "date", ("%d.%m.%Y",), id="points"),
        pytest.param(["31/01/2024 09:30", "01/02/2024 10:00"], "timestamp", ("%d/%m/%Y %H:%M",), id="day-first"),
        pytest.param(["01/31/2024", "01/02/2024"], "date", ("%m/%d/%Y",), id="month-first"),
        pytest.param(["2024-01-31T09:30:00Z"] * 2, "timestamp", ("%Y-%m-%dT%H:%M:%S%z",), id="offset"),
        pytest.param(["01/02/2024", "03/04/2024"], "string", (), id="nobody-knows"),
        pytest.param(["soon", "01/02/2024"], "string", (), id="not-all"),
    ],
)
def test_a_date_that_is_not_iso_has_the_one_format_that_reads_it_all(
    tmp_path: Path, write: Write, cells: list[str], kind: str, formats: tuple[str, ...]
) -> None:
    file = SourceFile(tmp_path, write("t.csv", [{"n": "1", "at": cell} for cell in cells]), "t")

    found = file.profile().columns["at"]

    assert (found.type, found.formats) == (kind, formats)


def test_the_span_of_dates_that_are_not_iso(tmp_path: Path, write: Write) -> None:
    file = SourceFile(tmp_path, write("t.csv", [{"at": "02.01.2024"}, {"at": "31.12.2023"}]), "t")
    file.profile()

    assert (file.span("at").first, file.span("at").last) == (datetime(2023, 12, 31), datetime(2024, 1, 2))


def test_semicolons_and_decimal_commas_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("number;price;name\n1;12,50;a, b\n2;3;c\n")

    found = SourceFile(tmp_path, "t.csv", "t").profile()

    price = found.columns["price"]
    assert found.delimiter == ";"
    assert (price.type, price.scale, price.decimal_mark, price.highest) == ("decimal", 2, ",", 12.5)


def test_the_types_of_a_parquet_file_are_its_own(tmp_path: Path) -> None:
    table = pa.table(
        {
            "whole": pa.array([1.0, None]),
            "part": pa.array([1.5, 2.0]),
            "price": pa.array([1, 2], pa.decimal128(9, 2)),
            "at": pa.array([datetime(2024, 1, 1)] * 2, pa.timestamp("us", tz="UTC")),
            "tags": pa.array([["a"], []]),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")

    found = SourceFile(tmp_path, "t.parquet", "t").profile().columns

    assert {name: one.type for name, one in found.items()} == {
        "whole": "integer", "part": "double", "price": "decimal", "at": "timestamp", "tags": "string",
    }  # fmt: skip


def test_text_in_a_parquet_file_is_text_as_a_run_would_say(tmp_path: Path) -> None:
    """A run refused the type that was proposed: it takes a column of parquet by the type it has."""
    pq.write_table(pa.table({"n": ["12", "13"], "at": ["2024-01-01", "NA"], "c": ["a", "b"]}), tmp_path / "t.parquet")

    found = SourceFile(tmp_path, "t.parquet", "t").profile().columns

    assert {column.type for column in found.values()} == {"string"}
    assert [column.doubt.partition("?")[0] for column in found.values()] == ["a integer", "a date", ""]
    assert found["at"].nulls == 1


def test_a_cell_that_a_run_reads_as_null_is_one(tmp_path: Path, write: Write) -> None:
    rows = [
        {"id": "1", "at": "2024-01-01", "plan": "NA"}, {"id": "NA", "at": " NULL", "plan": "b"},
        {"id": "2", "at": "2024-01-09", "plan": "b"}, {"id": "2", "at": "0024-01-01", "plan": "b"},
    ]  # fmt: skip
    file = SourceFile(tmp_path, write("t.csv", rows), "t")

    found = file.profile().columns

    assert [(one.type, one.nulls, one.distinct) for one in found.values()] == [
        ("integer", 1, 2), ("date", 1, 3), ("string", 1, 1),
    ]  # fmt: skip
    assert (found["id"].sample, found["plan"].sample) == (("2", "1"), ("b",))
    assert file.span("at").first == datetime(2024, 1, 1)  # and not the year 24, which a run does not read
    assert (file.per_person("id"), file.twice("id")) == (1.5, 1)  # the row without a number is nobody's
    assert file.people("id", "at", None, datetime(2024, 2, 1)) == {"1", "2"}


@pytest.mark.parametrize(("twice", "rows_per_person"), [(3, 1), (4, 64 / 60)])
def test_hardly_anybody_twice_is_one_row_each(tmp_path: Path, write: Write, twice: int, rows_per_person: float) -> None:
    rows = [{"id": number, "at": "2024-01-01"} for number in [*range(60), *range(twice)]]

    file = SourceFile(tmp_path, write("t.csv", rows), "t")

    assert (file.per_person("id"), file.twice("id")) == (rows_per_person, twice)
    assert file.happens_once("id", "at")  # at one time, however often it was written


def test_a_date_with_a_gap_cannot_say_when_a_row_happened(tmp_path: Path, write: Write) -> None:
    path = write("t.csv", [{"a": "1", "at": "2024-01-01"}, {"a": "2", "at": ""}])

    assert SourceFile(tmp_path, path, "t").profile().times() == []


def test_the_sample_is_bounded_and_the_span_is_that_of_the_whole_file(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile, "SAMPLE_ROWS", 50)
    rows = [{"a": str(day), "at": f"2024-{1 + day // 28:02d}-{1 + day % 28:02d}"} for day in range(280)]
    file = SourceFile(tmp_path, write("t.csv", rows), "t")

    found, span = file.profile(), file.span("at")

    assert (found.rows, found.columns["a"].rows) == (280, 50)
    assert (span.first, span.last) == (datetime(2024, 1, 1), datetime(2024, 10, 28))
    assert not span.has_silent_weeks


def test_a_week_without_a_row_is_noticed(tmp_path: Path, write: Write) -> None:
    path = write("t.csv", [{"at": day} for day in ("2024-01-01", "2024-01-08", "2024-02-05")])

    assert SourceFile(tmp_path, path, "t").span("at").has_silent_weeks


def test_how_late_rows_become_known_is_measured_in_days(tmp_path: Path, write: Write) -> None:
    rows = [{"at": "2024-01-01 00:00:00", "known": f"2024-01-0{1 + day} 00:00:00"} for day in (0, 2, 2, 2)]
    file = SourceFile(tmp_path, write("t.csv", rows), "t")

    assert file.delay_days("at", "known") == 2
    assert file.delay_days("at", "at") == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("t.csv", b"a,b\n1,\xff\xfe secret\n", id="not-utf-8"),
        pytest.param("t.parquet", b"secret", id="no-parquet"),
        pytest.param("t.csv", b"a,b\n", id="no-row"),
        pytest.param("t.xlsx", b"secret", id="unknown-format"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_without_its_content(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(SourceError) as error:
        SourceFile(tmp_path, name, "t").profile()

    assert "secret" not in str(error.value)
    assert str(tmp_path) not in str(error.value)


def test_only_a_text_file_is_said_to_be_no_utf_8(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    (tmp_path / "wide.csv").write_text("a,b\n1,2\n", encoding="utf-16")

    with pytest.raises(SourceError, match="truncated or damaged"):
        SourceFile(tmp_path, "t.parquet", "t").profile()
    with pytest.raises(SourceError, match="--encoding t=utf-16"):
        SourceFile(tmp_path, "wide.csv", "t").profile()


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_a_file_in_another_encoding_is_read_when_it_is_said(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.csv").write_text("größe;at\n1;2024-01-31\n2;\n", encoding=encoding)

    found = SourceFile(tmp_path, "t.csv", "t", encoding=encoding).profile()

    assert {name: one.type for name, one in found.columns.items()} == {"größe": "integer", "at": "date"}
    assert (found.delimiter, found.encoding, found.columns["at"].nulls) == (";", encoding, 1)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        pytest.param("id,amount,amount", "columns 2 and 3", id="twice"),
        pytest.param("id,Amount,amount", "columns 2 and 3", id="twice-but-for-capitals"),
        pytest.param(",amount,items", "column 1 has no name", id="index-of-pandas"),
    ],
)
def test_each_column_needs_a_name_of_its_own(tmp_path: Path, header: str, message: str) -> None:
    """DuckDB invents amount_1, which no reader finds later."""
    (tmp_path / "t.csv").write_text(f"{header}\n1,2,3\n")

    with pytest.raises(SourceError, match=message):
        SourceFile(tmp_path, "t.csv", "t").profile()


def test_a_quoted_header_may_hold_the_delimiter_and_the_end_of_a_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('"a,b","c\nd",e\n1,2,3\n')

    assert list(SourceFile(tmp_path, "t.csv", "t").profile().columns) == ["a,b", "c\nd", "e"]


@pytest.mark.parametrize(
    ("cells", "kind", "formats"),
    [
        pytest.param(["2024-03-04T10:00:00Z"] * 2, "timestamp", ("%Y-%m-%dT%H:%M:%S%z",), id="zulu"),
        pytest.param(["05-03-2024", "31-03-2024"], "date", ("%d-%m-%Y",), id="day-first"),
        pytest.param(["2024-03-05", ""], "date", (), id="iso-and-empty"),
    ],
)
def test_json_is_read_as_text_like_csv(tmp_path: Path, cells: list[str], kind: str, formats: tuple[str, ...]) -> None:
    """DuckDB took the dates for what ingestion, which reads text, could not cast."""
    lines = [json.dumps({"at": cell, "n": 12345678901234567, "yes": True, "price": 1.25}) for cell in cells]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    file = SourceFile(tmp_path, "t.jsonl", "t")

    found = file.profile().columns

    assert (found["at"].type, found["at"].formats) == (kind, formats)
    assert [found[name].type for name in ("n", "yes", "price")] == ["string", "boolean", "decimal"]
    assert file.span("at").first.year == 2024


@pytest.mark.parametrize(
    ("name", "cells", "doubt"),
    [
        pytest.param("ordered_at", [1704067200, 1711929600], "seconds since 1970", id="seconds"),
        pytest.param("x", [1704067200000, 1711929600000], "milliseconds since 1970", id="milliseconds"),
        pytest.param("order_date", [45292, 45358], "the days of Excel", id="excel"),
        pytest.param("postcode", [45292, 45358], "", id="another-number"),
    ],
)
def test_numbers_that_look_like_times_are_said_to(
    tmp_path: Path, write: Write, name: str, cells: list[int], doubt: str
) -> None:
    found = SourceFile(tmp_path, write("t.csv", [{name: cell} for cell in cells]), "t").profile().columns[name]

    assert found.type == "integer"
    assert (doubt in found.doubt) == bool(found.doubt) or not doubt
    assert bool(found.doubt) == bool(doubt)


def test_an_open_end_is_not_the_end_of_the_data(tmp_path: Path, write: Write) -> None:
    rows = [{"at": day} for day in ("2024-01-01", "2024-01-08", "9999-12-31")]

    assert SourceFile(tmp_path, write("t.csv", rows), "t").span("at").last == datetime(2024, 1, 8)


def test_nanoseconds_with_a_time_zone_are_instants(tmp_path: Path) -> None:
    at = pa.array([datetime(2024, 1, 1, 5), datetime(2024, 1, 2, 5)], pa.timestamp("ns", "Europe/London"))
    pq.write_table(pa.table({"at": at}), tmp_path / "t.parquet")

    assert SourceFile(tmp_path, "t.parquet", "t").span("at").last == datetime(2024, 1, 2, 5)


def test_a_number_that_stands_for_the_customer_in_all_rows_is_noticed(tmp_path: Path, write: Write) -> None:
    rows = [{"id": n, "theirs": 700 + n, "items": turn, "cents": 97 * n + turn} for n in range(40) for turn in range(5)]
    file = SourceFile(tmp_path, write("t.csv", rows), "t")

    assert [file.names_people("id", name) for name in ("theirs", "items", "cents")] == [True, False, False]


def test_a_folder_is_called_a_folder(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()

    with pytest.raises(SourceError, match="a folder"):
        SourceFile(tmp_path, "orders", "t")


def test_a_file_outside_the_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "t.csv").write_text("a\n1\n")

    with pytest.raises(SourceError, match="outside the project"):
        SourceFile(tmp_path / "project", "../t.csv", "t")


def test_categories_of_a_parquet_file_are_texts(tmp_path: Path) -> None:
    plans = pa.array(["gold", "basic", None]).dictionary_encode()
    pq.write_table(pa.table({"plan": plans, "tags": [["a"], [], None]}), tmp_path / "t.parquet")

    found = SourceFile(tmp_path, "t.parquet", "t").profile().columns

    assert (found["plan"].type, found["plan"].nulls, found["plan"].sample) == ("string", 1, ("basic", "gold"))
    assert found["tags"].type == "string"


def test_a_file_that_a_run_would_refuse_is_refused(tmp_path: Path) -> None:
    """A lenient reader joined the rows after a quote that nothing closes."""
    (tmp_path / "t.csv").write_text('a,b\n1,"x\n2,y\n3,z\n')

    with pytest.raises(SourceError, match="a quote opens a cell in line 2 and nothing closes it"):
        SourceFile(tmp_path, "t.csv", "t").profile()
