"""An input that is made of tokens is refused, however it is written; what groups, joins and counts by them passes."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ds_pipeline.errors import FeatureError
from ds_pipeline.features.build import build_features
from ds_pipeline.features.renamed import _is_same, require_blind_to_tokens
from ds_pipeline.store.asof import AsOfTables, in_order
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.sql import masked_schema
from ds_pipeline_tests.conftest import SOURCES

D = date(2011, 3, 7)
DAYS = [D, date(2011, 3, 14), date(2011, 3, 21)]
EARLY = datetime(2011, 3, 1, tzinfo=UTC)
PEOPLE = [f"{letter}{'abcdefghijklmnop' * 2}"[:32] for letter in "abcdefghijklmnop"]  # tokens, in their order
MakeShop = Callable[..., UseCase]


def require_blind(
    make_shop: MakeShop, sql: str, *, population: str | None = None, **others: dict[str, Any]
) -> pa.Table:
    """Try a feature x, and others, over two visits of each of 16 people, the second at the same moment for all."""
    tables = deepcopy(SOURCES)
    tables["visits"]["columns"]["visit_token"] = {
        "type": "string", "nullable": False, "identifies": "direct", "treatment": "token", "alias": "visit_token",
        "token_domain": "visit", "meaning": "made up",
    }  # fmt: skip
    x = {"dtype": "float64", "unit": "x", "nullable": True, "role": "input", "minimum": -1e20, "maximum": 1e20}
    asked = {"population_sql": population} if population else {}
    shop = make_shop(tables=tables, features={"x": x} | others, feature_sql={"features/x.sql": sql}, **asked)
    visits = [
        {"customer_token": token, "spend_gbp": spend, "visited_at": at, "known_at": at, "visit_token": PEOPLE[visit]}
        for place, token in enumerate(PEOPLE)
        for spend, at, visit in (
            (place, EARLY + timedelta(minutes=place), -place),
            (place % 3, EARLY + timedelta(hours=1), 7 * place % 16),
        )
    ]

    def read_week(name: str, day: date) -> pa.Table:
        rows = visits if name == "visits" and day == D else []
        table = shop.sources.tables[name]
        return in_order(pa.Table.from_pylist(rows, schema=masked_schema(table)), table)

    with AsOfTables(shop, read_week) as weeks:
        made = {day: build_features(weeks, day) for day in DAYS}
    require_blind_to_tokens(shop, lambda name, day, _: read_week(name, day), made)
    return made[D]


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("select customer_token, hash(customer_token)::double as x from visits group by all", id="hash"),
        pytest.param(
            "select customer_token, (hash(customer_token) % 2)::double as x from visits group by all", id="bit"
        ),
        pytest.param(
            """with renamed as (select customer_token as t, spend_gbp from visits),
                again as (select t as u, substr(t, 1, 1) as part, sum(spend_gbp) as s from renamed group by all)
            select u as customer_token, (s + ascii(part))::double as x from again""",
            id="behind-aliases-in-ctes",
        ),
        pytest.param(
            """select customer_token, any_value(row_number)::double as x from (
                select *, dense_rank() over (order by customer_token) as row_number from visits) group by all""",
            id="place-in-their-order",
        ),
        pytest.param(
            f"""select customer_token, max(case when customer_token in ('{PEOPLE[1]}', '{PEOPLE[7]}') then 1 else 0 end)
                ::double as x from visits group by all""",
            id="list-of-people",
        ),
        pytest.param(
            "select customer_token, (select count(*) from population q where q.customer_token < p.customer_token)"
            "::double as x from population p",
            id="compared-in-the-population",
        ),
        pytest.param(
            "select customer_token, max(hash(visit_token))::double as x from visits group by all", id="another-token"
        ),
        pytest.param(
            "select customer_token, max(ascii(right(visit_token, 1)))::double as x from visits group by all",
            id="end-of-another-token",
        ),
        pytest.param(
            """select customer_token, ascii(substr(max(visit_token), length(max(visit_token)) // 2 + 1, 1))::double
                as x from visits group by all""",
            id="middle-of-another-token",
        ),
        pytest.param(
            """select customer_token, max(place)::double as x from (
                select *, percent_rank() over (order by visit_token) as place from visits) group by all""",
            id="order-of-another-token",
        ),
        pytest.param(
            """select customer_token, arg_max(spend_gbp, (known_at::date, visit_token))::double as x
                from visits group by all""",
            id="another-token-breaks-a-tie",
        ),
        pytest.param(
            """select customer_token, max(place)::double as x from (
                select *, row_number() over () as place from visits) group by all""",
            id="place-of-the-row",
        ),
    ],
)
def test_an_input_made_of_tokens_is_refused(make_shop: MakeShop, sql: str) -> None:
    """The plain token was refused as an input; a hash of it, which remembers people as well, was not."""
    with pytest.raises(FeatureError, match=r"features at 2011-03-07: .* other values: x\. A hash, a part") as error:
        require_blind(make_shop, sql)

    assert not any(token in str(error.value) for token in PEOPLE)


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("select customer_token, count(*)::double as x from visits group by all", id="group"),
        pytest.param(
            "select customer_token, count(distinct visit_token)::double as x from visits group by 1", id="count"
        ),
        pytest.param(
            """select p.customer_token, sum(spend_gbp)::double as x from population p
                left join visits v on v.customer_token = p.customer_token group by all""",
            id="join",
        ),
        pytest.param(
            """select customer_token, max(spend_gbp - avg)::double as x from (select *, avg(spend_gbp) over
                (partition by customer_token) as avg from visits) group by all""",
            id="partition",
        ),
        pytest.param(
            """select customer_token, (sum(spend_gbp)::double / 3 - avg(sum(spend_gbp)::double / 3) over ()) as x
                from visits group by all""",
            id="share-of-all-people",
        ),
        pytest.param(
            "select customer_token, length(customer_token)::double as x from visits group by all", id="length"
        ),
    ],
)
def test_tokens_may_group_join_and_count(make_shop: MakeShop, sql: str) -> None:
    require_blind(make_shop, sql)


def test_a_population_may_be_a_sample_of_people_by_their_tokens(make_shop: MakeShop) -> None:
    sampled = "select distinct customer_token from visits where ascii(customer_token) % 2 = 0"

    require_blind(make_shop, "select customer_token, 1.0 as x from population", population=sampled)


def test_what_the_model_does_not_see_may_divide_people_by_their_tokens(make_shop: MakeShop) -> None:
    sql = "select customer_token, 1.0 as x, (hash(customer_token) % 2)::varchar as half from visits group by all"

    half = {"dtype": "string", "unit": "category", "nullable": True, "role": "slice", "categories": ["0", "1"]}
    require_blind(make_shop, sql, half=half)
    with pytest.raises(FeatureError, match="other values: half"):  # groups at random differ in nothing
        require_blind(make_shop, sql, half=half | {"role": "protected"})


@pytest.mark.parametrize(
    "far", ["1.0::double + (hash(customer_token) % 1000)::double * 1e-13", "1e9 + ascii(customer_token) % 2"]
)
def test_what_tells_people_apart_below_the_digits_that_are_compared_is_not_in_a_feature(
    make_shop: MakeShop, far: str
) -> None:
    """A tree tells doubles apart that differ by a millionth of what the comparison let pass."""
    made = require_blind(make_shop, f"select customer_token, {far} as x from population")

    assert pc.count_distinct(made["x"]).as_py() == 1


def test_a_token_on_any_day_is_refused(make_shop: MakeShop) -> None:
    """The newest and the replayed day were tried, which anyone can work out beforehand."""
    sql = """select customer_token, case when $scoring_at::date = '{}' then hash(customer_token) % 9 else 1 end
        ::double as x from population"""
    for day in DAYS:
        with pytest.raises(FeatureError, match=f"features at {day}"):
            require_blind(make_shop, sql.format(day))


def test_a_sum_over_people_may_end_in_the_neighbour_of_what_it_was_in_few_rows() -> None:
    exact = pa.chunked_array([[1.5, None, *[2.0] * 2998]])

    def with_first(value: float, *, rows: int = 1) -> pa.ChunkedArray:
        return pa.chunked_array([[value] * rows + exact.to_pylist()[rows:]])

    assert _is_same(exact, exact)
    assert _is_same(exact, with_first(1.50000001))
    assert not _is_same(exact, with_first(1.5000001))
    assert not _is_same(exact, with_first(float("nan")))
    twos = pa.chunked_array([[2.0] * 3000])
    assert _is_same(twos, pa.chunked_array([[2.00000001] * 3 + [2.0] * 2997]))
    assert not _is_same(twos, pa.chunked_array([[2.00000001] * 4 + [2.0] * 2996]))
