"""Read a source as it is, into memory only. What is wrong with it as a whole stops the run here."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from functools import partial
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion import database
from ds_pipeline.ingestion.cast import cast_cells, one_type
from ds_pipeline.ingestion.contents import column_types, read_contents
from ds_pipeline.ingestion.database import WHOLE, SourceState, Window
from ds_pipeline.ingestion.files import SourceFiles, find_files
from ds_pipeline.ingestion.shape import PLAIN_NAME, Shape, fits, is_a_number, kind_of, merged, shape_of
from ds_pipeline.use_case.sources import Column, Table

ROW_NUMBER = "_row_number"  # position in the source, from 0; leads from quarantine back to the row
FILE = "_file"  # of a source of many files: the one that the row number counts in
_digests: dict[tuple[str, ...], str] = {}  # of tables in databases


def source_digest(table: Table, *, name: str, project: Path) -> str:
    """The digest of a source as it is now; a source that changed since it was ingested is ingested again.

    Of a database it is asked at each write, so it is that of the last time this process read rows from there. It sees
    what `database.read_state` sees: rows that come or go, not one that is changed in place.
    """
    if table.format == "query":
        asked = _asked(table, name, project)
        if asked not in _digests:
            _digests[asked] = database.read_state(table, name=name, project=project, starts=[]).weeks[-1]
        return _digests[asked]
    return find_files(table, name=name, project=project).digest()


def _asked(table: Table, name: str, project: Path) -> tuple[str, ...]:
    return str(project), name, table.lies_at, str(table.query)


def source_state(table: Table, *, name: str, project: Path, starts: list[datetime]) -> SourceState:
    """The digest of each week of a source: of a database each its own, of files the same for all.

    Args:
        starts: the instants at which weeks 0, 1, ... end, each after the one before.
    """
    if table.format == "query":
        return database.read_state(table, name=name, project=project, starts=starts)
    return SourceState([source_digest(table, name=name, project=project)] * (len(starts) + 1), rows=None)


def source_shape(table: Table, *, name: str, project: Path) -> Shape:
    """The columns and types that a source has now, declared or not.

    Raises:
        SourceError: it cannot be read at all.
    """
    if table.format == "query":
        return shape_of(database.column_types(table, name=name, project=project))
    files = find_files(table, name=name, project=project).files
    return merged([shape_of(column_types(file, table, where=f"{name} ({file.shown})")) for file in files])


def read_source(table: Table, *, name: str, project: Path, window: Window = WHOLE) -> pa.Table:
    """All rows of a source with the columns sources.yaml declares, plus _row_number, and _file where there may be many.

    Args:
        window: of a database, fetch only what became known in it; some rows around it may come as well. Files are
            read whole.

    Raises:
        SourceError: missing or unreadable file, missing or extra columns, wrong type, no row, a file from which a
            table of its class may not be read, or a database that does not answer.
    """
    if table.format == "query":
        where = f"{name} ({table.lies_at})"
        _digests.pop(_asked(table, name, project), None)  # rows may have come that were not there when it was taken
        check = partial(_require_columns, table=table, where=where)
        rows = database.read_query(table, name=name, project=project, window=window, check=check)
        if rows.num_rows == 0 and (window == WHOLE or database.count_rows(table, name=name, project=project) == 0):
            _refuse_empty(where)
        return rows.append_column(ROW_NUMBER, _numbers(rows.num_rows))
    files = find_files(table, name=name, project=project)
    rows = _read_files(files, table, name=name)
    if rows.num_rows == 0:
        _refuse_empty(f"{name} ({table.path})")
    return rows


def _read_files(files: SourceFiles, table: Table, *, name: str) -> pa.Table:
    parts, wheres = [], [f"{name} ({table.path if not files.are_many else file.shown})" for file in files.files]
    found = [column_types(file, table, where=where) for file, where in zip(files.files, wheres, strict=True)]
    somewhere = {column for columns in found for column, _ in columns}
    for file, where, columns in zip(files.files, wheres, found, strict=True):
        to_come = {
            column: declared.since
            for column, declared in table.columns.items()
            if declared.since is not None and column in somewhere - {one for one, _ in columns}
        }
        columns_held = {column: declared for column, declared in table.columns.items() if column not in to_come}
        held = table.model_copy(update={"columns": columns_held})
        _require_columns(columns, table=held, where=where)
        part = _without_odd_types(read_contents(file, held, where=where), held)
        parts.append(_with_what_is_to_come(part, to_come, table, where=where))
    rows = pa.concat_tables(one_type(parts, table))
    numbers = pa.chunked_array([_numbers(part.num_rows) for part in parts], pa.int64())
    rows = rows.append_column(ROW_NUMBER, numbers)
    if files.are_many:
        indices = np.repeat(np.arange(len(parts), dtype="int32"), [part.num_rows for part in parts])
        rows = rows.append_column(FILE, pa.DictionaryArray.from_arrays(indices, [file.shown for file in files.files]))
    return rows


def _with_what_is_to_come(rows: pa.Table, to_come: dict[str, date], table: Table, *, where: str) -> pa.Table:
    """The rows of a file with empty columns that the source began to hold after all of them were known.

    Raises:
        SourceError: a row was known by then.
    """
    if not to_come:
        return rows
    known = table.source_name(table.known_at)
    known_at, _ = cast_cells(rows[known].combine_chunks(), table.columns[known], time_zone=table.time_zone)
    for name, since in to_come.items():
        begins = pa.scalar(datetime.combine(since, time(), ZoneInfo(table.time_zone)), known_at.type)
        late = pc.sum(pc.greater_equal(known_at, begins)).as_py()
        if late:
            raise SourceError(
                f"{where}: missing: {name}, which the source holds since {since} (sources.yaml), and {late:,} rows "
                "became known later. Correct the file, or the day."
            )
        rows = rows.append_column(name, pa.nulls(rows.num_rows))
    return rows.select(list(table.columns))


def _without_odd_types(rows: pa.Table, table: Table) -> pa.Table:
    """The rows; a dropped column of a type that no declared one holds is text: UUIDs as written, else nothing."""
    for place, (name, column) in enumerate(table.columns.items()):
        if table.format == "parquet" and column.treatment == "drop" and not fits(rows.schema.field(name).type, column):
            cells = rows[name].combine_chunks()
            cells = cells.storage if isinstance(cells.type, pa.BaseExtensionType) else cells
            is_uuid = column.type == "string" and cells.type == pa.binary(16)
            texts = [None if one is None or not is_uuid else str(UUID(bytes=one)) for one in cells.to_pylist()]
            rows = rows.set_column(place, name, pa.array(texts, pa.string()))
    return rows


def _numbers(rows: int) -> pa.Array:
    return pa.array(np.arange(rows, dtype="int64"))


def _refuse_empty(where: str) -> None:
    raise SourceError(f"{where}: expected rows, found none. An empty table is never taken for an answer.")


def _require_columns(columns: list[tuple[str, pa.DataType]], *, table: Table, where: str) -> None:
    """Raise SourceError unless the declared columns are there, each once, with fitting types."""
    there, declared = [column for column, _ in columns], list(table.columns)
    missing = [column for column in declared if column not in there]
    extra = [column for column in there if column not in declared]
    refused = extra if table.added_columns == "refuse" or missing else []
    if missing or refused or len(set(there)) != len(there):
        problems = []
        if missing:
            problems.append(f"missing: {', '.join(missing)}")
        if refused:
            has_header = len(missing) < len(declared)
            problems.append(f"not declared: {_described(there, refused, may_name=has_header)}")
        if len(missing) == len(declared):
            problems.append("no declared column was found: is there a header row, and is the separator a comma?")
        if len(set(there)) != len(there):
            problems.append("a column name is there twice")
        raise SourceError(
            f"{where}: expected the columns that sources.yaml declares; {'; '.join(problems)}. "
            "Declare each column with its PII treatment (drop is one), or correct the file."
        )
    if table.format in ("csv", "jsonl"):
        return

    def may_be_anything(column: Column) -> bool:
        return table.format == "parquet" and column.treatment == "drop" and column.nullable

    types = dict(columns)
    wrong = [
        f"{name}: expected {column.type}, found {kind_of(types[name])}"
        for name, column in table.columns.items()
        if not (
            may_be_anything(column)
            or fits(types[name], column)
            or (table.format == "query" and database.comes_as_text(types[name]))
        )
    ]
    if wrong:
        is_number = any(
            column.type in ("date", "timestamp") and is_a_number(types[name]) for name, column in table.columns.items()
        )
        no_date = " Seconds since 1970, or days of Excel, are no date: write them as one." if is_number else ""
        raise SourceError(
            f"{where}: wrong types: {'; '.join(wrong)}. Correct the file or type in sources.yaml.{no_date}"
        )


def _described(there: list[str], extra: list[str], *, may_name: bool) -> str:
    """Undeclared columns by name, or by position where the name may be a cell of a file without a header row."""
    return ", ".join(
        column if may_name and re.fullmatch(PLAIN_NAME, column) else f"column {there.index(column) + 1}"
        for column in extra[:20]
    ) + (f" and {len(extra) - 20} more" if len(extra) > 20 else "")
