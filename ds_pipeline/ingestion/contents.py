"""Read one file of a source as it is: parquet with its types, CSV and JSON lines with every cell as text.

Casting is a step of its own that can fault single cells. What makes the file as a whole unreadable stops the run here,
with the line where there is one; a message never quotes a line.
"""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq

from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.files import SourceFile
from ds_pipeline.use_case.sources import Table

JSON_LINES = 50_000  # rows of one batch
HEADER_LINES = 1_000  # of JSON lines: the columns that these have are those of the file
WIDE_ENCODINGS = ("utf-8", "utf-16", "utf-32")
Cells = list[tuple[str, Any]]


def column_types(file: SourceFile, table: Table, *, where: str) -> list[tuple[str, pa.DataType]]:
    """The columns of a file with their types, in its order; of a text file every one is a string.

    Raises:
        SourceError: the file cannot be read.
    """
    with _Readable(file, table, where), file.open() as content:
        if table.format == "parquet":
            return [(field.name, field.type) for field in pq.read_schema(content)]
        if table.format == "jsonl":
            lines = islice(_json_lines(content, table, where), HEADER_LINES)
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
    with _Readable(file, table, where), file.open() as content:
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
            if line is not None:
                raise SourceError(
                    f"{self.where}: not a readable {self.table.format} file: line {line:,} holds bytes that are not "
                    f"{encoding}. Save the file as {encoding}, or say what it is in sources.yaml (encoding: cp1252)."
                ) from None
            raise SourceError(
                f"{self.where}: not a readable {self.table.format} file (truncated, damaged, or rows of different "
                "length?). Fetch the file again."
            ) from None

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
    return {
        "parse_options": pc_csv.ParseOptions(newlines_in_values=True, delimiter=table.delimiter),
        "read_options": pc_csv.ReadOptions(encoding="utf8" if table.encoding == "utf-8" else table.encoding),
    }


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
