"""Rows of given people in stored tables and in lists that were delivered."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.scoring.delivery import as_it_was

PSEUDONYM = "^[a-p]{32}$"  # what masking.tokens makes; no other text of a stored table looks like it


def rows_of(table: pa.Table, tokens: Collection[str]) -> np.ndarray:
    """One bool per row: any of its text cells is one of the tokens."""
    wanted = pa.array(sorted(tokens), pa.string())
    rows = np.zeros(table.num_rows, dtype=bool)
    for column in _texts(table):
        rows |= pc.is_in(column, wanted).to_numpy()
    return rows


def without(table: pa.Table, rows: np.ndarray) -> pa.Table:
    """The other rows, in one piece: the very table that would have been made without these."""
    return table.filter(pa.array(~rows)).combine_chunks()


def tokens_in(table: pa.Table) -> set[str]:
    """Every token in the table, of any domain."""
    tokens: set[str] = set()
    for column in _texts(table):
        values = column.unique()
        tokens |= set(values.filter(pc.match_substring_regex(values, PSEUDONYM)).to_pylist())
    return tokens


def listed_rows(values: Sequence[object], is_listed: Callable[[Sequence[object]], np.ndarray]) -> np.ndarray:
    """One bool per cell of the identifiers of a delivered list.

    A text may be as the source has it, or changed so that a spreadsheet does not run it, by this or an older rule.
    """
    if not values:
        return np.zeros(0, dtype=bool)
    rows = is_listed(values)
    for undo in (as_it_was, lambda text: text.removeprefix("'")):
        rows = rows | is_listed([undo(value) if isinstance(value, str) else value for value in values])
    return rows


def read_csv(content: bytes) -> list[list[str]]:
    """The lines of a delivered CSV list as cells of text, the header first."""
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))


def write_csv(lines: Sequence[Sequence[str]]) -> bytes:
    """The lines as they were delivered: cells are quoted where they have to be."""
    sink = io.StringIO(newline="")
    csv.writer(sink, lineterminator="\n").writerows(lines)
    return sink.getvalue().encode("utf-8")


def _texts(table: pa.Table) -> list[pa.ChunkedArray]:
    columns = []
    for column in table.columns:
        kind = column.type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            columns.append(column.cast(pa.string()))
    return columns
