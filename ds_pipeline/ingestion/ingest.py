"""Split what a source holds into weeks, and each week into rows that are kept and rows that are set aside with reasons.

Nothing here writes: the rows still hold identities. They are masked next, in memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.clock import WEEK, Clock
from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.cast import Mask, cast_columns, to_mask
from ds_pipeline.ingestion.read import FILE, ROW_NUMBER
from ds_pipeline.use_case.sources import ISO, Column, Table

REASON = "_reason"  # the primary reason: the first in the order of precedence below
REASONS = "_reasons"  # all of them
ISO_SHOWN = "2024-03-07 or 2024-03-07 09:30"
LAST_WEEKS = timedelta(days=36_525)  # after the first scoring date; a row of a later one is never used
OLDEST = 120  # years; a birth date further back is a slip
PRECEDENCE = ("unreadable", "missing", "out_of_range", "duplicate_key", "exact_duplicate", "repeated_key")


@dataclass(frozen=True)
class Week:
    """The rows of one source that became known in one week; read = kept + set aside.

    Attributes:
        kept: declared columns by alias, in source order; identities included.
        quarantined: the same columns (faulty cells null), _row_number, _reason and _reasons; of a source of many files
            also _file, in which the number counts. In a database the number counts the rows of the week, ordered by
            known_at and then all columns.
        nobody: cells of tokens that hold a word for nobody, by alias; they are missing ones.
        emptied: cells of columns that may be empty whose content could not be used, by reason; their rows stay.
        early: kept rows that were known before they happened.
    """

    day: date
    read: int
    kept: pd.DataFrame
    quarantined: pd.DataFrame
    nobody: dict[str, int] = field(default_factory=dict)
    emptied: dict[str, int] = field(default_factory=dict)
    early: int = 0


def split_weeks(raw: pa.Table, table: Table, *, name: str, clock: Clock, days: list[date]) -> list[Week]:
    """The asked weeks of a source, validated.

    Args:
        raw: from read_source; of events with a key everything that became known before the last of the days, since
            what was delivered before decides whether a row is a repetition.
        days: scoring dates; partition D holds what became known in the week before D (the first: everything before).

    Raises:
        SourceError: a row without a usable known_at (it belongs to no week), or more faulty rows than declared.
    """
    typed, unreadable = cast_columns(raw, table)
    week_of_row = _week_of_row(typed, raw, table, name=name, clock=clock)
    begins = _begins(typed[table.known_at], clock)
    nobody = {
        alias: week_of_row[_holds_nobody(typed, raw, table, alias) & ~unreadable[alias]] for alias in table.tokens
    }
    typed, unreadable, emptied = _without_faulty_cells(typed, table, unreadable)
    emptied = {why: week_of_row[mask] for why, mask in emptied.items()}
    numbers_of_days = [(day - clock.first).days // 7 for day in days]
    wanted = np.isin(week_of_row, numbers_of_days)
    for column in (ROW_NUMBER, FILE):
        if column in raw.column_names:
            typed = typed.append_column(column, raw[column])
    seen = week_of_row <= max(numbers_of_days) if table.counts_once else wanted
    faults = _find_faults(
        typed.filter(pa.array(seen)),
        table,
        {alias: mask[seen] for alias, mask in unreadable.items()},
        week_of_row[seen],
    )
    faults = {why: mask[wanted[seen]] for why, mask in faults.items() if mask[wanted[seen]].any()}
    week_of_row = week_of_row[wanted]
    typed = typed.filter(pa.array(wanted))
    if table.format == "query":  # the rows before a week are not fetched with it: count from its first one
        numbers = pd.Series(week_of_row).groupby(week_of_row).cumcount().to_numpy("int64")
        typed = typed.set_column(typed.column_names.index(ROW_NUMBER), ROW_NUMBER, pa.array(numbers))

    faulty = np.logical_or.reduce([*faults.values(), np.zeros(typed.num_rows, dtype=bool)])
    aliases = [column.alias for column in table.columns.values()]
    kept = _to_frame(typed.filter(pa.array(~faulty)).select(aliases))
    quarantined = _describe(typed.filter(pa.array(faulty)), {why: mask[faulty] for why, mask in faults.items()})
    weeks = []
    for day in days:
        number = (day - clock.first).days // 7
        good = kept[week_of_row[~faulty] == number].reset_index(drop=True)
        week = Week(
            day=day,
            read=int((week_of_row == number).sum()),
            kept=good,
            quarantined=quarantined[week_of_row[faulty] == number].reset_index(drop=True),
            nobody={alias: int((weeks_of == number).sum()) for alias, weeks_of in nobody.items()},
            emptied={why: n for why, weeks_of in emptied.items() if (n := int((weeks_of == number).sum()))},
            early=int((good[table.event_time] > good[table.known_at]).sum()),
        )
        _require_news(week, table, name=name, clock=clock, begins=begins)
        _require_counts(week, table, name=name)
        weeks.append(week)
    return weeks


def _holds_nobody(typed: pa.Table, raw: pa.Table, table: Table, alias: str) -> Mask:
    cells = raw[table.source_name(alias)]
    return to_mask(pc.and_(pc.is_valid(cells), pc.is_null(typed[alias])))


def known_before(raw: pa.Table, table: Table, *, moment: datetime) -> pa.Table:
    """The source as it stood at an instant: the rows with known_at strictly before it."""
    column = table.source_name(table.known_at)
    only = table.model_copy(update={"columns": {column: table.columns[column]}})
    known_at = cast_columns(raw.select([column]), only)[0][table.known_at]
    return raw.filter(pc.less(known_at, pa.scalar(moment, pa.timestamp("us", tz="UTC"))))


def repeats_earlier(raw: pa.Table, before: pa.Table, table: Table, *, start: datetime) -> bool:
    """Whether a row that became known from an instant on has the key of one that was known before it.

    Args:
        raw, before: rows of the source with the columns of its key and known_at.
    """
    names = [table.source_name(alias) for alias in dict.fromkeys([*table.key, table.known_at])]
    only = table.model_copy(update={"columns": {name: table.columns[name] for name in names}})
    rows, earlier = (_to_frame(cast_columns(part.select(names), only)[0]) for part in (raw, before))
    rows, earlier = rows[rows[table.known_at] >= start], earlier[earlier[table.known_at] < start]
    return not rows[table.key].dropna().merge(earlier[table.key].drop_duplicates(), on=table.key, validate="m:1").empty


def known_values(raw: pa.Table, table: Table, aliases: list[str], *, name: str, clock: Clock) -> pd.DataFrame:
    """Some columns of every row of a source, faulty rows included, with the number of the week the row became known in.

    Args:
        aliases: of declared columns.

    Returns:
        The columns by alias, and `week`: 0 for the first partition and everything before it.

    Raises:
        SourceError: a row without a usable known_at.
    """
    names = {table.source_name(alias) for alias in (*aliases, table.known_at)}
    only = table.model_copy(
        update={"columns": {source: column for source, column in table.columns.items() if source in names}}
    )
    typed, _ = cast_columns(raw, only)
    week = _week_of_row(typed, raw, table, name=name, clock=clock)
    return _to_frame(typed.select(aliases)).assign(week=week)


def known_weeks(raw: pa.Table, table: Table, *, clock: Clock) -> np.ndarray:
    """The number of the week each row became known in; one whose known_at cannot be read is known after all others."""
    name = table.source_name(table.known_at)
    only = table.model_copy(update={"columns": {name: table.columns[name]}})
    return _weeks_of(cast_columns(raw.select([name]), only)[0][table.known_at], clock)


def _week_of_row(typed: pa.Table, raw: pa.Table, table: Table, *, name: str, clock: Clock) -> Mask:
    """The number of the week each row became known in: 0 for the first partition and everything before it."""
    known_at = typed[table.known_at]
    column = next(column for column in table.columns.values() if column.alias == table.known_at)
    undated = to_mask(pc.is_null(known_at)) | _out_of_range(known_at, column, column.time_zone or table.time_zone)
    if undated.any():
        raise SourceError(f"{name} ({table.lies_at}): {_undated(undated, raw, table, column)}")
    return _weeks_of(known_at, clock)


def _weeks_of(known_at: pa.ChunkedArray, clock: Clock) -> np.ndarray:
    """The number of the week of each instant; the last of all where there is none."""
    newest: datetime | None = pc.max(known_at).as_py()  # None: there is no row
    if newest:
        newest = min(newest, clock.instant(clock.first) + LAST_WEEKS)  # an open end such as 9999-12-31 is in no week
    weeks = max(0, (newest.date() - clock.first).days // 7 + 2) if newest else 0
    starts = np.array(
        [clock.instant(clock.first + week * WEEK).replace(tzinfo=None) for week in range(weeks)],
        dtype="datetime64[us]",
    )
    instants = known_at.to_numpy().astype("datetime64[us]")
    return np.searchsorted(starts, instants, side="right")


def _undated(undated: Mask, raw: pa.Table, table: Table, column: Column) -> str:
    """What to tell of rows that belong to no week: how many and which, what was expected, and what to correct."""
    formats = " or ".join(f"{form} ({ISO_SHOWN})" if form == ISO else form for form in column.formats or [ISO])
    expected, mend = [] if table.format == "parquet" else [f"written as {formats}"], ["the source"]
    if table.format != "query":
        mend.append("formats")
    if column.minimum or column.maximum:
        expected.append(" ".join(
            f"{word} {limit}" for word, limit in (("from", column.minimum), ("to", column.maximum)) if limit
        ))  # fmt: skip
        mend.append("minimum and maximum")
    asked = f"; expected a date {', '.join(expected)}" if expected else ""
    return (
        f"{undated.sum():,} rows have no date in {table.source_name(table.known_at)} that can be used{asked}. "
        f"{_first_rows(undated, raw, table)}Such a row belongs to no week. Correct {' or '.join(mend)}."
    )


def _first_rows(asked: Mask, raw: pa.Table, table: Table) -> str:
    """Where some rows stand in the files of a source; empty for a database, in which rows have no place."""
    if table.format == "query":
        return ""
    first = raw.take(pa.array(np.flatnonzero(asked)[:3]))
    files = first[FILE].to_pylist() if FILE in raw.column_names else [None] * first.num_rows
    places = zip(first[ROW_NUMBER].to_pylist(), files, strict=True)
    shown = ", ".join(f"{row:,}" if file is None else f"{row:,} of {file}" for row, file in places)
    return f"The first, counted from 0: {shown}. "


def _without_faulty_cells(
    typed: pa.Table, table: Table, unreadable: dict[str, Mask]
) -> tuple[pa.Table, dict[str, Mask], dict[str, Mask]]:
    """The rows, cells that cannot be read, and by reason cells that were emptied, where a column may be empty.

    A fault costs the cell there and no more; what a row is told by, its key, costs the row.
    """
    emptied: dict[str, Mask] = {}
    needed = {*table.key, *table.entity, table.event_time, table.known_at}
    for column in table.columns.values():
        alias = column.alias
        if not column.nullable or alias in needed:
            continue
        outside = _outside(typed, table, column)
        emptied |= {f"unreadable:{alias}": unreadable[alias], f"out_of_range:{alias}": outside}
        unreadable = unreadable | {alias: np.zeros(len(outside), dtype=bool)}
        if outside.any():
            cells = typed[alias]
            cells = pc.if_else(pa.array(outside), pa.scalar(None, cells.type), cells)
            typed = typed.set_column(typed.column_names.index(alias), alias, cells)
    return typed, unreadable, {why: mask for why, mask in emptied.items() if mask.any()}


def _outside(typed: pa.Table, table: Table, column: Column) -> Mask:
    """The values of a column outside its limits; birth dates that give no age are, too."""
    outside = _out_of_range(typed[column.alias], column, column.time_zone or table.time_zone)
    if column.treatment == "band":
        outside = outside | _no_age(typed[column.alias], typed[table.known_at])
    return outside


def _find_faults(
    typed: pa.Table, table: Table, unreadable: dict[str, Mask], week_of_row: np.ndarray
) -> dict[str, Mask]:
    """For each reason that occurs the rows it applies to, in the order of precedence.

    A row is only ever compared with rows of its own week, and events also with what became known before: what came
    later must not change what was kept before.
    """
    columns = table.columns.values()
    by_check: dict[str, dict[str, Mask]] = {check: {} for check in PRECEDENCE}
    for column in columns:
        alias = column.alias
        by_check["unreadable"][f"unreadable:{alias}"] = unreadable[alias]
        if not column.nullable:
            by_check["missing"][f"missing:{alias}"] = to_mask(pc.is_null(typed[alias])) & ~unreadable[alias]
        by_check["out_of_range"][f"out_of_range:{alias}"] = _outside(typed, table, column)
    frame = _to_frame(typed.select([column.alias for column in columns]))
    repeats = frame.duplicated(keep="first").to_numpy()  # these share known_at, so they are of one week
    by_check["exact_duplicate"]["exact_duplicate"] = repeats
    if table.counts_once:
        sound = ~np.logical_or.reduce([mask for masks in by_check.values() for mask in masks.values()])
        by_check["duplicate_key"]["duplicate_key"], by_check["repeated_key"]["repeated_key"] = _not_first(
            frame[[*table.key, table.known_at]], table, sound
        )
    elif table.key:
        # Which of two different rows with one key is right cannot be known here: both are set aside.
        clash = np.zeros(len(frame), dtype=bool)
        keys = frame.loc[~repeats, table.key].assign(_week=week_of_row[~repeats])
        clash[~repeats] = keys.duplicated(keep=False).to_numpy()
        by_check["duplicate_key"]["duplicate_key"] = clash
    return {why: mask for check in PRECEDENCE for why, mask in by_check[check].items() if mask.any()}


def _not_first(frame: pd.DataFrame, table: Table, sound: Mask) -> tuple[Mask, Mask]:
    """The rows whose key another row of the same instant has, and those whose key a row has that was known before.

    Which of two different rows of one instant is right cannot be known here: neither counts, and a later one does. A
    faulty row is no delivery, and a row whose key is not complete repeats nothing.
    """
    clash, repeated = np.zeros(len(frame), dtype=bool), np.zeros(len(frame), dtype=bool)
    rows = frame[sound].dropna(subset=table.key)
    same_instant = rows.duplicated([*table.key, table.known_at], keep=False)
    clash[rows.index[same_instant]] = True
    oldest_first = rows[~same_instant].sort_values(table.known_at, kind="stable")
    repeated[oldest_first.index[oldest_first.duplicated(table.key, keep="first")]] = True
    return clash, repeated


def _no_age(birth_dates: pa.ChunkedArray, known_at: pa.ChunkedArray) -> Mask:
    """The birth dates after the day the row became known, or more than 120 calendar years before it."""
    years = pc.subtract(pc.year(known_at), pc.year(birth_dates))
    unborn = pc.greater(birth_dates, known_at.cast(pa.date32(), safe=False))
    return to_mask(pc.or_kleene(unborn, pc.greater(years, OLDEST)))


def _out_of_range(values: pa.ChunkedArray, column: Column, time_zone: str) -> Mask:
    """The values outside the declared limits; a limit of a timestamp is a day in the table's time zone."""
    outside = np.zeros(len(values), dtype=bool)
    for limit, compare in ((column.minimum, pc.less), (column.above, pc.less_equal), (column.maximum, pc.greater)):
        if limit is None:
            continue
        bound: float | date | Decimal = limit
        if isinstance(limit, date) and column.type == "timestamp":
            day = limit + timedelta(days=1) if compare is pc.greater else limit
            compare = pc.greater_equal if compare is pc.greater else compare
            bound = datetime.combine(day, time(), ZoneInfo(time_zone))
        elif column.type == "decimal":
            bound = Decimal(str(limit))  # exact: 0.3 as a decimal of one digit is not above 0.3
        outside |= to_mask(compare(values, pa.scalar(bound)))
    return outside


def _describe(faulty: pa.Table, faults: dict[str, Mask]) -> pd.DataFrame:
    """The faulty rows with their reasons; a cell that is itself the fault is taken out, it may hold anything."""
    if FILE in faulty.column_names:
        names_of_files = faulty[FILE].cast(pa.string())
        faulty = faulty.set_column(faulty.column_names.index(FILE), FILE, names_of_files)
    frame = _to_frame(faulty)
    stacked = np.column_stack(list(faults.values())) if faults else np.zeros((len(frame), 1), dtype=bool)
    names = np.array(list(faults) or [""], dtype=object)
    for why, mask in faults.items():
        check, _, alias = why.partition(":")
        if check == "out_of_range":
            frame[alias] = frame[alias].mask(mask)
    reasons = [";".join(names[row]) for row in stacked]
    primary = names[stacked.argmax(axis=1)] if len(frame) else np.array([], dtype=object)
    return frame.assign(**{REASON: primary, REASONS: reasons})


def _begins(known_at: pa.ChunkedArray, clock: Clock) -> date | None:
    """The day of the oldest row, in the use case's time zone; None if there is no row."""
    oldest: datetime | None = pc.min(known_at).as_py()
    return None if oldest is None else oldest.astimezone(ZoneInfo(clock.time_zone)).date()


def _require_news(week: Week, table: Table, *, name: str, clock: Clock, begins: date | None) -> None:
    """A source that is late, or has ended, would make everyone look as if they had stopped."""
    if table.kind == "events" and week.read == 0 and not table.allow_silent_weeks:
        # Of a database only the first week is fetched with all that lies before it.
        has_all_before = table.format != "query" or week.day == clock.first
        if has_all_before and begins is not None and begins >= week.day:
            earliest = begins + timedelta(days=7 - begins.weekday())
            raise SourceError(
                f"{name} ({table.lies_at}): no row became known before {week.day}; the data begin on {begins}. Set "
                f"clock.first in problem.yaml to {earliest} or a later Monday."
            )
        raise SourceError(
            f"{name} ({table.lies_at}): no row became known in the week before {week.day}. The source is late or has "
            "ended: ingest again when the rows are there. If such a week is normal, say allow_silent_weeks: true in "
            "sources.yaml."
        )


def _require_counts(week: Week, table: Table, *, name: str) -> None:
    aside = len(week.quarantined)
    if len(week.kept) + aside != week.read:
        raise SourceError(f"{name} {week.day}: {week.read} rows read, {len(week.kept)} kept and {aside} set aside.")
    share = aside / week.read if week.read else 0.0
    for why, cells in week.emptied.items():
        if cells > table.max_quarantine_share * week.read:
            raise SourceError(
                f"{name} ({table.lies_at}), week before {week.day}: {cells:,} of {week.read:,} cells of a column are "
                f"faulty ({cells / week.read:.1%}); at most {100 * table.max_quarantine_share:g}% may be. {why}: "
                f"{cells:,}. Correct the source, or the rules or max_quarantine_share in sources.yaml."
            )
    if week.early > math.ceil(table.max_early_share * week.read - 1e-9):  # 0.07 of 100 are 7
        raise SourceError(
            f"{name} ({table.lies_at}), week before {week.day}: {week.early:,} of {week.read:,} rows were known before "
            f"they happened ({table.event_time} after {table.known_at}); at most {100 * table.max_early_share:g}% may "
            "be. Is one of the two in another time zone? Declare it. Where rows tell of what is planned, raise "
            "max_early_share in sources.yaml, and let the SQL look only at what has happened."
        )
    if share > table.max_quarantine_share:
        counts = ", ".join(f"{why}: {rows:,}" for why, rows in week.quarantined[REASON].value_counts().items())
        raise SourceError(
            f"{name} ({table.lies_at}), week before {week.day}: {aside:,} of {week.read:,} rows are faulty "
            f"({share:.1%}); at most {100 * table.max_quarantine_share:g}% may be. By reason: {counts}. "
            "Correct the source, or the rules or max_quarantine_share in sources.yaml."
        )


def _to_frame(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas(types_mapper=pd.ArrowDtype)
