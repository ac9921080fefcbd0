"""Cast the columns of a source to their declared types. A cell that cannot be cast becomes null and is reported."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.use_case.sources import ISO, Column, Table
from ds_pipeline.use_case.sql import DECIMAL_DIGITS, arrow_type

Mask = np.ndarray  # one bool per row
TRUE_WORDS, FALSE_WORDS = ["true", "t", "yes", "1"], ["false", "f", "no", "0"]
DOUBLE_DIGITS = 15  # decimal digits that every double keeps
DOUBLE_NOISE = 2.0**-50  # a few units in the last place, in parts of the value
EARLIEST = 1700  # a year before it is a slip, such as 0024
LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # an open end; in UTC it may lie beyond what Python can say
WIDE = 60  # decimal digits that hold any number of a source, whatever it is scaled to
NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
WITH_COMMA = NUMBER.replace(r"\.", ",")  # no point in it: 1.234 may be a thousand or a fraction
SHORT_NUMBER = r"^-?\d{1,40}(\.\d{1,15})?$"  # fits into WIDE digits
# The digits of the numbers in a format, where they stand beside another without anything between.
WIDTHS = {f"%{one}": r"\d{2}" for one in "dmyHIMS"} | {"%Y": r"\d{4}", "%f": r"(\d{3}|\d{6})"}
ISO_TIME = r"^\d{4}-\d{2}-\d{2}([ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?)?$"


def cast_columns(raw: pa.Table, table: Table) -> tuple[pa.Table, dict[str, Mask]]:
    """The declared columns by alias and type, and for each alias the cells that could not be read.

    Naive timestamps are read in the table's time zone and become UTC. Where an hour happens twice or not at all (the
    clocks change), the later instant is taken: a row is then never visible too early.
    """
    columns, unreadable = {}, {}
    for name, column in table.columns.items():
        cells = cast_cells(raw[name].combine_chunks(), column, time_zone=table.time_zone)
        columns[column.alias], unreadable[column.alias] = cells
    return pa.table(columns), unreadable


def cast_cells(values: pa.Array, column: Column, *, time_zone: str) -> tuple[pa.Array, Mask]:
    """The cells of one column by its type, and those that could not be read."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if is_text(values.type):
        values = without_words(values, column.null_words)
        if column.type != "string" or column.treatment == "token":  # there a blank cell is a missing one
            values = without_words(pc.utf8_trim_whitespace(values), [""])
    cast = _cast(values, column, column.time_zone or time_zone)
    unreadable = to_mask(pc.and_(pc.is_valid(values), pc.is_null(cast)))
    numbers = [int(word) for word in column.null_words if re.fullmatch(r"[+-]?\d{1,18}", word)]
    if column.type == "integer" and numbers:
        cast = pc.if_else(pc.is_in(cast, pa.array(numbers, cast.type)), _null(cast.type), cast)
    return cast, unreadable


def without_words(text: pa.Array, words: Iterable[str]) -> pa.Array:
    """The texts as they are; null where they are one of the words, whatever the case and the blanks around."""
    return pc.if_else(are_words(text, words), _null(text.type), text)


def are_words(text: pa.Array, words: Iterable[str]) -> pa.Array:
    bare = pc.utf8_lower(pc.utf8_trim_whitespace(text))
    return pc.is_in(bare, pa.array([word.strip().lower() for word in words], text.type))


def one_type(parts: list[pa.Table], table: Table) -> list[pa.Table]:
    """The same columns with one type each in all files; a column that changes its type becomes text or an instant."""
    for name, column in table.columns.items():
        types = {part.schema.field(name).type for part in parts if not pa.types.is_null(part.schema.field(name).type)}
        if len(types) < 2 and not any(pa.types.is_dictionary(kind) for kind in types):
            continue
        zone = column.time_zone or table.time_zone
        parts = [
            part.set_column(part.column_names.index(name), name, _common(part[name].combine_chunks(), zone))
            for part in parts
        ]
    target = pa.unify_schemas([part.schema for part in parts], promote_options="permissive")
    return [part.cast(target) for part in parts]


def exact_numbers(text: pa.Array) -> pa.Array:
    """Numbers in text as decimals that keep every digit; as text where one of them is none, such as NaN."""
    if not to_mask(pc.match_substring_regex(text, SHORT_NUMBER).fill_null(True)).all():
        return text
    fractions = pc.utf8_length(pc.replace_substring_regex(text, r"^[^.]*\.?", ""))
    return text.cast(pa.decimal256(WIDE, pc.max(fractions).as_py() or 0))


def to_mask(values: pa.Array | pa.ChunkedArray) -> Mask:
    """A boolean Arrow array as NumPy; null counts as False."""
    return values.fill_null(False).to_numpy(zero_copy_only=False).astype(bool)


def _common(values: pa.Array, time_zone: str) -> pa.Array:
    """Times as instants, everything else as the text that means the same."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_null(values.type):
        return values
    if pa.types.is_date(values.type) or pa.types.is_timestamp(values.type):
        return _to_utc(values, time_zone).cast(pa.timestamp("us", time_zone))
    return values.cast(pa.string())


def is_text(kind: pa.DataType) -> bool:
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
    if is_text(values.type):
        values = _only(values, WITH_COMMA if column.decimal_mark == "," else NUMBER)
        values = pc.replace_substring(values, column.decimal_mark, ".")
        if column.type != "double":
            is_long = pc.and_(
                pc.greater(pc.utf8_length(values), DOUBLE_DIGITS - (column.scale or 0)),
                pc.match_substring_regex(values, SHORT_NUMBER),
            )
            if to_mask(is_long).any():
                # A double would take two numbers of 17 digits for one.
                exact = _number(exact_numbers(pc.if_else(is_long, values, _null(values.type))), column, target)
                others = pc.if_else(is_long, _null(values.type), values).cast(pa.float64())
                return pc.coalesce(exact, _number(others, column, target))
        values = values.cast(pa.float64())
    if column.type == "double":
        values = pc.add(values.cast(pa.float64()), 0.0)  # minus zero is zero: no order of rows may hang on it
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
    else:
        usable = pc.and_(usable, _keeps_digits(values, rounded, scale))
    return pc.if_else(usable, rounded, _null(rounded.type)).cast(target, safe=False)


def _keeps_digits(values: pa.Array, rounded: pa.Array, scale: int) -> pa.Array:
    """Whether rounding took no more off than what a double is off anyway: 0.1 + 0.2 is 0.30000000000000004."""
    lost = pc.abs(pc.subtract(rounded, values)).cast(pa.float64())
    noise = pc.multiply(pc.abs(values).cast(pa.float64()), DOUBLE_NOISE)
    return pc.less_equal(lost, pc.max_element_wise(noise, pa.scalar(1e-6 / 10.0**scale)))


def _boolean(values: pa.Array) -> pa.Array:
    if pa.types.is_boolean(values.type):
        return values
    text = pc.utf8_lower(values)
    is_true, is_false = (pc.is_in(text, pa.array(words, text.type)) for words in (TRUE_WORDS, FALSE_WORDS))
    return pc.if_else(pc.or_(is_true, is_false), is_true, _null(pa.bool_()))


def _time(values: pa.Array, column: Column, time_zone: str) -> pa.Array:
    if is_text(values.type):
        values = _parse(values, column.formats, time_zone) if column.formats else _parse_iso(values)
    values = _in_microseconds(values)
    if column.type == "date":
        if getattr(values.type, "tz", None):  # the day in the declared zone, whatever the file shows instants in
            values = pc.local_timestamp(values.cast(pa.timestamp(values.type.unit, time_zone)))
        return _since_earliest(values.cast(pa.date32(), safe=False))
    return _since_earliest(_to_utc(values, time_zone))


def _since_earliest(times: pa.Array) -> pa.Array:
    return pc.if_else(pc.greater_equal(pc.year(times), EARLIEST), times, _null(times.type))


def _in_microseconds(values: pa.Array) -> pa.Array:
    """Times in microseconds; one beyond their range, such as the largest number of milliseconds, is an open end.

    A cast alone would take it for any year. One before the year 1 is null.
    """
    if not pa.types.is_timestamp(values.type):
        values = values.cast(pa.timestamp("s"))
    if values.type.unit in ("s", "ms"):
        moments = (datetime.min.replace(tzinfo=UTC), LATEST)
        first, last = (pa.scalar(one if values.type.tz else one.replace(tzinfo=None), values.type) for one in moments)
        values = pc.if_else(pc.greater_equal(values, first), values, _null(values.type))
        values = pc.if_else(pc.greater(values, last), last, values)
    return values.cast(pa.timestamp("us", tz=values.type.tz), safe=False)


def _to_utc(values: pa.Array, time_zone: str) -> pa.Array:
    values = _in_microseconds(values)
    if values.type.tz is None:
        values = pc.assume_timezone(values, time_zone, ambiguous="latest", nonexistent="latest")
    values = values.cast(pa.timestamp("us", tz="UTC"))
    return pc.if_else(pc.greater(values, pa.scalar(LATEST, values.type)), pa.scalar(LATEST, values.type), values)


def _parse(text: pa.Array, formats: list[str], time_zone: str) -> pa.Array:
    """Instants, shown in the time zone, of texts in any of the formats; null where two of them disagree."""
    read, disputed = pa.nulls(len(text), pa.timestamp("us", "UTC")), np.zeros(len(text), dtype=bool)
    for form in formats:
        if form == ISO:
            parsed = _parse_iso(text)
        else:
            wide = text if (pattern := _full_width(form)) is None else _only(text, pattern)
            times = pd.to_datetime(wide.to_pandas(), format=form, errors="coerce", utc="%z" in form)
            parsed = pa.Array.from_pandas(times)
        instants = _to_utc(parsed, time_zone)
        disputed |= to_mask(pc.not_equal(read, instants))
        read = pc.coalesce(read, instants)
    clear = pc.if_else(pa.array(disputed), pa.scalar(None, read.type), read)
    return clear.cast(pa.timestamp("us", time_zone))


def _full_width(form: str) -> str | None:
    """What a text looks like in which numbers that touch have all of their digits; None for a format without such.

    strptime shares the digits out as it can, and reads 2024111 by %Y%m%d as 1 November and 202411 as 1 January.
    """
    parts = re.findall(r"%.|[^%]+", form)
    touching = {place for place, pair in enumerate(pairwise(parts)) if set(pair) <= WIDTHS.keys()}
    if not touching:
        return None
    pattern = ""
    for place, part in enumerate(parts):
        if part in WIDTHS:
            pattern += WIDTHS[part] if touching & {place - 1, place} else r"\d+"
        else:
            pattern += ".+?" if part[0] == "%" else re.sub(r"(\\?\s)+", r"\\s+", re.escape(part))
    return f"(?i)^{pattern}$"


def _only(text: pa.Array, pattern: str) -> pa.Array:
    return pc.if_else(pc.match_substring_regex(text, pattern), text, _null(text.type))


def _parse_iso(text: pa.Array) -> pa.Array:
    """ISO dates and times without an offset, with T or a blank between; anything else is null."""
    day = pc.utf8_slice_codeunits(text, 0, 10)
    parsed = pc.strptime(day, format="%Y-%m-%d", unit="s", error_is_null=True)
    is_a_day = pc.equal(pc.strftime(parsed, format="%Y-%m-%d"), day)  # strptime reads 30 February as 2 March
    readable = pc.and_(is_a_day, pc.match_substring_regex(text, ISO_TIME))
    to_microseconds = pc.replace_substring_regex(text, r"(\.\d{6})\d{1,3}$", r"\1")
    return pc.if_else(readable, to_microseconds, _null(text.type)).cast(pa.timestamp("us"))
