"""What the cells of a text column can be read as: a type of sources.yaml, and how dates and numbers are written.

It asks DuckDB about the table `sample`; a value never leaves it. A column that can be read in two ways is not guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import duckdb

from ds_pipeline.use_case.sources import ISO

# What ingestion can cast a text to; see ingestion/cast.py.
WHOLE = r"[+-]?(0|[1-9]\d{0,14})"  # a number with leading zeros is a code; beyond 15 digits a double is not exact
_DECIMAL = r"[+-]?(0|[1-9]\d{0,11})\.\d{1,6}"
_NUMBER = r"[+-]?((0|[1-9]\d{0,14})(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
_DAY = r"\d{4}-\d{2}-\d{2}"
_INSTANT = rf"{_DAY}[ T]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{1,6}})?)?"
_BOOLEAN = r"(?i:true|false|t|f|yes|no)"
_OFFSET = rf"{_INSTANT}(Z|[+-]\d{{2}}:?\d{{2}})"
_COMMA = r"[+-]?(0|[1-9]\d{0,11}),\d{1,6}"
_GROUPED = r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?|[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?"  # 1,234.50 or 1.234,50
_NOT_ISO = r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}( .*)?"
# Ways to write a date besides ISO. A column that two of them can read is not taken for a date: nobody knows which.
DAYS = (
    "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y",
)  # fmt: skip
TIMES = ("", " %H:%M", " %H:%M:%S")
DIGITS = {"%Y": r"\d{4}", "%y": r"\d{2}", "%d": r"\d{1,2}", "%m": r"\d{1,2}"}  # strptime takes year 24 for %Y
TEXT_TYPES = [
    ("boolean", _BOOLEAN), ("integer", WHOLE), ("decimal", rf"{_DECIMAL}|{WHOLE}"), ("double", _NUMBER),
    ("date", _DAY), ("timestamp", rf"{_INSTANT}|{_DAY}"),
]  # fmt: skip
HALF = "1,5 is one and a half?"
POINT = "1.500 is one and a half? if it is one thousand five hundred, write the numbers without the point"
COMMA = "a number? 1,500 can be one and a half (then decimal_mark) or one thousand five hundred (write no comma)"
GROUPS = "a number? with marks between the thousands it cannot be read; write the numbers without them"


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


def read_cells(connection: duckdb.DuckDBPyConnection, column: str, given: tuple[str, ...]) -> Reading:
    """What a text column of the sample can be read as; string where nothing fits, or more than one thing does.

    Args:
        column: quoted.
        given: formats of dates as the user says them; where they read all cells, nothing else is tried.
    """
    if not _ask(connection, f"SELECT count({column}) FROM sample"):
        return Reading("string")
    if given and _all(connection, f"{instant(column, given)} IS NOT NULL", column):
        has_time = any(one == ISO or "%H" in one or "%I" in one for one in given)
        return Reading("timestamp" if has_time else "date", formats=given)
    for name, pattern in TEXT_TYPES:
        if _all_match(connection, column, pattern):
            return _decimal(connection, column, ".") if name == "decimal" else Reading(name)
    if _all_match(connection, column, _OFFSET):
        return Reading("timestamp", formats=_offset_forms(connection, column))
    if _all_match(connection, column, rf"{_NOT_ISO}|{_INSTANT}"):
        return _dated(connection, column)
    if _all_match(connection, column, rf"{_COMMA}|{WHOLE}"):
        return _decimal(connection, column, ",")
    if _all_match(connection, column, rf"{_GROUPED}|{WHOLE}"):
        return Reading("string", doubt=GROUPS)
    return Reading("string")


def instant(column: str, formats: tuple[str, ...]) -> str:
    """A column of dates as an SQL expression of a timestamp in UTC; null where none of the formats reads a cell."""
    if not formats or all(one.startswith("%Y-%m-%d") and one.endswith("%z") for one in formats):
        return f"try_cast({column} AS TIMESTAMPTZ)::TIMESTAMP"
    return f"coalesce({', '.join(_parsed(column, one) for one in formats)}, NULL)"


def _parsed(column: str, one: str) -> str:
    if one == ISO:
        is_iso = f"regexp_full_match(trim({column}), {_literal(f'{_INSTANT}|{_DAY}')})"
        return f"CASE WHEN {is_iso} THEN try_cast(trim({column}) AS TIMESTAMP) END"
    shape = re.sub(r"%.|[^%]", lambda part: DIGITS.get(part[0], _any_of(part[0])), one)
    return (
        f"CASE WHEN regexp_full_match(trim({column}), {_literal(shape)}) "
        f"THEN try_strptime(trim({column}), {_literal(one)})::TIMESTAMP END"
    )


def _any_of(part: str) -> str:
    return ".+" if part.startswith("%") else re.escape(part)


def _dated(connection: duckdb.DuckDBPyConnection, column: str) -> Reading:
    """Date or timestamp with the one order of day, month and year that reads the whole sample."""
    ways = {day: tuple(day + time for time in TIMES) for day in DAYS}
    whole = [day for day, forms in ways.items() if _all(connection, f"{instant(column, forms)} IS NOT NULL", column)]
    if len(whole) == 1:
        forms = tuple(one for one in ways[whole[0]] if _any(connection, column, one))
        return Reading("timestamp" if any("%H" in one for one in forms) else "date", formats=forms)
    if whole:
        return _unclear(tuple(whole), "can be read as", is_mixed=False)
    every = (ISO, *(one for forms in ways.values() for one in forms))
    if _all(connection, f"{instant(column, every)} IS NOT NULL", column):
        part = tuple(day for day in DAYS if any(_any(connection, column, one) for one in ways[day]))
        return _unclear((*([ISO] if _any(connection, column, ISO) else []), *part), "is in part", is_mixed=True)
    return Reading("string")


def _unclear(formats: tuple[str, ...], how: str, *, is_mixed: bool) -> Reading:
    return Reading("string", may_be=formats, is_mixed=is_mixed, doubt=f"a date? it {how} {' and '.join(formats)}")


def _offset_forms(connection: duckdb.DuckDBPyConnection, column: str) -> tuple[str, ...]:
    """One format for each way in which instants with an offset are written."""
    text = f"trim({column})"
    rows = connection.execute(
        f"SELECT DISTINCT substr({text}, 11, 1), regexp_matches({text}, '^.{{16}}:'), contains({text}, '.') "
        f"FROM sample WHERE {column} IS NOT NULL ORDER BY ALL"
    ).fetchall()
    return tuple(
        f"%Y-%m-%d{mark}%H:%M{':%S' if has_seconds else ''}{'.%f' if has_fraction else ''}%z"
        for mark, has_seconds, has_fraction in rows
    )


def _decimal(connection: duckdb.DuckDBPyConnection, column: str, mark: str) -> Reading:
    """A number with a fraction; with three digits after each mark it may as well be one between the thousands."""
    text = f"trim({column})"
    scale = _ask(connection, f"SELECT max(length(split_part({text}, '{mark}', 2))) FROM sample")
    grouped = _literal(rf"[+-]?[1-9]\d{{0,2}}\{mark}\d{{3}}")
    with_mark = f"contains({text}, '{mark}')"
    may_be_grouped = _ask(
        connection, f"SELECT bool_and(regexp_full_match({text}, {grouped})) FROM sample WHERE {with_mark}"
    )
    if may_be_grouped and mark == ",":
        return Reading("string", doubt=COMMA)
    return Reading("decimal", scale, decimal_mark=mark, doubt=HALF if mark == "," else POINT if may_be_grouped else "")


def _any(connection: duckdb.DuckDBPyConnection, column: str, one: str) -> bool:
    return bool(_ask(connection, f"SELECT bool_or({_parsed(column, one)} IS NOT NULL) FROM sample"))


def _all(connection: duckdb.DuckDBPyConnection, condition: str, column: str) -> bool:
    return bool(_ask(connection, f"SELECT bool_and({condition}) FROM sample WHERE {column} IS NOT NULL"))


def _all_match(connection: duckdb.DuckDBPyConnection, column: str, pattern: str) -> bool:
    return bool(
        _ask(connection, f"SELECT bool_and(regexp_full_match(trim({column}), {_literal(pattern)})) FROM sample")
    )


def _ask(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    return row[0] if row else None


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
