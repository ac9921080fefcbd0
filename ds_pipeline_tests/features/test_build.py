"""Features of a date: one row per member, in one order, with the same bytes whichever way the weeks are built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline.errors import FeatureError
from ds_pipeline.features.build import build_features, features_schema, rounded
from ds_pipeline.store.asof import AsOfTables, ReadWeek
from ds_pipeline.store.snapshots import encode
from ds_pipeline.use_case.load import UseCase

D = date(2011, 3, 7)
EARLY = datetime(2011, 3, 1, tzinfo=UTC)
Weeks = Callable[..., ReadWeek]
MakeShop = Callable[..., UseCase]


def visit(token: str, at: datetime = EARLY) -> tuple[str, Any, datetime, datetime]:
    return token, 1, at, at


def build(use_case: UseCase, read_week: ReadWeek, day: date = D) -> pa.Table:
    with AsOfTables(use_case, read_week) as tables:
        return build_features(tables, day)


def test_each_member_gets_one_row_sorted_and_nulls_where_a_query_has_none(shop: UseCase, weeks_of: Weeks) -> None:
    visits = [visit("b"), visit("a"), visit("b")]
    plans = [("b", "gold", EARLY, EARLY), ("stranger", "gold", EARLY, EARLY)]

    made = build(shop, weeks_of(visits, plans))

    assert made.schema == features_schema(shop)
    assert made.to_pylist() == [
        {"scoring_date": D, "customer_token": "a", "visits_seen": 1, "plan": None},
        {"scoring_date": D, "customer_token": "b", "visits_seen": 2, "plan": "gold"},
    ]


def test_every_declared_type_comes_as_declared(make_shop: MakeShop, weeks_of: Weeks) -> None:
    number = {"unit": "x", "nullable": True, "role": "input", "minimum": 0, "maximum": 9}
    use_case = make_shop(
        features={
            "total": number | {"dtype": "int64"},
            "share": number | {"dtype": "float64"},
            "is_new": {"dtype": "bool", "unit": "flag", "nullable": True, "role": "input"},
        },
        feature_sql={
            "features/x.sql": """select customer_token, sum(1) as total, 0.5 as share, true as is_new
                from visits group by 1"""
        },
    )

    made = build(use_case, weeks_of([visit("a")]))

    assert made.to_pylist() == [{"scoring_date": D, "customer_token": "a", "total": 1, "share": 0.5, "is_new": True}]


def test_nobody_in_scope_is_an_error(shop: UseCase, weeks_of: Weeks) -> None:
    with pytest.raises(FeatureError, match=r"population\.sql: nobody is in scope at 2011-03-07"):
        build(shop, weeks_of([]))


def test_nobody_may_be_in_scope_where_weeks_may_be_silent(shop: UseCase, weeks_of: Weeks) -> None:
    visits = shop.sources.tables["visits"].model_copy(update={"allow_silent_weeks": True})
    sources = shop.sources.model_copy(update={"tables": shop.sources.tables | {"visits": visits}})

    made = build(replace(shop, sources=sources), weeks_of([]))

    assert (made.num_rows, made.schema) == (0, features_schema(shop))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"population_sql": "select customer_token from visits"},
            r"population\.sql at 2011-03-07: expected one row per customer_token, found 1 repeated",
            id="population",
        ),
        pytest.param(
            {"feature_sql": {"features/x.sql": "select customer_token, 1 as visits_seen, 'gold' as plan from visits"}},
            r"features/x\.sql at 2011-03-07: expected one row per customer_token, found 1 repeated",
            id="feature",
        ),
        pytest.param(
            {"population_sql": "select nullif(customer_token, 'a') as customer_token from visits group by all"},
            r"population\.sql at 2011-03-07: 1 rows have no customer_token",
            id="null",
        ),
    ],
)
def test_an_entity_that_is_there_twice_or_missing_is_an_error(
    make_shop: MakeShop, weeks_of: Weeks, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(FeatureError, match=message):
        build(make_shop(**changes), weeks_of([visit("a"), visit("a"), visit("b")]))


def test_the_bytes_are_the_same_whichever_way_the_weeks_are_built(make_shop: MakeShop, weeks_of: Weeks) -> None:
    """One connection over all weeks, one per week, and rows of a partition in another order where sums are exact."""
    use_case = make_shop(
        features={
            "spend": {
                "dtype": "float64",
                "unit": "GBP",
                "nullable": False,
                "role": "input",
                "minimum": 0,
                "maximum": 9e9,
            }
        },
        feature_sql={"features/x.sql": "select customer_token, sum(spend_gbp) as spend from visits group by all"},
    )
    visits = [(f"t{n % 7}", n % 100, EARLY + timedelta(hours=n), EARLY + timedelta(hours=n)) for n in range(600)]
    days = use_case.clock.dates_until(date(2011, 3, 28))

    with AsOfTables(use_case, weeks_of(visits)) as tables:
        together = [encode(build_features(tables, day)) for day in days]

    assert together == [encode(build(use_case, weeks_of(visits), day)) for day in days]
    assert together == [encode(build(use_case, weeks_of(visits[::-1]), day)) for day in days]


def test_floats_have_nine_significant_digits_and_what_has_fewer_stays_as_it_is() -> None:
    kept = [0.0, 0.1, -12.34, 1234567.89, 1e15, 1e-12, 100000000.5 - 0.5, None, float("inf")]
    assert rounded(pa.chunked_array([kept])).to_pylist() == kept
    cut = [0.1 + 0.2, 2 / 3, -1234567.8949, 98765432109.0, 9.9999999999, 1 + 1e-13]
    assert rounded(pa.chunked_array([cut])).to_pylist() == [0.3, 0.666666667, -1234567.89, 98765432100.0, 10.0, 1.0]
