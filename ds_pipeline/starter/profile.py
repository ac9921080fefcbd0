"""What a look at a source file tells: types, nulls, keys, the span of its dates, and a bounded sample of its values.

The file is read as a run reads it, in memory; nothing of it is ever printed. DuckDB answers what is asked of the rows.
"""

from __future__ import annotations

import codecs
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.cast import are_words, is_text
from ds_pipeline.ingestion.contents import UNDECODABLE, column_types, read_contents
from ds_pipeline.ingestion.database import quoted
from ds_pipeline.ingestion.files import SourceFile as Opened
from ds_pipeline.ingestion.nobody import NUMBERS, WORDS, words_for_nobody
from ds_pipeline.starter.cells import Reading, as_read, doubt_of_number, read_cells, read_typed, without_null_words
from ds_pipeline.starter.naming import ShownNames, shown_names
from ds_pipeline.use_case.sources import Table

SEED = 7
OPEN_END = 2200  # a year from which on a date says that there is none yet, such as 9999-12-31
FEW_TWICE = 0.05  # of the people of a file with one row each; more is a history
SAMPLE_ROWS = 20_000  # drawn from the whole file, so that a file sorted by date is not judged by its first week
FORMATS = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
UTF8 = "utf-8"
HEADER_LETTERS = 1_000_000
DELIMITERS = (",", ";", "\t", "|")
TYPED = "a {}? the file says text, and a parquet file is read by its own types; write the column as one"


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
            SourceError: no such file, outside the project, or of no known format.
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
        if whole.suffix.lower() not in FORMATS:
            raise SourceError(f"{self._where}: expected a file that ends in {', '.join(FORMATS)}.")
        self.format = FORMATS[whole.suffix.lower()]
        self.encoding, self._date_formats = encoding if self.format == "csv" else UTF8, date_formats
        self.delimiter = ","
        if self.format == "csv":
            self.delimiter = max(DELIMITERS, key=_header(whole, self.encoding).count)
        self._whole, self._rows = whole, pa.table({})
        self._profile: TableProfile | None = None

    def profile(self) -> TableProfile:
        """The columns, from a sample of at most SAMPLE_ROWS rows; the file is read once.

        Raises:
            SourceError: the file cannot be read, holds no row, or has not one name for each column.
        """
        if self._profile is None:
            rows = self._read()
            if not rows.num_rows:
                raise SourceError(f"{self._where}: expected rows, found none.")
            chosen = np.random.default_rng(SEED).permutation(rows.num_rows)[:SAMPLE_ROWS]
            sample = rows.take(np.sort(chosen))
            readings = {name: self._reading(sample[name].combine_chunks()) for name in rows.column_names}
            columns = {name: _column(name, sample[name].combine_chunks(), read) for name, read in readings.items()}
            self._rows = pa.table({name: as_read(rows[name].combine_chunks(), read) for name, read in readings.items()})
            shown = shown_names(list(columns))
            self._profile = TableProfile(
                self.name, self.path, self.format, self.delimiter, self.encoding, rows.num_rows, columns, shown
            )
        return self._profile

    def at(self, column: str) -> str:
        """A date column as an SQL expression over the file: an instant in UTC, null where a run reads none."""
        return quoted(column)

    def span(self, column: str) -> TimeSpan:
        """The first and last date of a column, over the whole file."""
        at = self.at(column)
        first, last, weeks = self._ask(
            f"min({at}), max({at}), count(DISTINCT date_trunc('week', {at})) FROM source WHERE year({at}) < {OPEN_END}"
        )[0]
        if first is None:
            shown = shown_names(list(self.profile().columns)).by_name[column]
            raise SourceError(f"{self._where}: {shown} holds no date that can be read.")
        between = (last.date() - first.date()).days // 7
        return TimeSpan(first, last, has_silent_weeks=weeks < between)

    def delay_days(self, event_time: str, known_at: str) -> int:
        """Days by which 99 of 100 rows have become known after they happened."""
        if event_time == known_at:
            return 0
        delay = f"date_diff('hour', {self.at(event_time)}, {self.at(known_at)})"
        days = self._ask(f"quantile_cont({delay}, 0.99) / 24 FROM source")[0][0]
        return min(60, max(0, -int(-(days or 0) // 1)))

    def largest_share_early(self, event_time: str, known_at: str, *, first: date) -> float:
        """The largest share of the rows of a week that were known before they happened (0..1).

        Args:
            first: the scoring date up to which all rows are one week.
        """
        at = self.at(known_at)
        early = f"avg(({self.at(event_time)} > {at})::INT) AS share"
        week = f"greatest(date_trunc('week', {at}), DATE '{first}' - 7)"
        return float(self._ask(f"coalesce(max(share), 0) FROM (SELECT {early} FROM source GROUP BY {week})")[0][0])

    def per_person(self, entity: str) -> float:
        """Rows per person, over the whole file; 1 where hardly anybody has a second row: a slip of an export."""
        rows, people = self._ask(f"count({quoted(entity)}), count(DISTINCT {quoted(entity)}) FROM source")[0]
        if not people:
            return 0.0
        return 1.0 if self.twice(entity) <= FEW_TWICE * people else float(rows / people)

    def twice(self, entity: str) -> int:
        """The people who have more than one row."""
        person = quoted(entity)
        repeated = f"SELECT {person} FROM source WHERE {person} IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
        return int(self._ask(f"count(*) FROM ({repeated})")[0][0])

    def happens_once(self, entity: str, at: str) -> bool:
        """Whether nobody has rows of two times; a row that is there twice is one."""
        moments = f"count(DISTINCT ({quoted(entity)}, {self.at(at)})) FILTER ({quoted(entity)} IS NOT NULL)"
        return bool(self._ask(f"{moments} <= count(DISTINCT {quoted(entity)}) FROM source")[0][0])

    def nobody(self, entity: str) -> dict[str, int]:
        """Words for nobody in the column of the customer's number, beyond NULL_WORDS, and the rows of each."""
        counts = {str(value): rows for value, rows in self._ask(
            f"trim({quoted(entity)}::VARCHAR), count(*) FROM source WHERE {quoted(entity)} IS NOT NULL GROUP BY 1"
        )}  # fmt: skip
        may_be = {value: rows for value, rows in counts.items() if value in NUMBERS or value.lower() in WORDS}
        return words_for_nobody(may_be, max((rows for one, rows in counts.items() if one not in may_be), default=0))

    def forget(self, entity: str, words: list[str]) -> None:
        """Take the words in the column of the customer's number for missing, as null_words makes a run do."""
        self.profile()
        cells = self._rows[entity].combine_chunks()
        is_nobody = are_words(cells.cast(pa.string()), words)
        self._rows = self._rows.set_column(
            self._rows.column_names.index(entity), entity, pc.if_else(is_nobody, pa.scalar(None, cells.type), cells)
        )

    def missing(self, entity: str) -> int:
        """Rows without a customer's number."""
        return int(self._ask(f"count(*) - count({quoted(entity)}) FROM source")[0][0])

    def largest_share_aside(self, entity: str, known_at: str, *, one_each: bool, first: date) -> float:
        """The largest share of the rows of a week that are nobody's, or there twice (0..1).

        Args:
            one_each: of different rows of one person and instant none counts.
            first: the scoring date up to which all rows are one week.
        """
        person, at = quoted(entity), self.at(known_at)
        copies = f"SELECT *, row_number() OVER (PARTITION BY {', '.join(map(quoted, self.profile().columns))}) AS copy"
        clash = f"sum((copy = 1)::INT) OVER (PARTITION BY {person}, {at}) > 1" if one_each else "false"
        week = f"greatest(date_trunc('week', {at}), DATE '{first}' - 7)"
        judged = f"SELECT {week} AS week, copy > 1 OR {person} IS NULL OR {clash} AS aside FROM ({copies} FROM source)"
        return float(
            self._ask(f"max(share) FROM (SELECT avg(aside::INT) AS share FROM ({judged}) GROUP BY week)")[0][0]
        )

    def people(self, entity: str, column: str, start: datetime | None, end: datetime) -> set[str]:
        """The customers' numbers with a date of a column from one instant up to another; in memory only."""
        at = self.at(column)
        since = "" if start is None else f"{at} >= TIMESTAMP '{start:%Y-%m-%d %H:%M:%S}' AND "
        until = f"{at} < TIMESTAMP '{end:%Y-%m-%d %H:%M:%S}'"
        rows = self._ask(f"DISTINCT {quoted(entity)}::VARCHAR FROM source WHERE {since}{until}")
        return {person for (person,) in rows if person is not None}

    def people_in_state(
        self, entity: str, column: str, at: str, value: str, end: datetime
    ) -> tuple[set[str], set[str]]:
        """The customers' numbers before an instant, and those whose newest row then has a value; in memory only."""
        newest = f"arg_max_null({quoted(column)}::VARCHAR, {self.at(at)})"
        rows = self._ask(
            f"{quoted(entity)}::VARCHAR, {spelled(newest)} = {spelled('?')} FROM source "
            f"WHERE {self.at(at)} < TIMESTAMP '{end:%Y-%m-%d %H:%M:%S}' GROUP BY 1",
            value,
        )
        known = [(person, is_in) for person, is_in in rows if person is not None]
        return {person for person, _ in known}, {person for person, is_in in known if is_in}

    def names_people(self, entity: str, column: str) -> bool:
        """Whether a column has a value of its own for each person and repeats it in their rows: a number of theirs.

        Nine of ten are enough: some people share a number, and some change it.
        """
        person, value = quoted(entity), quoted(column)
        people, values, pairs, rows = self._ask(
            f"count(DISTINCT {person}), count(DISTINCT {value}), count(DISTINCT ({person}, {value})), "
            f"count(*) FROM source WHERE {value} IS NOT NULL AND {person} IS NOT NULL"
        )[0]
        return bool(rows >= 1.5 * people and values >= 0.9 * people and pairs <= 1.1 * people)

    def smallest_group(self, entity: str, groups: list[str]) -> int:
        """The fewest people who share a combination of SQL expressions."""
        sizes = f"SELECT count(DISTINCT {quoted(entity)}) AS n FROM source GROUP BY {', '.join(groups)}"
        return int(self._ask(f"coalesce(min(n), 0) FROM ({sizes})")[0][0])

    def _ask(self, sql: str, *values: str) -> list[Any]:
        """What a SELECT finds in the rows of the file."""
        self.profile()
        return _select(self._rows, sql, *values)

    def _read(self) -> pa.Table:
        """The rows as a run reads them: of text every cell is text, an empty one null."""
        file = Opened(Path(self.path).name, str(self._whole), LocalFileSystem())
        table = Table.model_construct(
            path=self.path, format=self.format, encoding=self.encoding, delimiter=self.delimiter, columns={}
        )
        try:
            names = [name for name, _ in column_types(file, table, where=self._where)]
            _require_names(names, where=self._where)
            declared = table.model_copy(update={"columns": dict.fromkeys(names)})
            rows = read_contents(file, declared, where=self._where)
        except SourceError as error:
            if UNDECODABLE not in str(error) or self.format != "csv":
                raise
            raise SourceError(f"{error} Here: --encoding {self.name}={_other_encoding(self._whole)}") from None
        plain = [
            field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
            for field in rows.schema
        ]
        return rows.cast(pa.schema(plain))

    def _reading(self, cells: pa.Array) -> Reading:
        if not is_text(cells.type):
            return read_typed(cells)
        reading = read_cells(cells, self._date_formats)
        if self.format == "parquet" and reading.type != "string":
            return Reading("string", doubt=TYPED.format(reading.type))
        return reading


def spelled(expression: str) -> str:
    """A text in SQL without what does not count in a state: its case and the blanks around it.

    One rule for the estimate of the base rate, for who is in scope, and for the label.
    """
    return f"lower(trim({expression}))"


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


def _require_names(columns: list[str], *, where: str) -> None:
    """Raise SourceError unless each column has a name of its own; upper and lower case are the same."""
    names = [name.strip().lower() for name in columns]
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


def _column(name: str, cells: pa.Array, reading: Reading) -> ColumnProfile:
    sample, cell = pa.table({name: without_null_words(cells, reading)}), quoted(name)
    rows, nulls, distinct = _select(
        sample, f"count(*), count(*) FILTER ({cell} IS NULL), count(DISTINCT {cell}) FROM source"
    )[0]
    counts = _select(
        sample,
        f"{cell}::VARCHAR, count(*) AS n FROM source WHERE {cell} IS NOT NULL GROUP BY 1 ORDER BY n DESC, 1 LIMIT 2000",
    )
    low = high = None
    if reading.type in ("integer", "decimal", "double"):
        number = f"try_cast(replace({cell}::VARCHAR, '{reading.decimal_mark}', '.') AS DOUBLE)"
        low, high = _select(sample, f"min({number}), max({number}) FROM source")[0]
    if reading.type == "integer" and not reading.doubt:
        reading = replace(reading, doubt=doubt_of_number(name, low, high))
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


def _select(rows: pa.Table, sql: str, *values: str) -> list[Any]:
    with _database().cursor() as connection:
        connection.register("source", rows)
        return connection.execute(f"SELECT {sql}", values).fetchall()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One for all questions: opening it takes longer than most of them. What a cursor registers is its own."""
    connection = duckdb.connect(":memory:", config={"threads": 2})
    connection.execute("SET enable_progress_bar = false")
    return connection
