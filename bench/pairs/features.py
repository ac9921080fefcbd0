"""Features as of each of many weeks: purchases in windows of 7, 30 and 90 days, by customer.

Ours makes them from the masked weeks of a store. The others read one parquet file of the same rows, take the 90 days
before each date out of it and group them by customer, which is right because here a purchase is known as it happens;
ours does not rely on that.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from comparing import Line, Run, Side, Size, Work, times_as_fast, times_as_long
from pairs.made_up import ENTITY, TOKEN, table_of, workbench_of

from ds_pipeline.features.weeks import features_of_days
from ds_pipeline.workbench import Workbench

SIZES = {
    "tiny": {"events": 4_000, "entities": 100, "weeks": 5, "times": 4, "rounds": 1},
    "default": {"events": 1_000_000, "entities": 10_000, "weeks": 16, "times": 3, "rounds": 2},
    "full": {"events": 20_000_000, "entities": 200_000, "weeks": 52, "times": 4, "rounds": 1},
}
EXACT = 1e-8  # ours keeps nine digits
WINDOWS, PRODUCTS, PART = (7, 30, 90), 2_000, 5_000_000
FIRST = date(2024, 4, 1)
HISTORY = timedelta(weeks=13)
EVENTS = "events.parquet"


def query(table: str, scoring_at: str) -> str:
    """What ours and the hand-written query ask alike.

    By product first: of the purchases of one the last tells in which windows it counts, and three count(distinct) take
    three times as long as all the rest.
    """
    within = {days: f"bought_at >= {scoring_at} - interval {days} days" for days in WINDOWS}
    by_product, by_customer = [], []
    for days, inside in within.items():
        by_product += [
            f"count(*) filter (where {inside}) as n_{days}",
            f"sum(amount_gbp) filter (where {inside}) as gbp_{days}",
        ]
        by_customer += [
            f"sum(n_{days}) as purchases_{days}d",
            f"coalesce(sum(gbp_{days}), 0)::double as spend_gbp_{days}d",
            f"sum(gbp_{days})::double / nullif(sum(n_{days}), 0) as mean_gbp_{days}d",
            f"count(*) filter (where n_{days} > 0) as products_{days}d",
        ]
    return (
        f"with products as (select {ENTITY}, product, max(bought_at) as last, {', '.join(by_product)} from {table} "
        f"where {within[WINDOWS[-1]]} group by all) "
        f"select {ENTITY}, {', '.join(by_customer)}, "
        f"date_diff('day', max(last)::date, {scoring_at}::date) as days_since_last from products group by {ENTITY}"
    )


def prepare(folder: Path, size: Size) -> None:
    """The rows as one file, and as the masked weeks of three stores: in one bucket, in two, and `times` the rows."""
    rows = _purchases(size, size["events"])
    pq.write_table(rows, folder / EVENTS)
    for buckets in (1, 2):
        _store(_workbench(folder, "rows", size, buckets=buckets), size, rows)
    del rows
    _store(_workbench(folder, "more", size), size, _purchases(size, size["events"] * size["times"]))


def _purchases(size: Size, events: int) -> pa.Table:
    """Purchases in the order of time, evenly over the weeks and the 13 before them."""
    random = np.random.default_rng(1)
    start = np.datetime64(FIRST - HISTORY, "us")
    seconds = int((timedelta(weeks=size["weeks"] - 1) + HISTORY).total_seconds())
    at = start + np.sort(random.integers(0, seconds, events)) * np.timedelta64(1_000_000, "us")
    letters = random.integers(97, 113, (size["entities"], 32), dtype=np.uint8).tobytes().decode()
    tokens = pa.array([letters[place : place + 32] for place in range(0, len(letters), 32)])
    products = pa.array([f"P{number:04d}" for number in range(PRODUCTS)])
    parts = []
    for first in range(0, events, PART):
        part = at[first : first + PART]
        pence = np.zeros((len(part), 2), dtype=np.int64)  # of a decimal the lower and the upper half
        pence[:, 0] = random.integers(1, 20_000, len(part))
        columns = {
            "bought_at": pa.array(part).cast(pa.timestamp("us", tz="UTC")),
            "amount_gbp": pa.Array.from_buffers(pa.decimal128(18, 2), len(part), [None, pa.py_buffer(pence)]),
            "product": products.take(pa.array(random.integers(0, PRODUCTS, len(part)))),
            ENTITY: tokens.take(pa.array(random.integers(0, len(tokens), len(part)))),
        }
        parts.append(pa.table(columns))
    return pa.concat_tables(parts)


def _store(bench: Workbench, size: Size, rows: pa.Table) -> None:
    """The rows as masked weeks."""
    bench.prepare_to_sign()
    ends = np.searchsorted(rows["bought_at"].to_numpy(), np.array(_days(size), "M8[us]"))
    starts = [0, *ends[:-1]]
    for day, start, end in zip(_days(size), starts, ends, strict=True):
        bench.datasets.put_masked("purchases", {day: (rows.slice(start, end - start), {})})


def _days(size: Size) -> list[date]:
    return [FIRST + timedelta(weeks=week) for week in range(size["weeks"])]


def _workbench(folder: Path, store: str, size: Size, *, buckets: int = 1) -> Workbench:
    """One table and one query."""
    columns = {
        "bought_at": {"type": "timestamp"},
        "amount_gbp": {"type": "decimal", "scale": 2},
        "product": {"type": "string"},
        ENTITY: {"type": "string"} | TOKEN,
    }
    number = {"unit": "made up", "meaning": "made up", "role": "input", "minimum": 0, "maximum": 10_000_000}
    whole, double = ({"dtype": dtype} | number for dtype in ("int64", "float64"))
    features: dict[str, dict[str, Any]] = {}
    for days in WINDOWS:
        features |= {f"{name}_{days}d": whole | {"nullable": False} for name in ("purchases", "products")}
        features |= {f"{name}_{days}d": double | {"nullable": True} for name in ("spend_gbp", "mean_gbp")}
    features["days_since_last"] = whole | {"nullable": False}
    return workbench_of(
        folder,
        f"{store}-{buckets}",
        tables={"purchases": table_of(EVENTS, columns, at="bought_at")},
        dates=(FIRST, _days(size)[-1]),
        buckets=buckets,
        features=features,
        sql={
            "population.sql": f"select distinct {ENTITY} from purchases "
            f"where bought_at >= $scoring_at - interval {WINDOWS[-1]} days",
            "features/purchases.sql": query("purchases", "$scoring_at"),
        },
    )


def as_of_engine(store: str, buckets: int) -> Side:
    def side(folder: Path, size: Size) -> Work:
        bench, days = _workbench(folder, store, size, buckets=buckets), _days(size)
        return lambda: features_of_days(bench, bench.use_case, days)

    return side


def pandas_per_date(folder: Path, size: Size) -> Work:
    def work() -> dict[date, pd.DataFrame]:
        frame = pd.read_parquet(folder / EVENTS)
        frame["amount_gbp"] = frame["amount_gbp"].astype(float)
        made = {}
        for day in _days(size):
            end = pd.Timestamp(day, tz="UTC")
            known = frame[frame["bought_at"] < end]
            recent = known[known["bought_at"] >= end - pd.Timedelta(days=WINDOWS[-1])]
            last = recent.groupby(ENTITY)["bought_at"].max()
            table = pd.DataFrame({"days_since_last": (end - last.dt.normalize()).dt.days})
            for days in WINDOWS:
                by = recent[recent["bought_at"] >= end - pd.Timedelta(days=days)].groupby(ENTITY)
                table[f"purchases_{days}d"] = by.size()
                table[f"spend_gbp_{days}d"] = by["amount_gbp"].sum()
                table[f"mean_gbp_{days}d"] = by["amount_gbp"].mean()
                table[f"products_{days}d"] = by["product"].nunique()
            zeros = [name for name in table if not name.startswith("mean")]
            made[day] = table.fillna(dict.fromkeys(zeros, 0)).reset_index()
        return made

    return work


def polars_per_date(folder: Path, size: Size) -> Work:
    import polars as pl

    def work() -> dict[date, Any]:
        frame, made = pl.read_parquet(folder / EVENTS), {}
        for day in _days(size):
            end, at = datetime.combine(day, datetime.min.time(), UTC), pl.col("bought_at")
            columns = [(end - at.max().dt.truncate("1d")).dt.total_days().alias("days_since_last")]
            for days in WINDOWS:
                inside = at >= end - timedelta(days=days)
                amounts, products = pl.col("amount_gbp").filter(inside), pl.col("product").filter(inside)
                columns += [
                    inside.sum().alias(f"purchases_{days}d"),
                    amounts.sum().cast(pl.Float64).alias(f"spend_gbp_{days}d"),
                    amounts.mean().cast(pl.Float64).alias(f"mean_gbp_{days}d"),
                    products.n_unique().alias(f"products_{days}d"),
                ]
            recent = frame.lazy().filter((at < end) & (at >= end - timedelta(days=WINDOWS[-1])))
            made[day] = recent.group_by(ENTITY).agg(columns).collect()
        return made

    return work


def duckdb_per_date(folder: Path, size: Size) -> Work:
    def work() -> dict[date, pa.Table]:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            made = {}
            for day in _days(size):
                known = f"(from '{folder / EVENTS}' where bought_at < timestamptz '{day}')"
                made[day] = connection.sql(query(known, f"timestamptz '{day}'")).to_arrow_table()
            return made

    return work


def answer(made: dict[date, Any]) -> pa.Table:
    """All weeks, by date and customer; the columns in one order and of one type."""
    parts = []
    for day, rows in made.items():
        if isinstance(rows, pd.DataFrame):
            rows = pa.Table.from_pandas(rows, preserve_index=False)
        elif not isinstance(rows, pa.Table):
            rows = rows.to_arrow()
        if "scoring_date" in rows.column_names:
            rows = rows.drop_columns(["scoring_date"])
        rows = rows.append_column("day", pa.repeat(pa.scalar(day), rows.num_rows)).select(
            sorted([*rows.column_names, "day"])
        )
        kinds = {ENTITY: pa.string(), "day": pa.date32()}
        doubles = [name for name in rows.column_names if "gbp" in name]
        types = kinds | dict.fromkeys(doubles, pa.float64())
        schema = pa.schema([(name, types.get(name, pa.int64())) for name in rows.column_names])
        parts.append(rows.cast(schema).sort_by(ENTITY))
    return pa.concat_tables(parts)


OURS, TWO, MORE = "ours", "ours in two buckets", "ours, more rows"
SIDES: dict[str, Side] = {
    OURS: as_of_engine("rows", 1),
    "DuckDB per date": duckdb_per_date,
    "polars per date": polars_per_date,
    "pandas per date": pandas_per_date,
    TWO: as_of_engine("rows", 2),
    MORE: as_of_engine("more", 1),
}
ALONE = {MORE}


def lines(runs: dict[str, Run], size: Size) -> list[Line]:
    ours, more = runs[OURS], runs[MORE]
    rates = [size["events"] / ours.processor, size["events"] * size["times"] / more.processor]
    per_event = Line(
        f"{size['times']} times the events, processor of each",
        str(more),
        f"{rates[1]:,.0f} instead of {rates[0]:,.0f} events/s",
        rates[0] / rates[1],
        1.1,
    )
    return [
        *times_as_fast("against pandas", runs, OURS, "pandas per date", at_least=20),
        *times_as_long("against the fastest", runs, OURS, list(SIDES)[1:4], at_most=1.1),
        *times_as_long("two buckets against one", runs, TWO, [OURS], at_most=1.1),
        per_event,
        Line("memory", str(ours), "", ours.mb / 1024, 6, form="{:.2f} GB"),
    ]
