"""What a look at a source file tells: types, nulls, keys, the span of its dates, and a bounded sample of its values.

DuckDB reads the file in a stream. Only the sample holds values, in memory; nothing of it is ever printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from ds_pipeline.errors import SourceError

SAMPLE_ROWS = 20_000  # drawn from the whole file, so that a file sorted by date is not judged by its first week
FORMATS = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
# What ingestion can cast a text to; see ingestion/cast.py.
_WHOLE = r"[+-]?(0|[1-9]\d{0,17})"  # a number with leading zeros is a code
_DECIMAL = r"[+-]?(0|[1-9]\d{0,11})\.\d{1,6}"
_NUMBER = r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
_DAY = r"\d{4}-\d{2}-\d{2}"
_INSTANT = rf"{_DAY}[ T]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{1,6}})?)?"
_BOOLEAN = r"(?i:true|false|t|f|yes|no)"
_OFFSET = rf"{_DAY}(T| )\d{{2}}:\d{{2}}:\d{{2}}(\.\d{{1,6}})?(Z|[+-]\d{{2}}:?\d{{2}})"
_COMMA = r"[+-]?(0|[1-9]\d{0,11}),\d{1,6}"
DELIMITERS = (",", ";", "\t", "|")
# Ways to write a date besides ISO. A column that two of them can read is not taken for a date: nobody knows which.
DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d")
TIMES = ("", " %H:%M", " %H:%M:%S")
TEXT_TYPES = [
    ("boolean", _BOOLEAN), ("integer", _WHOLE), ("decimal", rf"{_DECIMAL}|{_WHOLE}"), ("double", _NUMBER),
    ("date", _DAY), ("timestamp", rf"{_INSTANT}|{_DAY}"),
]  # fmt: skip


@dataclass(frozen=True)
class ColumnProfile:
    """One column of a file.

    Attributes:
        type: as sources.yaml names it.
        scale: digits after the point, of a decimal.
        formats: how dates in text are written, where it is not ISO.
        decimal_mark: before the fraction of a number in text.
        nulls, distinct: in the sample; an empty cell of a text file is a null.
        sample: distinct values of the sample as text, in a fixed order.
        shares: the share of the sample's rows that each of the most frequent values has.
        lowest, highest: of a number.
    """

    name: str
    type: str
    scale: int | None
    rows: int
    nulls: int
    distinct: int
    sample: tuple[str, ...]
    shares: dict[str, float]
    lowest: float | None = None
    highest: float | None = None
    formats: tuple[str, ...] = ()
    decimal_mark: str = "."

    @property
    def is_unique(self) -> bool:
        """Whether no value of the sample is there twice, and none is missing."""
        return self.nulls == 0 and self.distinct == self.rows > 1


@dataclass(frozen=True)
class TableProfile:
    """One source file: its columns in the order of the file.

    Attributes:
        name: of the table in SQL.
        path: relative to the project.
    """

    name: str
    path: str
    format: str
    delimiter: str
    rows: int
    columns: dict[str, ColumnProfile]

    def times(self) -> list[str]:
        """The columns that can say when something happened: dates without a gap."""
        return [name for name, one in self.columns.items() if one.type in ("date", "timestamp") and one.nulls == 0]


@dataclass(frozen=True)
class TimeSpan:
    """The dates of a column over the whole file, and whether every week between them has a row."""

    first: datetime
    last: datetime
    has_silent_weeks: bool


class SourceFile:
    """A file that DuckDB can ask questions about."""

    def __init__(self, project: Path, path: str, name: str) -> None:
        """
        Raises:
            SourceError: no such file, outside the project, or of no known format.
        """
        self.name, self.path = name, path
        self._where = f"{name} ({Path(path).name})"
        whole = (project / path).resolve()
        if not whole.is_file():
            raise SourceError(f"{self._where}: no such file. Give its path from the project, such as data/orders.csv.")
        if not whole.is_relative_to(project.resolve()):
            raise SourceError(
                f"{self._where}: the file lies outside the project. Put it below data/, which git ignores."
            )
        self.path = whole.relative_to(project.resolve()).as_posix()
        found = FORMATS.get(whole.suffix.lower())
        if found is None:
            raise SourceError(f"{self._where}: expected a file that ends in {', '.join(FORMATS)}.")
        self.format = found
        self.delimiter = _delimiter(whole) if found == "csv" else ","
        self._scan = _scan(whole, found, self.delimiter)
        self._formats: dict[str, tuple[str, ...]] = {}  # of dates, by column, once the file was profiled

    def profile(self) -> TableProfile:
        """The columns, from a sample of at most SAMPLE_ROWS rows.

        Raises:
            SourceError: the file cannot be read, or holds no row.
        """
        with self._connection() as connection:
            connection.execute(
                f"CREATE TABLE sample AS SELECT * FROM {self._scan} USING SAMPLE reservoir({SAMPLE_ROWS} ROWS) "
                "REPEATABLE (7)"
            )
            rows = _one(connection, f"SELECT count(*) FROM {self._scan}")
            described = connection.execute("DESCRIBE sample").fetchall()
            columns = {name: _column(connection, name, kind) for name, kind, *_ in described}
        if not rows:
            raise SourceError(f"{self._where}: expected rows, found none.")
        self._formats = {name: one.formats for name, one in columns.items()}
        return TableProfile(self.name, self.path, self.format, self.delimiter, rows, columns)

    def at(self, column: str) -> str:
        """A date column as an SQL expression over the file."""
        return _instant(_quoted(column), self._formats.get(column, ()))

    def span(self, column: str) -> TimeSpan:
        """The first and last date of a column, over the whole file."""
        with self._connection() as connection:
            at = self.at(column)
            first, last, weeks = connection.execute(
                f"SELECT min({at}), max({at}), count(DISTINCT date_trunc('week', {at})) FROM {self._scan}"
            ).fetchall()[0]
        if first is None:
            raise SourceError(f"{self._where}: {column} holds no date that can be read.")
        between = (last.date() - first.date()).days // 7
        return TimeSpan(first, last, has_silent_weeks=weeks < between)

    def delay_days(self, event_time: str, known_at: str) -> int:
        """Days by which 99 of 100 rows have become known after they happened."""
        if event_time == known_at:
            return 0
        with self._connection() as connection:
            days = _one(
                connection,
                f"SELECT quantile_cont(date_diff('hour', {self.at(event_time)}, {self.at(known_at)}), "
                f"0.99) / 24 FROM {self._scan}",
            )
        return min(60, max(0, -int(-(days or 0) // 1)))

    def per_person(self, entity: str) -> float:
        """Rows per person, over the whole file."""
        with self._connection() as connection:
            return float(
                _one(connection, f"SELECT count(*) / count(DISTINCT {_quoted(entity)}) FROM {self._scan}") or 0
            )

    def smallest_group(self, entity: str, groups: list[str]) -> int:
        """The fewest people who share a combination of SQL expressions."""
        with self._connection() as connection:
            return int(
                _one(
                    connection,
                    f"SELECT coalesce(min(n), 0) FROM (SELECT count(DISTINCT {_quoted(entity)}) AS n "
                    f"FROM {self._scan} GROUP BY {', '.join(groups)})",
                )
            )

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            with duckdb.connect(":memory:", config={"threads": 2}) as connection:
                connection.execute("SET enable_progress_bar = false")
                connection.execute("SET TimeZone = 'UTC'")
                yield connection
        except duckdb.Error:
            raise SourceError(  # DuckDB's own message quotes the row
                f"{self._where}: not a readable {self.format} file. Expected UTF-8"
                + (", as many cells in each row, and a header row." if self.format == "csv" else ".")
            ) from None


def _delimiter(path: Path) -> str:
    """What stands between the cells: the mark that the header row has most of."""
    with path.open("rb") as file:
        header = file.readline(1_000_000).decode("utf-8", errors="replace")
    return max(DELIMITERS, key=header.count)


def _instant(column: str, formats: tuple[str, ...]) -> str:
    if not formats:
        return f"try_cast({column} AS TIMESTAMP)"
    if "%z" in formats[0]:
        return f"try_cast({column} AS TIMESTAMPTZ)::TIMESTAMP"
    return f"try_strptime({column}, '{formats[0]}')"


def _scan(path: Path, file_format: str, delimiter: str) -> str:
    text = str(path).replace("'", "''")
    if file_format == "csv":  # as ingestion reads it: every cell as text, an empty one as null
        return (
            f"read_csv('{text}', all_varchar = true, header = true, delim = '{delimiter}', quote = '\"', escape = '\"')"
        )
    return (
        f"read_parquet('{text}')" if file_format == "parquet" else f"read_json('{text}', format = 'newline_delimited')"
    )


def _column(connection: duckdb.DuckDBPyConnection, name: str, kind: str) -> ColumnProfile:
    column = _quoted(name)
    rows, nulls, distinct = connection.execute(
        f"SELECT count(*), count(*) FILTER ({column} IS NULL), count(DISTINCT {column}) FROM sample"
    ).fetchall()[0]
    found, scale = _typed(connection, column, kind)
    formats: tuple[str, ...] = ()
    mark = "."
    if found == "string" and kind == "VARCHAR" and distinct:
        found, formats = _dated(connection, column)
        if found == "string" and _all_match(connection, column, f"{_COMMA}|{_WHOLE}"):
            digits = f"SELECT max(length(split_part(trim({column}), ',', 2))) FROM sample"
            found, scale, mark = "decimal", _one(connection, digits), ","
    counts = connection.execute(
        f"SELECT {column}::VARCHAR, count(*) AS n FROM sample WHERE {column} IS NOT NULL "
        "GROUP BY 1 ORDER BY n DESC, 1 LIMIT 2000"
    ).fetchall()
    low = high = None
    if found in ("integer", "decimal", "double"):
        number = f"try_cast(replace({column}::VARCHAR, '{mark}', '.') AS DOUBLE)"
        low, high = connection.execute(f"SELECT min({number}), max({number}) FROM sample").fetchall()[0]
    return ColumnProfile(
        name=name,
        type=found,
        scale=scale,
        rows=rows,
        nulls=nulls,
        distinct=distinct,
        sample=tuple(value for value, _ in counts),
        shares={value: n / rows for value, n in counts[:50]},
        lowest=low,
        highest=high,
        formats=formats,
        decimal_mark=mark,
    )


def _dated(connection: duckdb.DuckDBPyConnection, column: str) -> tuple[str, tuple[str, ...]]:
    """Date or timestamp with the one format that reads the whole sample; string where none or more than one does."""
    if _all_match(connection, column, _OFFSET):
        parts = f"SELECT bool_or(contains({column}, 'T')), bool_or(contains({column}, '.')) FROM sample"
        has_t, has_fraction = connection.execute(parts).fetchall()[0]
        return "timestamp", (f"%Y-%m-%d{'T' if has_t else ' '}%H:%M:%S{'.%f' if has_fraction else ''}%z",)
    reads = [
        day + time
        for time in TIMES
        for day in DAYS
        if _one(
            connection,
            f"SELECT bool_and(try_strptime({column}, ?) IS NOT NULL) FROM sample WHERE {column} IS NOT NULL",
            day + time,
        )
    ]
    if len(reads) != 1:
        return "string", ()
    return ("timestamp" if "%H" in reads[0] else "date"), tuple(reads)


def _all_match(connection: duckdb.DuckDBPyConnection, column: str, pattern: str) -> bool:
    return bool(_one(connection, f"SELECT bool_and(regexp_full_match(trim({column}), ?)) FROM sample", pattern))


def _typed(connection: duckdb.DuckDBPyConnection, column: str, kind: str) -> tuple[str, int | None]:
    """The type of a column as sources.yaml names it, and the scale of a decimal."""
    if decimal := re.fullmatch(r"DECIMAL\(\d+,(\d+)\)", kind):
        scale = int(decimal[1])
        return ("decimal", min(scale, 9)) if scale else ("integer", None)
    if kind.startswith("TIMESTAMP"):
        return "timestamp", None
    known = {"BOOLEAN": "boolean", "DATE": "date", "FLOAT": "double", "DOUBLE": "double"}
    if kind in known:
        if known[kind] == "double" and _one(connection, f"SELECT bool_and({column} % 1 = 0) FROM sample"):
            return "integer", None  # whole numbers that pandas turned into floats because one was missing
        return known[kind], None
    if "INT" in kind and "VARCHAR" not in kind and "STRUCT" not in kind and not kind.endswith("[]"):
        return "integer", None
    if kind != "VARCHAR":
        return "string", None
    if not _one(connection, f"SELECT count({column}) FROM sample"):
        return "string", None
    for name, pattern in TEXT_TYPES:
        if _all_match(connection, column, pattern):
            digits = f"SELECT max(length(split_part(trim({column}), '.', 2))) FROM sample"
            return name, _one(connection, digits) if name == "decimal" else None
    return "string", None


def _one(connection: duckdb.DuckDBPyConnection, sql: str, *parameters: str) -> int:
    row = connection.execute(sql, list(parameters)).fetchone()
    return row[0] if row else 0


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
