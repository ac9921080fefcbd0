"""Read a source as it is, into memory only. What is wrong with the file as a whole stops the run here."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq

from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.classes import require_class
from ds_pipeline.use_case.sources import Column, Table

ROW_NUMBER = "_row_number"  # position in the source, from 0; leads from quarantine back to the row
CSV_CELLS = pc_csv.ParseOptions(newlines_in_values=True)


def source_digest(table: Table, *, name: str, project: Path) -> str:
    """The digest of a source as it is now; a source that changed since it was ingested is ingested again."""
    with _existing(table, name=name, project=project).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_source(table: Table, *, name: str, project: Path) -> pa.Table:
    """All rows of a source with the columns sources.yaml declares, plus _row_number.

    Raises:
        SourceError: missing or unreadable file, missing or extra columns, wrong type, no row, or a file from which a
            table of its class may not be read.
    """
    where = f"{name} ({table.path})"
    path = _existing(table, name=name, project=project)
    try:
        _require_columns(_header(path, table), table, where=where)
        found = _read_csv(path, table) if table.format == "csv" else pq.read_table(path, partitioning=None)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        # Arrow's own message quotes the faulty row, or the folder: it must not be chained.
        raise SourceError(
            f"{where}: not a readable {table.format} file (truncated, damaged, not UTF-8, or rows of different "
            "length?). Fetch the file again."
        ) from None
    _require_types(found, table, where=where)
    if found.num_rows == 0:
        raise SourceError(f"{where}: expected rows, found none. An empty table is never taken for an answer.")
    numbers = pa.array(np.arange(found.num_rows, dtype="int64"))
    return found.select(list(table.columns)).append_column(ROW_NUMBER, numbers)


def _existing(table: Table, *, name: str, project: Path) -> Path:
    path = project / table.path
    if not path.is_file():
        raise SourceError(f"{name} ({table.path}): the file is missing. Put it there or correct path in sources.yaml.")
    require_class(path, table, where=f"{name} ({table.path})")
    return path


def _header(path: Path, table: Table) -> list[str]:
    if table.format == "parquet":
        return list(pq.read_schema(path).names)
    with pc_csv.open_csv(path, parse_options=CSV_CELLS) as file:
        return list(file.schema.names)


def _read_csv(path: Path, table: Table) -> pa.Table:
    """Every cell as text, an empty one as null; casting is a step of its own that can fault single cells."""
    as_text = pc_csv.ConvertOptions(
        column_types=dict.fromkeys(table.columns, pa.string()), strings_can_be_null=True, null_values=[""]
    )
    return pc_csv.read_csv(path, parse_options=CSV_CELLS, convert_options=as_text)


def _require_columns(there: list[str], table: Table, *, where: str) -> None:
    declared = list(table.columns)
    missing = [column for column in declared if column not in there]
    extra = [column for column in there if column not in declared]
    if missing or extra or len(set(there)) != len(there):
        problems = []
        if missing:
            problems.append(f"missing: {', '.join(missing)}")
        if extra:
            has_header = len(missing) < len(declared)
            problems.append(f"not declared: {_described(there, extra, may_name=has_header)}")
        if len(missing) == len(declared):
            problems.append("no declared column was found: is there a header row, and is the separator a comma?")
        if len(set(there)) != len(there):
            problems.append("a column name is there twice")
        raise SourceError(
            f"{where}: expected the columns that sources.yaml declares; {'; '.join(problems)}. "
            "Declare each column with its PII treatment (drop is one), or correct the file."
        )


def _described(there: list[str], extra: list[str], *, may_name: bool) -> str:
    """Undeclared columns by name, or by position where the name may be a cell of a file without a header row."""
    return ", ".join(
        column if may_name and re.fullmatch(r"[A-Za-z_]\w{0,40}", column) else f"column {there.index(column) + 1}"
        for column in extra[:20]
    ) + (f" and {len(extra) - 20} more" if len(extra) > 20 else "")


def _require_types(found: pa.Table, table: Table, *, where: str) -> None:
    if table.format == "csv":
        return
    wrong = [
        f"{name}: expected {column.type}, found {_kind(found.schema.field(name).type)}"
        for name, column in table.columns.items()
        if not _fits(found.schema.field(name).type, column)
    ]
    if wrong:
        raise SourceError(f"{where}: wrong types: {'; '.join(wrong)}. Correct the file or type in sources.yaml.")


def _kind(found: pa.DataType) -> str:
    """The name of a type without its parts: the field names of a nested one may hold anything."""
    return str(found).partition("<")[0]


def _fits(found: pa.DataType, column: Column) -> bool:
    """Whether a physical type can hold the declared one; numbers may come as any kind of number."""
    types = pa.types
    is_number = types.is_integer(found) or types.is_floating(found) or types.is_decimal(found)
    is_time = types.is_timestamp(found) or types.is_date(found)
    is_text = types.is_string(found) or types.is_large_string(found) or types.is_dictionary(found)
    fitting = {
        "string": is_text,
        "integer": is_number,
        "decimal": is_number,
        "double": is_number,
        "boolean": types.is_boolean(found),
        "date": is_time,
        "timestamp": is_time,
    }
    return fitting[column.type] or types.is_null(found)
