"""What the cells of a text column can be read as: a type of sources.yaml, and how dates and numbers are written.

Whether a cell can be read is asked of `ingestion/cast.py`, so that a run sees what is seen here; what is proposed is
narrower. A column that can be read in two ways is not guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.ingestion.cast import FALSE_WORDS, TRUE_WORDS, cast_cells, is_text, without_words
from ds_pipeline.ingestion.shape import fits
from ds_pipeline.use_case.sources import ISO, NULL_WORDS, Column

# What looks like a type, and is proposed as one if ingestion reads it so.
WHOLE = r"[+-]?(0|[1-9]\d{0,14})"  # leading zeros are those of a code; so many digits are those of an account
_DECIMAL = r"[+-]?(0|[1-9]\d{0,11})\.\d{1,6}"
_NUMBER = r"[+-]?((0|[1-9]\d{0,14})(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
_DAY = r"\d{4}-\d{2}-\d{2}"
_INSTANT = rf"{_DAY}[ T]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{1,9}})?)?"
_BOOLEAN = "(?i)" + "|".join(TRUE_WORDS + FALSE_WORDS)
_ZONE = r"(Z|[+-]\d{2}:?\d{2})"
_OFFSET = _INSTANT + _ZONE
_COMMA = r"[+-]?(0|[1-9]\d{0,11}),\d{1,6}"
_POINTED = r"[+-]?(0|[1-9]\d{0,2}(,\d{3})+|[1-9]\d{0,11})(\.\d+)?"  # 1,234.50
_COMMAED = r"[+-]?(0|[1-9]\d{0,2}(\.\d{3})+|[1-9]\d{0,11})(,\d+)?"  # 1.234,50
_NOT_ISO = r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}( .*)?"
# Ways to write a date besides ISO. A column that two of them can read is not taken for a date: nobody knows which.
DAYS = (
    "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y",
)  # fmt: skip
TIMES = ("", " %H:%M", " %H:%M:%S")
LOOKS = [
    ("integer", WHOLE), ("boolean", _BOOLEAN), ("decimal", rf"{_DECIMAL}|{WHOLE}"), ("double", _NUMBER),
    ("date", _DAY), ("timestamp", rf"{_INSTANT}|{_DAY}"),
]  # fmt: skip
HALF = "1,5 is one and a half?"
POINT = "1.500 is one and a half? if it is one thousand five hundred, write the numbers without the point"
COMMA = "a number? 1,500 can be one and a half (then decimal_mark) or one thousand five hundred (write no comma)"
GROUPS = "a number? with marks between the thousands it cannot be read; write the numbers without them"
MARKS = "a number? some cells have a point before the fraction and others a comma; write all of them one way"
EPOCHS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}  # since 1970
EPOCH = "a time? it looks like {} since 1970, which no column type reads; write it as 2024-03-07 09:30:00"
EXCEL = "a date? it looks like the days of Excel (45358 is 2024-03-07), which no column type reads; write it as a date"
TIME_WORDS = frozenset(
    {"at", "on", "date", "datetime", "day", "time", "timestamp", "ts", "when", "datum", "zeit", "fecha"}
)
NO_TYPE = "no column type holds it, such as a list: it can only go; write what is needed of it as columns of its own"
NO_DATES = "some cells look like a date and are none, such as 2024-02-30; the rows are set aside"


@dataclass(frozen=True)
class Reading:
    """What a column can be read as.

    Attributes:
        type: as sources.yaml names it.
        scale: digits after the point, of a decimal.
        formats: how dates are written, where it is not ISO.
        decimal_mark: before the fraction of a number.
        doubt: what only a person can say of it; for `# review`.
        may_be: the formats of dates that could read it, where it is not clear which does.
        is_mixed: each of them reads a part only.
    """

    type: str
    scale: int | None = None
    formats: tuple[str, ...] = ()
    decimal_mark: str = "."
    doubt: str = ""
    may_be: tuple[str, ...] = ()
    is_mixed: bool = False


def read_cells(cells: pa.Array, given: tuple[str, ...]) -> Reading:
    """What a column of text can be read as; string where nothing fits, or more than one thing does.

    Args:
        given: formats of dates as the user says them; where they read all cells, nothing else is tried.
    """
    text = pc.unique(pc.utf8_trim_whitespace(without_words(cells, ("", *NULL_WORDS)))).drop_null()
    if not len(text):
        return Reading("string")
    if given and _reads_all(text, Reading("timestamp", formats=given)):
        has_time = any(form == ISO or "%H" in form or "%I" in form for form in given)
        return Reading("timestamp" if has_time else "date", formats=given)
    for kind, pattern in LOOKS:
        if _match(text, pattern):
            reading = _decimal(text, ".") if kind == "decimal" else Reading(kind)
            if _reads_all(text, reading):
                return reading
            if kind in ("date", "timestamp") and _read(text, reading).any():
                return Reading(kind, doubt=NO_DATES)
    if _match(text, _OFFSET):
        return Reading("timestamp", formats=_offset_forms(text))
    if _match(text, rf"{_NOT_ISO}|{_INSTANT}"):
        return _dated(text)
    if _match(text, rf"{_COMMA}|{WHOLE}"):
        reading = _decimal(text, ",")
        return reading if _reads_all(text, reading) else Reading("string")
    return Reading("string", doubt=_doubt_of_marks(text))


def _doubt_of_marks(text: pa.Array) -> str:
    """Why cells that look like numbers cannot be read as such; empty where they do not."""
    if _match(text, _POINTED) or _match(text, _COMMAED):
        return GROUPS
    return MARKS if _match(text, rf"{_POINTED}|{_COMMAED}") else ""


def read_typed(cells: pa.Array) -> Reading:
    """What a column that is no text holds."""
    kind, types = cells.type, pa.types
    if types.is_decimal(kind):
        return Reading("decimal", min(kind.scale, 9)) if kind.scale else Reading("integer")
    if not any(fits(kind, Column.model_construct(type=one)) for one in ("string", "integer", "boolean", "timestamp")):
        return Reading("string", doubt=NO_TYPE)
    if types.is_floating(kind):  # whole numbers that pandas turned into floats because one was missing
        return Reading("integer" if pc.all(pc.equal(pc.floor(cells), cells)).as_py() else "double")
    whole = "integer" if types.is_integer(kind) else "boolean" if types.is_boolean(kind) else "string"
    return Reading("date" if types.is_date(kind) else "timestamp" if types.is_timestamp(kind) else whole)


def as_read(cells: pa.Array, reading: Reading) -> pa.Array:
    """The cells as a run reads them: dates and times as instants in UTC, without what says that there is none."""
    if reading.type in ("date", "timestamp"):
        return _cast(cells, replace(reading, type="timestamp")).cast(pa.timestamp("us"))
    return without_null_words(cells, reading)


def without_null_words(cells: pa.Array, reading: Reading) -> pa.Array:
    """The cells as they are written, null where they say that there is none."""
    if not is_text(cells.type):
        return cells
    if reading.type != "string":
        cells = pc.utf8_trim_whitespace(without_words(cells, [""]))
    return without_words(cells, NULL_WORDS)


def doubt_of_number(name: str, lowest: float | None, highest: float | None) -> str:
    """What a column of whole numbers may be a date of, by its name and span; empty where nothing speaks for it."""
    if lowest is None or highest is None:
        return ""
    for unit, per_second in EPOCHS.items():
        if lowest / per_second >= 631_152_000 and highest / per_second < 2_208_988_800:  # the years 1990 to 2039
            return EPOCH.format(unit)
    named = set(re.split(r"[^a-z]+", name.lower())) & TIME_WORDS
    return EXCEL if named and lowest >= 25_569 and highest < 60_000 else ""


def _dated(text: pa.Array) -> Reading:
    """Date or timestamp with the one order of day, month and year that reads the whole sample."""
    ways = {day: tuple(form for time in TIMES if _reads_any(text, form := day + time)) for day in DAYS}
    ways = {day: forms for day, forms in ways.items() if forms}
    whole = [day for day, forms in ways.items() if _reads_all(text, Reading("timestamp", formats=forms))]
    if len(whole) == 1:
        forms = ways[whole[0]]
        return Reading("timestamp" if any("%H" in form for form in forms) else "date", formats=forms)
    if whole:
        return _unclear(tuple(whole), "can be read as", is_mixed=False)
    by_form = [_read(text, Reading("timestamp", formats=(form,))) for forms in ways.values() for form in forms]
    iso = _read(text, Reading("timestamp"))
    if all(map(any, zip(iso, *by_form, strict=True))):
        return _unclear((*([ISO] if iso.any() else []), *ways), "is in part", is_mixed=True)
    return Reading("string")


def _unclear(formats: tuple[str, ...], how: str, *, is_mixed: bool) -> Reading:
    return Reading("string", may_be=formats, is_mixed=is_mixed, doubt=f"a date? it {how} {' and '.join(formats)}")


def _offset_forms(text: pa.Array) -> tuple[str, ...]:
    """One format for each way in which instants with an offset are written."""
    ways = sorted({(cell[10], cell[16] == ":", "." in cell) for cell in text.to_pylist()})
    return tuple(
        f"%Y-%m-%d{mark}%H:%M{':%S' if has_seconds else ''}{'.%f' if has_fraction else ''}%z"
        for mark, has_seconds, has_fraction in ways
    )


def _decimal(text: pa.Array, mark: str) -> Reading:
    """A number with a fraction; with three digits after each mark it may as well be one between the thousands."""
    marked = [cell for cell in text.to_pylist() if mark in cell]
    may_be_grouped = all(re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}\{mark}\d{{3}}", cell) for cell in marked)
    if may_be_grouped and mark == ",":
        return Reading("string", doubt=COMMA)
    scale = max(len(cell.partition(mark)[2]) for cell in marked)
    return Reading("decimal", scale, decimal_mark=mark, doubt=HALF if mark == "," else POINT if may_be_grouped else "")


def _cast(cells: pa.Array, reading: Reading) -> pa.Array:
    """The cells as ingestion casts them."""
    column = Column.model_construct(
        type=reading.type,
        treatment="keep",
        scale=reading.scale,
        formats=list(reading.formats) or None,
        decimal_mark=reading.decimal_mark,
    )
    return cast_cells(cells, column, time_zone="UTC")[0]


def _read(text: pa.Array, reading: Reading) -> Any:
    """Which cells ingestion can read so, as a mask."""
    return _cast(text, reading).is_valid().to_numpy(zero_copy_only=False)


def _reads_all(text: pa.Array, reading: Reading) -> bool:
    return bool(_read(text, reading).all())


def _reads_any(text: pa.Array, form: str) -> bool:
    return bool(_read(text, Reading("timestamp", formats=(form,))).any())


def _match(text: pa.Array, pattern: str) -> bool:
    """Whether all cells look so."""
    return bool(pc.all(pc.match_substring_regex(text, f"^(?:{pattern})$")).as_py())
