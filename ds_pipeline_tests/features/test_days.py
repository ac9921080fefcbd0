"""Days in runs and buckets: each is built once of the rows that it may see, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from ds_pipeline import engine
from ds_pipeline.features.days import each_day
from ds_pipeline.store.asof import AsOfTables, ReadWeek
from ds_pipeline.store.buckets import Bucket, rows_of_bucket
from ds_pipeline.use_case.load import UseCase

DAYS = [date(2011, 3, 7) + timedelta(weeks=week) for week in range(8)]
TOKENS = "abcdefgh"


@pytest.fixture
def read_part(weeks_of: Callable[..., ReadWeek]) -> Callable[[str, date, Bucket | None], pa.Table]:
    """A visit of everybody in each week."""
    times = [datetime(2011, 3, 1, 12, tzinfo=UTC) + timedelta(weeks=week) for week in range(8)]
    read_week = weeks_of([(token, Decimal(1), at, at) for at in times for token in TOKENS])

    def read(name: str, day: date, bucket: Bucket | None) -> pa.Table:
        rows = read_week(name, day)
        return rows_of_bucket(rows, "customer_token", bucket)

    return read


def count(tables: AsOfTables, day: date, bucket: Bucket | None) -> tuple[int | None, int]:
    tables.advance_to(day)
    (rows,) = tables.select("select count(*) as n from visits", where="x")["n"].to_pylist()
    return bucket and bucket.number, rows


@pytest.mark.parametrize("named", ["sequential", "threading"])
def test_each_day_sees_the_weeks_up_to_it_of_each_bucket(
    shop: UseCase, read_part: Callable[..., pa.Table], monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv(engine.VARIABLE, named)
    cut = replace(shop, sources=shop.sources.model_copy(update={"buckets": 2}))

    whole = each_day(shop, read_part, DAYS, count)
    parts = each_day(cut, read_part, DAYS, count)
    undivided = each_day(cut, read_part, DAYS, count, divided=False)

    assert whole == undivided == {day: [(None, 8 * (number + 1))] for number, day in enumerate(DAYS)}
    # crc32 of d, e, f and g is even
    assert parts == {day: [(0, 4 * (number + 1)), (1, 4 * (number + 1))] for number, day in enumerate(DAYS)}


def test_no_days_are_nothing(shop: UseCase, read_part: Callable[..., pa.Table]) -> None:
    assert each_day(shop, read_part, [], count) == {}
