"""Count events that cannot have been: before the sign-up of their person, or after the cancellation. They stay.

Everything here lies behind the PII boundary: rows are joined by token.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.use_case.sources import Sources, Table

ReadWeek = Callable[[str, date], pa.Table]  # table name and scoring date to the masked rows of that partition


def count_impossible(
    name: str, sources: Sources, weeks: dict[date, pa.Table], *, read_week: ReadWeek, until: dict[date, list[date]]
) -> dict[date, dict[str, int]]:
    """For each week of a table the rows that break a limit of `possible`, by the name of the limit.

    A row is only compared with what was known of its person by the end of its week.

    Args:
        weeks: the masked rows of each week.
        read_week: the masked rows of the tables that set the limits.
        until: for each week the scoring dates up to it.
    """
    table = sources.tables[name]
    counts: dict[date, dict[str, int]] = {day: {} for day in weeks}
    for kind, limit in (table.possible.limits if table.possible else {}).items():
        mine, theirs = sources.shared_token(name, limit.table) or ("", "")
        other = sources.tables[limit.table]
        known = sorted({day for day in weeks for day in until[day]})
        limits = pd.concat(
            [_limits(read_week(limit.table, day), other, limit.column, theirs).assign(week=day) for day in known],
            ignore_index=True,
        )
        limits["week"] = pd.to_datetime(limits["week"]).astype("datetime64[s]")
        limits = _by_week(limits, is_earliest=kind == "not_before")
        for day, rows in weeks.items():
            counts[day][kind] = _count(rows, table, mine, limits, day=day, is_earliest=kind == "not_before")
    return counts


def _limits(rows: pa.Table, other: Table, column: str, token: str) -> pd.DataFrame:
    """token, at (the limit; UTC without a zone, null if there is none), in the order in which they became known."""
    order = [(other.known_at, "ascending"), (other.event_time, "ascending")]
    rows = rows.sort_by(list(dict.fromkeys(order)))
    return pd.DataFrame({"token": rows[token].to_pandas(), "at": _moments(rows[column], other.time_zone)})


def _moments(values: pa.ChunkedArray, time_zone: str) -> pd.Series:
    """Instants in UTC without a zone; a date is the midnight it begins with."""
    if pa.types.is_date(values.type):
        values = pc.assume_timezone(
            values.cast(pa.timestamp("us")), time_zone, ambiguous="latest", nonexistent="latest"
        )
    return values.cast(pa.timestamp("us", "UTC")).to_pandas().dt.tz_localize(None)


def _by_week(limits: pd.DataFrame, *, is_earliest: bool) -> pd.DataFrame:
    """One row per token and week in which its limit was set: the earliest so far, or that of the newest row."""
    limits = limits.dropna(subset=["token"]).sort_values("week", kind="stable")
    if is_earliest:
        limits = limits.dropna(subset=["at"])
        limits = limits.assign(at=limits.groupby("token", sort=False)["at"].cummin())
    return limits.drop_duplicates(["token", "week"], keep="last")


def _count(rows: pa.Table, table: Table, token: str, limits: pd.DataFrame, *, day: date, is_earliest: bool) -> int:
    known = limits[limits["week"] <= pd.Timestamp(day)].drop_duplicates("token", keep="last").set_index("token")["at"]
    limit = rows[token].to_pandas().map(known)
    happened = _moments(rows[table.event_time], table.time_zone)
    return int((happened < limit).sum() if is_earliest else (happened > limit).sum())
