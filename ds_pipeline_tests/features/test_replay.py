"""The replay check catches a feature that read the future."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from ds_pipeline.errors import FeatureError
from ds_pipeline.features.build import build_features
from ds_pipeline.features.replay import require_equal, sample_day
from ds_pipeline.store.asof import AsOfTables, ReadWeek
from ds_pipeline.use_case.load import UseCase

D = date(2011, 3, 14)
AT_D = datetime(2011, 3, 14, tzinfo=UTC)
VISITS = [("a", 1, at, at) for at in (AT_D - timedelta(days=9), AT_D - timedelta(days=2), AT_D + timedelta(days=1))]


def build(use_case: UseCase, read_week: ReadWeek) -> pa.Table:
    with AsOfTables(use_case, read_week) as tables:
        return build_features(tables, D)


def test_features_that_end_at_the_date_are_the_same_without_the_future(
    shop: UseCase, weeks_of: Callable[..., ReadWeek]
) -> None:
    cut = [visit for visit in VISITS if visit[3] < AT_D]

    require_equal(D, build(shop, weeks_of(VISITS)), build(shop, weeks_of(cut)))


def test_a_partition_that_holds_a_later_row_is_caught(shop: UseCase, weeks_of: Callable[..., ReadWeek]) -> None:
    """A masked table whose weeks are cut a day too late: every feature made from it saw that day."""
    honest = weeks_of(VISITS)

    def leaks(name: str, day: date) -> pa.Table:
        return (
            pa.concat_tables([honest(name, day), honest(name, day + timedelta(weeks=1))])
            if day == D
            else honest(name, day)
        )

    with pytest.raises(FeatureError, match=r"replay of 2011-03-14: .*columns that differ: visits_seen\.") as error:
        require_equal(D, build(shop, leaks), build(shop, honest))

    assert "Nothing was written" in str(error.value)


def test_another_population_is_caught() -> None:
    made = pa.table({"customer_token": ["a", "b"]})

    with pytest.raises(FeatureError, match="2 rows were made, 1 rebuilt"):
        require_equal(D, made, made.slice(1))


def test_the_order_of_rows_counts() -> None:
    made = pa.table({"customer_token": ["a", "b"]})

    with pytest.raises(FeatureError, match="columns that differ: customer_token"):
        require_equal(D, made, made.take([1, 0]))


def test_the_sampled_day_is_one_of_the_days_and_always_the_same() -> None:
    days = [D + timedelta(weeks=week) for week in range(40)]

    assert sample_day(days) == sample_day(list(days))
    assert {sample_day(days[:length]) for length in range(1, 40)} <= set(days)
    assert len({sample_day(days[:length]) for length in range(1, 40)}) > 10
    assert sample_day([D]) == D
