"""Read one file of a source as it is: parquet with its types, CSV and JSON lines with every cell as text.

Casting is a step of its own that can fault single cells. What makes the file as a whole unreadable stops the run here,
with the line where there is one; a message never quotes a line.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq

from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.files import SourceFile
from ds_pipeline.ingestion.quotes import find_quote_fault
from ds_pipeline.use_case.sources import Table

JSON_LINES = 50_000  # rows of one batch
LONGEST_ROW_MB = 16  # of CSV; as much is parsed at a time
UNDECODABLE = "holds bytes that are not"
WIDE_ENCODINGS = ("utf-8", "utf-16", "utf-32")
Cells = list[tuple[str, Any]]


def column_types(file: SourceFile, table: Table, *, where: str) -> list[tuple[str, pa.DataType]]:
    """The columns of a file with their types, in its order; of a text file every one is a string.

    Raises:
        SourceError: the file cannot be read.
    """
    with _Readable(file, table, where):
        if table.format == "csv":
            _require_content(file, where)
        with file.open() as content:
            if table.format == "parquet":
                return [(field.name, field.type) for field in pq.read_schema(content)]
            if table.format == "jsonl":
                # Every line may have a column of its own, and an optional one may come late.
                lines = _json_lines(content, table, where)
                names = list(dict.fromkeys(column for line in lines for column, _ in line))
            else:
                with pc_csv.open_csv(content, **_csv_options(table)) as reader:
                    names = list(reader.schema.names)
            return [(column, pa.string()) for column in names]


def read_contents(file: SourceFile, table: Table, *, where: str) -> pa.Table:
    """The declared columns of a file, in declared order; they have to be there.

    Raises:
        SourceError: the file cannot be read.
    """
    columns = list(table.columns)
    with _Readable(file, table, where):
        if table.format == "csv":
            _require_quotes(file, table, where)
        with file.open() as content:
            if table.format == "parquet":
                return pq.ParquetFile(content).read(columns=columns).select(columns)
            if table.format == "jsonl":
                return _read_json(content, table, where)
            # An empty cell is null.
            as_text = pc_csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()),
                include_columns=columns,
                strings_can_be_null=True,
                null_values=[""],
            )
            return pc_csv.read_csv(content, convert_options=as_text, **_csv_options(table))


class _Readable:
    """Whatever goes wrong while a file is read becomes one SourceError, without the cell or the folder in it."""

    def __init__(self, file: SourceFile, table: Table, where: str) -> None:
        self.file, self.table, self.where = file, table, where

    def __enter__(self) -> None:
        if self.table.format != "parquet" and not self.table.encoding.startswith(WIDE_ENCODINGS):
            self._require_not_utf8()

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, pa.ArrowException | OSError | UnicodeError | EOFError):
            line = self._undecodable_line() if self.table.format != "parquet" else None
            encoding = self.table.encoding
            said = "truncated or damaged? Fetch the file again."
            if line is not None:
                said = (
                    f"line {line:,} {UNDECODABLE} {encoding}. Save the file as {encoding}, or say what it "
                    "is in sources.yaml (encoding: cp1252)."
                )
            elif self.table.format == "csv":
                said = self._csv_problem(str(error)) or said
            raise SourceError(f"{self.where}: not a readable {self.table.format} file: {said}") from None

    def _csv_problem(self, error: str) -> str | None:
        """What is wrong with a CSV file that can be decoded, as far as it can be said without quoting it."""
        try:
            if broken := _quote_problem(self.file, self.table):
                return broken
        except (OSError, EOFError):
            return None
        if "straddling" in error:
            return f"a row is longer than {LONGEST_ROW_MB} MB. Shorten it, or write the table as parquet."
        if cells := re.search(r"Expected (\d+) columns, got (\d+)", error):
            return (
                f"a row has {int(cells[2]):,} cells where the header has {int(cells[1]):,}. Is the file cut off, does "
                f"the header leave a column out, or does a text hold {self.table.delimiter!r} without quotes around it?"
            )
        return None

    def _undecodable_line(self) -> int | None:
        """The number of the first line with bytes that the encoding does not have, from 1; None if all can be read."""
        decoder = codecs.getincrementaldecoder(self.table.encoding)()
        number = 0
        try:
            with self.file.open() as content:
                for line in content:
                    number += 1
                    decoder.decode(line)
                decoder.decode(b"", final=True)
        except UnicodeError:
            return max(number, 1)
        except (OSError, EOFError):
            return None
        return None

    def _require_not_utf8(self) -> None:
        """In a single-byte encoding nearly every byte is a letter: UTF-8 would be read, and every name be mangled."""
        decoder, is_plain = codecs.getincrementaldecoder("utf-8")(), True
        try:
            with self.file.open() as content:
                for line in content:
                    is_plain = is_plain and line.isascii()
                    decoder.decode(line)
                decoder.decode(b"", final=True)
        except (UnicodeError, OSError, EOFError):
            return
        if not is_plain:
            raise SourceError(
                f"{self.where}: the file is UTF-8, and sources.yaml says encoding: {self.table.encoding}; read so, "
                "every letter with an accent would be mangled. Say encoding: utf-8."
            )


def _csv_options(table: Table) -> dict[str, Any]:
    encoding = "utf8" if table.encoding == "utf-8" else table.encoding
    return {
        "parse_options": pc_csv.ParseOptions(newlines_in_values=True, delimiter=table.delimiter),
        "read_options": pc_csv.ReadOptions(encoding=encoding, block_size=LONGEST_ROW_MB << 20),
    }


def _require_content(file: SourceFile, where: str) -> None:
    with file.open() as content:
        if not content.read(1):
            raise SourceError(
                f"{where}: not a readable csv file: it is empty, without even a header row. Fetch it again."
            )


def _require_quotes(file: SourceFile, table: Table, where: str) -> None:
    """Arrow takes whatever follows a broken quote for text: rows would be joined and letters be lost silently."""
    if broken := _quote_problem(file, table):
        raise SourceError(f"{where}: not a readable csv file: {broken}")


def _quote_problem(file: SourceFile, table: Table) -> str | None:
    fault = find_quote_fault(file.open, delimiter=table.delimiter, encoding=table.encoding)
    if fault is None:
        return None
    if fault.closed is None:
        return (
            f"a quote opens a cell in line {fault.opened:,} and nothing closes it, so that every later row would be a "
            "part of that cell. Close it, or double it if it belongs to a text within quotes."
        )
    opened = "" if fault.opened == fault.closed else f" that opens in line {fault.opened:,}"
    return (
        f"line {fault.closed:,} goes on after the closing quote of a cell{opened}. Correct the line; a quote that "
        'belongs to a text within quotes is doubled: "5"" pipe".'
    )


def _read_json(content: IO[bytes], table: Table, where: str) -> pa.Table:
    columns = list(table.columns)
    schema = pa.schema([(column, pa.string()) for column in columns])
    lines, batches = _json_lines(content, table, where), []
    while rows := [dict(line) for line in islice(lines, JSON_LINES)]:
        arrays = [pa.array([row.get(column) for row in rows], pa.string()) for column in columns]
        batches.append(pa.record_batch(arrays, schema=schema))
    return pa.Table.from_batches(batches, schema)


def _json_lines(content: IO[bytes], table: Table, where: str) -> Iterator[Cells]:
    """The cells of each line as text: numbers as they are written, so that no digit is lost."""
    encoding = "utf-8-sig" if table.encoding == "utf-8" else table.encoding
    text = io.TextIOWrapper(content, encoding, newline="\n")  # a cell may hold the other ends of lines that Unicode has
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=list)
        except (json.JSONDecodeError, RecursionError):
            raise SourceError(f"{where}: line {number:,} is not JSON. One object on each line is expected.") from None
        problem = _json_problem(cells, line)
        if problem:
            raise SourceError(f"{where}: line {number:,} {problem}.")
        yield [(column, str(cell).lower() if isinstance(cell, bool) else cell) for column, cell in cells]


def _json_problem(cells: Any, line: str) -> str | None:
    if not isinstance(cells, list) or not line.lstrip().startswith("{"):
        return "is not an object of columns and values"
    if len({column for column, _ in cells}) != len(cells):
        return "names a column twice"
    if any(isinstance(cell, list) for _, cell in cells):
        return "holds a list or an object in a cell, which no column type can take; flatten it"
    return None
