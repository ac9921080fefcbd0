"""Across the PII boundary: a source is read, validated, masked and scanned in memory; then it may be written."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.boundary.freshness import source_states
from ds_pipeline.boundary.leak_check import look_alikes_of, require_clean_table
from ds_pipeline.boundary.owners import OwnersOf, owners_in
from ds_pipeline.boundary.suppress import without_suppressed
from ds_pipeline.boundary.withhold import WITHHELD, with_texts_withheld
from ds_pipeline.clock import WEEK
from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.database import Window
from ds_pipeline.ingestion.ingest import REASON, REASONS, known_before, repeats_earlier, split_weeks
from ds_pipeline.ingestion.read import FILE, ROW_NUMBER, read_source, source_shape
from ds_pipeline.ingestion.shape import Shape, drift_of
from ds_pipeline.masking.columns.policy import mask_table
from ds_pipeline.masking.columns.tokens import tokenize
from ds_pipeline.masking.text.text import TextRedactor
from ds_pipeline.store.asof import in_order
from ds_pipeline.use_case.sql import masked_schema
from ds_pipeline.workbench import Workbench

SHAPE = "shape"  # in the info of a partition: columns and types that its source had
QUARANTINE_FIELDS = [pa.field(ROW_NUMBER, pa.int64()), pa.field(REASON, pa.string()), pa.field(REASONS, pa.string())]
FILE_FIELDS = [QUARANTINE_FIELDS[0], pa.field(FILE, pa.string()), *QUARANTINE_FIELDS[1:]]  # of a source of many files


@contextmanager
def values_stay_inside(where: str) -> Iterator[None]:
    """What a library says of a cell it cannot handle quotes the cell: only the kind of the error gets out."""
    try:
        yield
    except (ValueError, TypeError, ArithmeticError, LookupError, pa.ArrowException) as error:
        raise SourceError(
            f"{where}: a cell cannot be handled ({type(error).__name__}; the values are not shown). "
            "Check the columns of the source for values that do not fit their declared type and range."
        ) from None


@dataclass(frozen=True)
class MaskedWeek:
    """The rows of one source that became known in one week, behind the boundary."""

    day: date
    source: str  # digest of the source, and of the code that read it
    source_rows: int
    read: int
    kept: pa.Table  # in an order of their own content
    quarantined: pa.Table
    suppressed: int = 0  # rows of people who were erased, left out before masking
    shape: Shape = field(default_factory=dict)  # columns and types of the source as it was read
    drift: tuple[str, ...] = ()  # what changed in them since the table was ingested before
    nobody: dict[str, int] = field(default_factory=dict)  # cells of tokens with a word for nobody, by alias
    emptied: dict[str, int] = field(default_factory=dict)  # cells that could not be used, by reason
    early: int = 0  # kept rows that were known before they happened
    later: int = 0  # texts of kept rows that were withheld for what became known only after the week

    @property
    def withheld(self) -> int:
        """Texts in which the scan still found something after the masking."""
        tables = (self.kept, self.quarantined)
        texts = [column for table in tables for column in table.columns if pa.types.is_string(column.type)]
        return sum(pc.sum(pc.equal(column, WITHHELD)).as_py() or 0 for column in texts)

    @property
    def by_reason(self) -> dict[str, int]:
        """Rows set aside by primary reason."""
        return count_reasons(self.quarantined)


def count_reasons(quarantined: pa.Table) -> dict[str, int]:
    """Rows by primary reason, the most frequent first."""
    counts = {row["values"]: row["counts"] for row in quarantined[REASON].value_counts().to_pylist()}
    return dict(sorted(counts.items(), key=lambda reason: (-reason[1], reason[0])))


def say_cells(weeks: list[MaskedWeek]) -> list[str]:
    """Cells with a word for nobody, cells that were emptied, rows known too early; a line each, none where none is."""
    nobody, emptied = Counter[str](), Counter[str]()
    for week in weeks:
        nobody.update(week.nobody)
        emptied.update(week.emptied)
    counted = [
        ", ".join(f"{why}: {count:,}" for why, count in cells.items() if count) for cells in (nobody, emptied)
    ]  # fmt: skip
    said = ("cells with a word for nobody (null_words), taken for missing ones", "cells emptied, their rows stay")
    lines = [f"{what}; {counts}" for what, counts in zip(said, counted, strict=True) if counts]
    early = sum(week.early for week in weeks)
    return [*lines, *([f"rows known before they happened, which stay: {early:,}"] if early else [])]


def masked_weeks(bench: Workbench, name: str, days: list[date], *, before: datetime | None = None) -> list[MaskedWeek]:
    """The asked weeks of a source, masked.

    Args:
        before: cut the source at this instant first, as the replay check does.

    Raises:
        SourceError: the source cannot be used.
        LeakError: an identifier is left in what would be written.
    """
    with values_stay_inside(name):
        return _masked_weeks(bench, name, days, before=before)


def _masked_weeks(bench: Workbench, name: str, days: list[date], *, before: datetime | None) -> list[MaskedWeek]:
    table = bench.use_case.sources.tables[name]
    sources, rows_there = source_states(bench, name, days)
    shape = source_shape(table, name=name, project=bench.project.root)
    drift = drift_of(_shape_before(bench, name, days[0]) or shape, shape)
    with _shape_said(drift):
        raw = _read(bench, name, _window(bench, days, before=before))
    source_rows = raw.num_rows if rows_there is None else rows_there
    if before is not None:
        raw = known_before(raw, table, moment=before)
    weeks = split_weeks(raw, table, name=name, clock=bench.use_case.clock, days=days)
    weeks, suppressed = without_suppressed(bench, table, weeks)
    schema = masked_schema(table)
    # All weeks at once: a customer's token and a repeated text are then worked out a single time.
    cut = _Cut(bench, name, days, owners_in(bench, name, raw, before=before))
    kept, later = cut.mask([week.kept for week in weeks], schema, where=name, seen=True)
    bookkeeping = FILE_FIELDS if FILE in raw.column_names else QUARANTINE_FIELDS
    aside_schema = pa.schema([column.with_nullable(True) for column in schema] + bookkeeping)
    aside, _ = cut.mask([week.quarantined for week in weeks], aside_schema, where=f"quarantine of {name}", seen=False)
    return [
        MaskedWeek(
            week.day,
            sources[week.day],
            source_rows,
            week.read,
            in_order(good, table),
            bad,
            left_out,
            shape=shape,
            drift=tuple(drift),
            nobody=week.nobody,
            emptied=week.emptied,
            early=week.early,
            later=withheld,
        )
        for week, good, bad, left_out, withheld in zip(weeks, kept, aside, suppressed, later, strict=True)
    ]


def _window(bench: Workbench, days: list[date], *, before: datetime | None) -> Window:
    """What has to be fetched for some weeks."""
    clock = bench.use_case.clock
    end = clock.known_window(days[-1])[1]
    return Window(clock.known_window(days[0])[0], end if before is None else min(end, before))


def _read(bench: Workbench, name: str, window: Window) -> pa.Table:
    """The rows of a window; with all that came before it where one of them may be a repetition of that.

    Of a database the keys alone are asked first: a repetition is rare, and the rows before are many.
    """
    table, root = bench.use_case.sources.tables[name], bench.project.root
    raw = read_source(table, name=name, project=root, window=window)
    if table.format != "query" or not table.counts_once or window.start is None:
        return raw
    asked = {table.source_name(alias) for alias in (*table.key, table.known_at)}
    columns = {source: column for source, column in table.columns.items() if source in asked}
    keys = table.model_copy(update={"columns": columns, "added_columns": "warn"})
    before = read_source(keys, name=name, project=root, window=Window(None, window.start))
    if not repeats_earlier(raw, before, table, start=window.start):
        return raw
    return read_source(table, name=name, project=root, window=Window(None, window.end))


def _shape_before(bench: Workbench, name: str, day: date) -> Shape | None:
    """The shape that the source had when this week was ingested before, else when the week before it was."""
    store, dataset = bench.datasets.store, bench.datasets.masked(name)
    snapshot = store.find(dataset, str(day)) or store.find(dataset, str(day - WEEK))
    return snapshot.info.get(SHAPE) if snapshot else None


@contextmanager
def _shape_said(drift: list[str]) -> Iterator[None]:
    """A source that cannot be read any more says what changed in its shape since it could."""
    try:
        yield
    except SourceError as error:
        if not drift:
            raise
        raise SourceError(f"{error} Since it was ingested before, its shape has changed; {'; '.join(drift)}.") from None


def identifiers_of(bench: Workbench, tokens: set[str], day: date) -> pd.Series | None:
    """The consumer's own identifiers by token, for the given tokens alone; None if the contract asks for none."""
    asked = bench.use_case.contract.identifier
    if asked is None:
        return None
    table = bench.use_case.sources.tables[asked.table]
    alias, clock = table.columns[asked.column].alias, bench.use_case.clock
    with values_stay_inside(asked.table):
        window = Window(None, clock.instant(day))
        raw = read_source(table, name=asked.table, project=bench.project.root, window=window)
        raw = known_before(raw, table, moment=clock.instant(day))
        weeks = split_weeks(raw, table, name=asked.table, clock=clock, days=clock.dates_until(day))
        weeks, _ = without_suppressed(bench, table, weeks)
        values = pd.concat([week.kept[alias] for week in weeks]).drop_duplicates()
        domain = table.columns[asked.column].token_domain
        named = pd.Series(values.tolist(), index=tokenize(values, key=bench.key, domain=str(domain)).tolist())
        return named[named.index.isin(tokens)]


@dataclass(frozen=True)
class _Cut:
    """Some weeks of one table on their way through the boundary."""

    bench: Workbench
    name: str
    days: list[date]
    owners_of: OwnersOf | None

    def mask(
        self, frames: list[pd.DataFrame], schema: pa.Schema, *, where: str, seen: bool
    ) -> tuple[list[pa.Table], list[int]]:
        """The rows of each week, masked and scanned, and how many texts were withheld for what became known later.

        Args:
            seen: whether SQL will see them.
        """
        lengths = [len(frame) for frame in frames]
        rows = pd.concat(frames, ignore_index=True)
        clock, table = self.bench.use_case.clock, self.bench.use_case.sources.tables[self.name]
        weeks = np.repeat([(day - clock.first).days // 7 for day in self.days], lengths)
        masked = mask_table(
            rows,
            table,
            key=self.bench.key,
            redactor=TextRedactor(self.bench.use_case.sources.text_engine),
            owners=None if self.owners_of is None else self.owners_of(rows, weeks),
        )
        masked, later = with_texts_withheld(self.bench, masked, table.texts, where=where, weeks=weeks if seen else None)
        require_clean_table(self.bench, masked, where=where, look_alikes=look_alikes_of(table))
        whole = pa.Table.from_pandas(masked, schema=schema, preserve_index=False)
        starts = [sum(lengths[:number]) for number in range(len(lengths))]
        ends = [start + length for start, length in zip(starts, lengths, strict=True)]
        return (
            [whole.slice(start, end - start) for start, end in zip(starts, ends, strict=True)],
            [int(later[start:end].sum()) for start, end in zip(starts, ends, strict=True)],
        )
