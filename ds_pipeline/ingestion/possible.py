"""Count events that cannot have been: before the sign-up of their person, or after the cancellation. They stay.

Everything here lies behind the PII boundary: rows are joined by token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.use_case.sources import Sources, Table

ReadWeek = Callable[[str, date], pa.Table]  # table name and scoring date to the masked rows of that partition
NO_LIMIT = "no_limit_known"  # beside the limits: rows of which nothing can be said yet; they break none


def count_impossible(
    name: str,
    sources: Sources,
    weeks: dict[date, pa.Table],
    *,
    read_week: ReadWeek,
    until: dict[date, list[date]],
    begins: Callable[[date], datetime],
) -> dict[date, dict[str, int]]:
    """For each week of a table the rows that break a limit of `possible`, by the name of the limit.

    A row counts once, in the first week from its own on by whose end a limit was known that it breaks. A sign-up that
    becomes known later than the events before it so counts these in the week that it became known in. With not_before,
    `no_limit_known` counts the rows of the week of whose person no limit was known by its end.

    Args:
        weeks: the masked rows of each week.
        read_week: the masked rows of the tables that set the limits, and of the weeks of this table before.
        until: for each week the scoring dates up to it.
        begins: the instant of a scoring date; a change that is known ahead sets no limit before it has happened.
    """
    table = sources.tables[name]
    counts: dict[date, dict[str, int]] = {day: {} for day in weeks}
    if table.possible is None:
        return counts
    days = sorted({day for day in weeks for day in until[day]})
    for kind, limit in table.possible.limits.items():
        mine, theirs = sources.shared_token(name, limit.table) or ("", "")
        other, is_earliest = sources.tables[limit.table], kind == "not_before"
        by_day = [_limits(read_week(limit.table, day), other, limit.column, theirs).assign(week=day) for day in days]
        dated = _dated(by_day)
        limits = _by_week(dated if is_earliest else _happened(dated, days, begins), is_earliest=is_earliest)
        first_known = limits.groupby("token")["week"].min()
        changes = limits.assign(next_week=limits.groupby("token")["week"].shift(-1))
        newly_known = limits[limits["week"].isin(pd.to_datetime(list(weeks)))]
        broken: dict[date, int] = dict.fromkeys(weeks, 0)
        for day in days:
            if day not in weeks and newly_known.empty:
                continue
            rows = weeks[day] if day in weeks else read_week(name, day)
            events = pd.DataFrame({
                "token": rows[mine].to_pandas(), "happened": _moments(rows[table.event_time], table.time_zone),
            })  # fmt: skip
            asked = changes if day in weeks else changes[changes["token"].isin(newly_known["token"])]
            for week, count in _first_broken(events, asked, day=day, is_earliest=is_earliest).items():
                if week in broken:
                    broken[week] += count
            if day in weeks and is_earliest:
                known = first_known.index[first_known <= pd.Timestamp(day)]
                counts[day][NO_LIMIT] = int((events["token"].notna() & ~events["token"].isin(known)).sum())
        for day, count in broken.items():
            counts[day][kind] = count
    return counts


def total_of_weeks(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    """The counts of all weeks together, by the name of the limit."""
    total: Counter[str] = Counter()
    for week in counts:
        total.update(week)
    return dict(total)


def _limits(rows: pa.Table, other: Table, column: str, token: str) -> pd.DataFrame:
    """token, at (the limit), changed (of the row; both UTC without a zone), in the order in which they became known."""
    order = [(other.known_at, "ascending"), (other.event_time, "ascending")]
    rows = rows.sort_by(list(dict.fromkeys(order)))
    return pd.DataFrame({
        "token": rows[token].to_pandas(), "at": _moments(rows[column], other.time_zone),
        "changed": _moments(rows[other.event_time], other.time_zone),
    })  # fmt: skip


def _moments(values: pa.ChunkedArray, time_zone: str) -> pd.Series:
    """Instants in UTC without a zone; a date is the midnight it begins with."""
    if pa.types.is_date(values.type):
        values = pc.assume_timezone(
            values.cast(pa.timestamp("us")), time_zone, ambiguous="latest", nonexistent="latest"
        )
    return values.cast(pa.timestamp("us", "UTC")).to_pandas().dt.tz_localize(None)


def _dated(frames: list[pd.DataFrame]) -> pd.DataFrame:
    limits = pd.concat(frames, ignore_index=True)
    return limits.assign(week=pd.to_datetime(limits["week"]).astype("datetime64[s]"))


def _happened(limits: pd.DataFrame, days: list[date], begins: Callable[[date], datetime]) -> pd.DataFrame:
    """The limits of changes that have happened by one of the days, from the first of these on."""
    starts = pd.DatetimeIndex([begins(day) for day in days]).tz_convert(None)
    first = starts.searchsorted(limits["changed"], side="right")
    limits, first = limits[first < len(days)], first[first < len(days)]
    happened = pd.Series(pd.DatetimeIndex(days).astype("datetime64[s]")[first], index=limits.index)
    return limits.assign(week=limits["week"].where(limits["week"] >= happened, happened))


def _by_week(limits: pd.DataFrame, *, is_earliest: bool) -> pd.DataFrame:
    """One row per token and week in which its limit changed: the earliest so far, or that of the newest row."""
    limits = limits.dropna(subset=["token"]).sort_values("week", kind="stable")
    if is_earliest:
        limits = limits.dropna(subset=["at"])
        limits = limits.assign(at=limits.groupby("token", sort=False)["at"].cummin())
    else:  # an older change that becomes known later is not the newest row
        limits = limits[limits["changed"] == limits.groupby("token", sort=False)["changed"].cummax()]
    limits = limits.drop_duplicates(["token", "week"], keep="last")
    before = limits.groupby("token")["at"].shift()
    is_first = ~limits.duplicated("token")
    is_same = (limits["at"] == before) | (limits["at"].isna() & before.isna())
    return limits[is_first | ~is_same]


def _first_broken(events: pd.DataFrame, changes: pd.DataFrame, *, day: date, is_earliest: bool) -> dict[date, int]:
    """How many events of one week break a limit, by the first week from their own on by whose end it was known.

    Args:
        events: token, happened.
        changes: token, at, week (it holds from the end of it), next_week (to the end of that; null: for good).
    """
    own = pd.Timestamp(day)
    in_force = changes[changes["next_week"].isna() | (changes["next_week"] > own)]
    pairs = events.dropna(subset=["token"]).reset_index(names="row").merge(in_force, on="token", how="inner")
    is_broken = pairs["happened"] < pairs["at"] if is_earliest else pairs["happened"] > pairs["at"]
    weeks = pairs[is_broken].groupby("row")["week"].min()
    return {week.date(): int((weeks == week).sum()) for week in weeks[weeks > own].unique()} | {
        day: int((weeks <= own).sum())
    }
