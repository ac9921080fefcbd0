"""Cast the columns of a source to their declared types. A cell that cannot be cast becomes null and is reported."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.use_case.sources import Column, Table
from ds_pipeline.use_case.sql import DECIMAL_DIGITS, arrow_type

Mask = np.ndarray  # one bool per row


def cast_columns(raw: pa.Table, table: Table) -> tuple[pa.Table, dict[str, Mask]]:
    """The declared columns by alias and type, and for each alias the cells that could not be read.

    Naive timestamps are read in the table's time zone and become UTC. Where an hour happens twice or not at all (the
    clocks change), the later instant is taken: a row is then never visible too early.
    """
    columns, unreadable = {}, {}
    for name, column in table.columns.items():
        values = raw[name].combine_chunks()
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        cast = _cast(values, column, table.time_zone)
        columns[column.alias] = cast
        unreadable[column.alias] = to_mask(pc.and_(pc.is_valid(values), pc.is_null(cast)))
    return pa.table(columns), unreadable


def to_mask(values: pa.Array | pa.ChunkedArray) -> Mask:
    """A boolean Arrow array as NumPy; null counts as False."""
    return values.fill_null(False).to_numpy(zero_copy_only=False).astype(bool)


def _cast(values: pa.Array, column: Column, time_zone: str) -> pa.Array:
    target = arrow_type(column)
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), target)
    if column.type == "string":
        return values.cast(target)
    if column.type == "boolean":
        return _boolean(values)
    if column.type in ("date", "timestamp"):
        return _time(values, column, time_zone)
    return _number(values, column, target)


def _number(values: pa.Array, column: Column, target: pa.DataType) -> pa.Array:
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        text = pc.utf8_trim_whitespace(values)
        readable = pc.match_substring_regex(text, r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")
        values = pc.if_else(readable, text, pa.scalar(None, text.type)).cast(pa.float64())
    if column.type == "double":
        cast = values.cast(pa.float64())
        return pc.if_else(pc.is_finite(cast), cast, pa.scalar(None, pa.float64()))
    if pa.types.is_floating(values.type):
        # 2**53: beyond it neighbouring whole numbers are the same double, so two customers could become one.
        limit = 2.0**53 if column.type == "integer" else 10.0 ** (DECIMAL_DIGITS - (column.scale or 0) - 1)
        usable = pc.and_(pc.is_finite(values), pc.less(pc.abs(values), limit))
        if column.type == "integer":
            usable = pc.and_(usable, pc.equal(pc.floor(values), values))
        else:
            values = pc.round(values, ndigits=column.scale, round_mode="half_to_even")
        values = pc.if_else(usable, values, pa.scalar(None, values.type))
    return values.cast(target, safe=False)


def _boolean(values: pa.Array) -> pa.Array:
    if pa.types.is_boolean(values.type):
        return values
    text = pc.utf8_lower(pc.utf8_trim_whitespace(values))
    is_true = pc.is_in(text, pa.array(["true", "t", "yes", "1"], text.type))
    is_false = pc.is_in(text, pa.array(["false", "f", "no", "0"], text.type))
    return pc.if_else(pc.or_(is_true, is_false), is_true, pa.scalar(None, pa.bool_()))


def _time(values: pa.Array, column: Column, time_zone: str) -> pa.Array:
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        values = _parse_iso(pc.utf8_trim_whitespace(values))
    if column.type == "date":
        if getattr(values.type, "tz", None):
            values = pc.local_timestamp(values)
        return values.cast(pa.date32(), safe=False)
    values = values.cast(pa.timestamp("us", tz=getattr(values.type, "tz", None)), safe=False)
    if values.type.tz is None:
        values = pc.assume_timezone(values, time_zone, ambiguous="latest", nonexistent="latest")
    return values.cast(pa.timestamp("us", tz="UTC"))


def _parse_iso(text: pa.Array) -> pa.Array:
    """ISO dates and times, with T or a blank between; anything else is null."""
    text = pc.replace_substring(text, "T", " ")
    text = pc.if_else(
        pc.match_substring_regex(text, r"^\d{4}-\d{2}-\d{2}$"), pc.binary_join_element_wise(text, "00:00:00", " "), text
    )
    text = pc.if_else(
        pc.match_substring_regex(text, r"^\S+ \d{2}:\d{2}$"), pc.binary_join_element_wise(text, "00", ":"), text
    )
    return pc.strptime(text, format="%Y-%m-%d %H:%M:%S", unit="us", error_is_null=True)
