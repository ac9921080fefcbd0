"""What a look at a source file tells: types, nulls, keys, the span of its dates, and a bounded sample of its values.

DuckDB reads the file in a stream. Only the sample holds values, in memory; nothing of it is ever printed.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv as pc_csv

from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.database import quoted
from ds_pipeline.starter.cells import Reading, instant, is_null_word, read_cells
from ds_pipeline.starter.naming import ShownNames, shown_names
from ds_pipeline.use_case.sources import ISO

SAMPLE_ROWS = 20_000  # drawn from the whole file, so that a file sorted by date is not judged by its first week
FORMATS = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
UTF8 = "utf-8"
HEADER_LETTERS = 1_000_000
DELIMITERS = (",", ";", "\t", "|")
TYPED = "a {}? the file says text, and a parquet file is read by its own types; write the column as one"
RECODED = "recoded"  # the rows of a file that is not UTF-8, in memory


@dataclass(frozen=True, kw_only=True)
class ColumnProfile(Reading):
    """One column of a file, and what it can be read as.

    Attributes:
        nulls, distinct: in the sample; a cell that ingestion reads as null is one.
        sample: distinct values of the sample as text, in a fixed order.
        shares: the share of the sample's rows that each of the most frequent values has.
        lowest, highest: of a number.
    """

    name: str
    rows: int
    nulls: int
    distinct: int
    sample: tuple[str, ...]
    shares: dict[str, float]
    lowest: float | None = None
    highest: float | None = None

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
        shown: what its columns are called in messages.
    """

    name: str
    path: str
    format: str
    delimiter: str
    encoding: str
    rows: int
    columns: dict[str, ColumnProfile]
    shown: ShownNames

    def dates(self) -> list[str]:
        """The columns of dates, with a gap or without."""
        return [name for name, one in self.columns.items() if one.type in ("date", "timestamp")]

    def times(self) -> list[str]:
        """The columns that can say when something happened: dates without a gap."""
        return [name for name in self.dates() if self.columns[name].nulls == 0]


@dataclass(frozen=True)
class TimeSpan:
    """The dates of a column over the whole file, and whether every week between them has a row."""

    first: datetime
    last: datetime
    has_silent_weeks: bool


class SourceFile:
    """A file that DuckDB can ask questions about."""

    def __init__(
        self, project: Path, path: str, name: str, *, encoding: str = UTF8, date_formats: tuple[str, ...] = ()
    ) -> None:
        """
        Args:
            encoding: of CSV, as the user says it.
            date_formats: how dates in text are written, as the user says it; guessed where none reads a column.

        Raises:
            SourceError: no such file, outside the project, of no known format, or without one name for each column.
        """
        self.name, self.path = name, path
        self._where = f"{name} ({Path(path).name})"
        whole = (project / path).resolve()
        if whole.is_dir():
            raise SourceError(
                f"{self._where}: a folder. Give one of its files; path in sources.yaml can be the folder afterwards."
            )
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
        self.encoding, self._date_formats = encoding if found == "csv" else UTF8, date_formats
        self.delimiter = ","
        if found == "csv":
            header = _header(whole, self.encoding)
            self._other_encoding = _other_encoding(whole)
            self.delimiter = max(DELIMITERS, key=header.count)
            _require_names(header, self.delimiter, where=self._where)
        self._recoded = None if self.encoding == UTF8 else self._recode(whole)
        self._scan = RECODED if self._recoded is not None else self._scan_of(whole)
        self._profile: TableProfile | None = None

    def profile(self) -> TableProfile:
        """The columns, from a sample of at most SAMPLE_ROWS rows; the file is read once.

        Raises:
            SourceError: the file cannot be read, or holds no row.
        """
        if self._profile is not None:
            return self._profile
        with self._connection() as connection:
            connection.execute(
                f"CREATE TABLE sample AS SELECT * FROM {self._scan} USING SAMPLE reservoir({SAMPLE_ROWS} ROWS) "
                "REPEATABLE (7)"
            )
            rows = _one(connection, f"SELECT count(*) FROM {self._scan}")
            described = connection.execute("DESCRIBE sample").fetchall()
            columns = {name: self._column(connection, name, kind) for name, kind, *_ in described}
        if not rows:
            raise SourceError(f"{self._where}: expected rows, found none.")
        self._profile = TableProfile(
            self.name, self.path, self.format, self.delimiter, self.encoding, rows, columns, shown_names(list(columns))
        )
        return self._profile

    def at(self, column: str) -> str:
        """A date column as an SQL expression over the file."""
        read = self._read_from_text(column)
        return instant(quoted(column), () if read is None else read.formats or (ISO,))

    def _cell(self, column: str) -> str:
        """A column as an SQL expression over the file: null where ingestion reads none."""
        cell, read = quoted(column), self._read_from_text(column)
        return cell if read is None else f"CASE WHEN NOT {is_null_word(cell)} THEN {cell} END"

    def _read_from_text(self, column: str) -> ColumnProfile | None:
        """A column of a text file that was found to hold something else than text."""
        profile = None if self._profile is None or self.format == "parquet" else self._profile.columns.get(column)
        return None if profile is None or profile.type == "string" else profile

    def span(self, column: str) -> TimeSpan:
        """The first and last date of a column, over the whole file."""
        with self._connection() as connection:
            at = self.at(column)
            first, last, weeks = connection.execute(
                f"SELECT min({at}), max({at}), count(DISTINCT date_trunc('week', {at})) FROM {self._scan}"
            ).fetchall()[0]
        if first is None:
            shown = shown_names(list(self.profile().columns)).by_name[column]
            raise SourceError(f"{self._where}: {shown} holds no date that can be read.")
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
                _one(connection, f"SELECT count(*) / count(DISTINCT {self._cell(entity)}) FROM {self._scan}") or 0
            )

    def people(self, entity: str, column: str, start: datetime | None, end: datetime) -> set[str]:
        """The customers' numbers with a date of a column from one instant up to another; in memory only."""
        at = self.at(column)
        since = "" if start is None else f"{at} >= TIMESTAMP '{start:%Y-%m-%d %H:%M:%S}' AND "
        with self._connection() as connection:
            rows = connection.execute(
                f"SELECT DISTINCT {self._cell(entity)}::VARCHAR FROM {self._scan} "
                f"WHERE {since}{at} < TIMESTAMP '{end:%Y-%m-%d %H:%M:%S}'"
            ).fetchall()
        return {person for (person,) in rows if person is not None}

    def people_in_state(
        self, entity: str, column: str, at: str, value: str, end: datetime
    ) -> tuple[set[str], set[str]]:
        """The customers' numbers before an instant, and those whose newest row then has a value; in memory only."""
        newest = f"arg_max({quoted(column)}::VARCHAR, {self.at(at)})"
        with self._connection() as connection:
            rows = connection.execute(
                f"SELECT {self._cell(entity)}::VARCHAR, lower({newest}) = lower(?) FROM {self._scan} "
                f"WHERE {self.at(at)} < TIMESTAMP '{end:%Y-%m-%d %H:%M:%S}' GROUP BY 1",
                [value],
            ).fetchall()
        known = [(person, is_in) for person, is_in in rows if person is not None]
        return {person for person, _ in known}, {person for person, is_in in known if is_in}

    def names_people(self, entity: str, column: str) -> bool:
        """Whether a column has a value of its own for each person and repeats it in their rows: a number of theirs.

        Nine of ten are enough: some people share a number, and some change it.
        """
        person, value = self._cell(entity), self._cell(column)
        with self._connection() as connection:
            people, values, pairs, rows = connection.execute(
                f"SELECT count(DISTINCT {person}), count(DISTINCT {value}), count(DISTINCT ({person}, {value})), "
                f"count(*) FROM {self._scan} WHERE {value} IS NOT NULL AND {person} IS NOT NULL"
            ).fetchall()[0]
        return bool(rows >= 1.5 * people and values >= 0.9 * people and pairs <= 1.1 * people)

    def smallest_group(self, entity: str, groups: list[str]) -> int:
        """The fewest people who share a combination of SQL expressions."""
        with self._connection() as connection:
            return int(
                _one(
                    connection,
                    f"SELECT coalesce(min(n), 0) FROM (SELECT count(DISTINCT {self._cell(entity)}) AS n "
                    f"FROM {self._scan} GROUP BY {', '.join(groups)})",
                )
            )

    def _column(self, connection: duckdb.DuckDBPyConnection, name: str, kind: str) -> ColumnProfile:
        column = quoted(name)
        if kind == "VARCHAR":
            cells = connection.sql(f"SELECT {column} FROM sample").to_arrow_table().column(0)
            reading = read_cells(cells.combine_chunks(), self._date_formats)
            if reading.type != "string" and self.format == "parquet":
                reading = Reading("string", doubt=TYPED.format(reading.type))
            elif reading.type != "string":
                connection.execute(f"UPDATE sample SET {column} = NULL WHERE {is_null_word(column)}")
        else:
            reading = _typed(connection, column, kind)
        rows, nulls, distinct = connection.execute(
            f"SELECT count(*), count(*) FILTER ({column} IS NULL), count(DISTINCT {column}) FROM sample"
        ).fetchall()[0]
        counts = connection.execute(
            f"SELECT {column}::VARCHAR, count(*) AS n FROM sample WHERE {column} IS NOT NULL "
            "GROUP BY 1 ORDER BY n DESC, 1 LIMIT 2000"
        ).fetchall()
        low = high = None
        if reading.type in ("integer", "decimal", "double"):
            number = f"try_cast(replace({column}::VARCHAR, '{reading.decimal_mark}', '.') AS DOUBLE)"
            low, high = connection.execute(f"SELECT min({number}), max({number}) FROM sample").fetchall()[0]
        return ColumnProfile(
            **asdict(reading),
            name=name,
            rows=rows,
            nulls=nulls,
            distinct=distinct,
            sample=tuple(value for value, _ in counts),
            shares={value: n / rows for value, n in counts[:50]},
            lowest=low,
            highest=high,
        )

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            with duckdb.connect(":memory:", config={"threads": 2}) as connection:
                connection.execute("SET enable_progress_bar = false")
                connection.execute("SET TimeZone = 'UTC'")
                if self._recoded is not None:
                    connection.register(RECODED, self._recoded)
                yield connection
        except duckdb.Error:  # DuckDB's own message quotes the row
            raise self._unreadable() from None

    def _recode(self, path: Path) -> pa.Table:
        """The rows of a CSV file in another encoding, each cell as text."""
        parse = pc_csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True)
        read = pc_csv.ReadOptions(encoding=self.encoding)
        try:
            with pc_csv.open_csv(path, read_options=read, parse_options=parse) as reader:
                names = reader.schema.names
            as_text = pc_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
            )
            return pc_csv.read_csv(path, read_options=read, parse_options=parse, convert_options=as_text)
        except (pa.ArrowException, UnicodeError):
            raise self._unreadable() from None

    def _unreadable(self) -> SourceError:
        start = f"{self._where}: not a readable {self.format} file."
        if self.format == "parquet":
            return SourceError(f"{start} It is truncated or damaged: fetch it again.")
        if self.format == "jsonl":
            return SourceError(f"{start} Expected UTF-8, and one object of columns and values on each line.")
        return SourceError(
            f"{start} Expected {self.encoding.upper()}, as many cells in each row, and a header row. If it is written "
            f"in another encoding, say which: --encoding {self.name}={self._other_encoding}"
        )

    def _scan_of(self, path: Path) -> str:
        """The rows of a file as SQL; of text every cell is text, an empty one null, as ingestion reads it."""
        text = str(path).replace("'", "''")
        if self.format == "parquet":
            return f"read_parquet('{text}')"
        if self.format == "csv":
            return (
                f"read_csv('{text}', all_varchar = true, header = true, delim = '{self.delimiter}', "
                "quote = '\"', escape = '\"')"
            )
        read = f"read_json('{text}', format = 'newline_delimited'"
        with self._connection() as connection:
            names = [name for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM {read})").fetchall()]
        columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in names)
        cells = ", ".join(f"nullif({quoted(name)}, '') AS {quoted(name)}" for name in names)
        return f"(SELECT {cells} FROM {read}, columns = {{{columns}}}))"


def _header(path: Path, encoding: str) -> str:
    """The header row of a text file; a cell may hold the end of a line."""
    try:
        with path.open(encoding="utf-8-sig" if encoding == UTF8 else encoding, errors="replace") as file:
            line = file.readline(HEADER_LETTERS)
            while line.count('"') % 2 and (more := file.readline(HEADER_LETTERS)):
                line += more
            return line
    except UnicodeError:  # UTF-16 without the mark that it begins with
        return ""


def _other_encoding(path: Path) -> str:
    """What a text file that is not UTF-8 is likely to be."""
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "cp1252"


def _require_names(header: str, delimiter: str, *, where: str) -> None:
    """Raise SourceError unless each column of a header row has a name of its own; upper and lower case are the same."""
    try:
        row = next(csv.reader(io.StringIO(header, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return  # nothing that could be a header row; DuckDB says so
    names = [name.strip().lower() for name in row]
    nameless = [number for number, name in enumerate(names, start=1) if not name]
    twice = [number for number, name in enumerate(names, start=1) if name and names.count(name) > 1]
    if nameless and len(names) > 1:
        raise SourceError(
            f"{where}: column {nameless[0]} has no name in the header row. Give it one, or leave the column out of the "
            "file."
        )
    if twice:
        raise SourceError(
            f"{where}: columns {' and '.join(map(str, twice[:5]))} do not each have a name of their own. Is there a "
            "header row? If so, rename them."
        )


def _typed(connection: duckdb.DuckDBPyConnection, column: str, kind: str) -> Reading:
    """The type of a column that is no text, as sources.yaml names it."""
    if decimal := re.fullmatch(r"DECIMAL\(\d+,(\d+)\)", kind):
        scale = int(decimal[1])
        return Reading("decimal", min(scale, 9)) if scale else Reading("integer")
    if kind.startswith("TIMESTAMP"):
        return Reading("timestamp")
    known = {"BOOLEAN": "boolean", "DATE": "date", "FLOAT": "double", "DOUBLE": "double"}
    if known.get(kind) == "double" and _one(connection, f"SELECT bool_and({column} % 1 = 0) FROM sample"):
        return Reading("integer")  # whole numbers that pandas turned into floats because one was missing
    is_integer = "INT" in kind and "STRUCT" not in kind and not kind.endswith("[]")
    return Reading(known.get(kind, "integer" if is_integer else "string"))


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return row[0] if row else 0
