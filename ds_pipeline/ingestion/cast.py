"""Cast the columns of a source to their declared types. A cell that cannot be cast becomes null and is reported."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.use_case.sources import Column, Table
from ds_pipeline.use_case.sql import DECIMAL_DIGITS, arrow_type

Mask = np.ndarray  # one bool per row
NULL_WORDS = ["", "NA", "NULL"]  # in a text cell of a column that holds no text
WIDE = 60  # decimal digits that hold any number of a source, whatever it is scaled to
NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
ISO_TIME = r"^\d{4}-\d{2}-\d{2}([ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?)?$"


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
        if column.type != "string" and _is_text(values.type):
            text = pc.utf8_trim_whitespace(values)
            values = pc.if_else(pc.is_in(text, pa.array(NULL_WORDS, text.type)), _null(text.type), text)
        if column.treatment == "token" and _is_text(values.type):
            values = pc.utf8_trim_whitespace(values)  # a blank identifier is a missing one
            values = pc.if_else(pc.equal(values, ""), _null(values.type), values)
        cast = _cast(values, column, table.time_zone)
        columns[column.alias] = cast
        unreadable[column.alias] = to_mask(pc.and_(pc.is_valid(values), pc.is_null(cast)))
    return pa.table(columns), unreadable


def to_mask(values: pa.Array | pa.ChunkedArray) -> Mask:
    """A boolean Arrow array as NumPy; null counts as False."""
    return values.fill_null(False).to_numpy(zero_copy_only=False).astype(bool)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _null(kind: pa.DataType) -> pa.Scalar:
    return pa.scalar(None, kind)


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
    types = pa.types
    if _is_text(values.type):
        readable = pc.match_substring_regex(values, NUMBER)
        values = pc.if_else(readable, values, _null(values.type)).cast(pa.float64())
    if column.type == "double":
        values = values.cast(pa.float64())
        return pc.if_else(pc.is_finite(values), values, _null(values.type))
    scale = column.scale or 0
    if types.is_floating(values.type):
        # 2**53: beyond it neighbouring whole numbers are the same double, so two customers could become one.
        limit = pa.scalar(2.0**53 / 10.0**scale)
    else:
        digits = values.type.scale if types.is_decimal(values.type) else 0
        values = values.cast(pa.decimal256(WIDE, digits))
        limit = pa.scalar(Decimal(2**63 if column.type == "integer" else 10 ** (DECIMAL_DIGITS - scale)))
    rounded = pc.round(values, ndigits=scale, round_mode="half_to_even")
    usable = pc.less(pc.abs(rounded), limit)
    if column.type == "integer":
        usable = pc.and_(usable, pc.equal(rounded, values))
    return pc.if_else(usable, rounded, _null(rounded.type)).cast(target, safe=False)


def _boolean(values: pa.Array) -> pa.Array:
    if pa.types.is_boolean(values.type):
        return values
    text = pc.utf8_lower(values)
    is_true = pc.is_in(text, pa.array(["true", "t", "yes", "1"], text.type))
    is_false = pc.is_in(text, pa.array(["false", "f", "no", "0"], text.type))
    return pc.if_else(pc.or_(is_true, is_false), is_true, _null(pa.bool_()))


def _time(values: pa.Array, column: Column, time_zone: str) -> pa.Array:
    if _is_text(values.type):
        values = _parse_iso(values)
    if column.type == "date":
        if getattr(values.type, "tz", None):
            values = pc.local_timestamp(values)
        return values.cast(pa.date32(), safe=False)
    values = values.cast(pa.timestamp("us", tz=getattr(values.type, "tz", None)), safe=False)
    if values.type.tz is None:
        values = pc.assume_timezone(values, time_zone, ambiguous="latest", nonexistent="latest")
    return values.cast(pa.timestamp("us", tz="UTC"))


def _parse_iso(text: pa.Array) -> pa.Array:
    """ISO dates and times without an offset, with T or a blank between; anything else is null."""
    day = pc.utf8_slice_codeunits(text, 0, 10)
    parsed = pc.strptime(day, format="%Y-%m-%d", unit="s", error_is_null=True)
    is_a_day = pc.equal(pc.strftime(parsed, format="%Y-%m-%d"), day)  # strptime reads 30 February as 2 March
    readable = pc.and_(is_a_day, pc.match_substring_regex(text, ISO_TIME))
    return pc.if_else(readable, text, _null(text.type)).cast(pa.timestamp("us"))
