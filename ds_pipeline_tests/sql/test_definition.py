"""What a column means changes with whatever can change its values, and with nothing else that names can tell apart."""

from __future__ import annotations

import pytest

from ds_pipeline.sql.definition import definition_of

SQL = """
with lines as (
    select customer, day, price * quantity as amount, quantity < 0 as is_refund
    from sales
    where day >= $scoring_at - interval 90 days
),
people as (
    select customer, sum(amount) as spend, min(day) as first_day, count(*) filter (where is_refund) as refunds
    from lines
    group by customer
)
select customer, spend, if(spend > 100, 'much', 'little') as band, refunds
from people
left join (select customer, max(region) as region from visits group by customer) as seen using (customer)
"""


def meant(sql: str, *columns: str) -> str:
    return definition_of(sql, ["customer", *(columns or ["band"])]).digest


def test_layout_comments_and_other_columns_are_no_change() -> None:
    commented = "-- of 90 days\n\n" + SQL.replace("from sales", "from sales  -- lines\n")
    without = SQL.replace(", refunds\n", "\n").replace(", count(*) filter (where is_refund) as refunds", "")

    assert meant(commented) == meant(SQL)
    assert meant(without) == meant(SQL)
    assert meant(without.replace(", quantity < 0 as is_refund", "")) == meant(SQL)
    assert meant(SQL.replace("spend,", "spend, spend / 2 as half, region,")) == meant(SQL)
    assert meant(without) != meant(SQL, "refunds")


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("> 100", "> 10"),
        ("90 days", "30 days"),
        ("price * quantity as amount", "price as amount"),
        ("sum(amount) as spend", "max(amount) as spend"),
        ("from sales", "from returns"),
        ("where day", "where quantity > 0 and day"),
        ("left join", "join"),
        ("using (customer)", "using (customer) where region is null"),
        ("from lines\n    group by customer", "from lines\n    group by customer having count(*) > 1"),
    ],
)
def test_what_can_change_its_values_is_a_change(part: str, other: str) -> None:
    assert SQL.count(part) == 1
    assert meant(SQL.replace(part, other)) != meant(SQL)


@pytest.mark.parametrize(
    ("sql", "part", "other"),
    [
        pytest.param(
            "with x as (select customer, d as band, {} from t) select customer, max(x)::text as band from x group by 1",
            "d", "e", id="a-row-as-a-whole",
        ),
        pytest.param(
            "with x(customer, band) as (select customer, {} as c from t) select * from x", "d", "e", id="names-of-a-cte"
        ),
        pytest.param(
            "with x as (select customer, {} as c from t) select customer, band from x as y(customer, band)",
            "d", "e", id="names-of-a-table",
        ),
        pytest.param("select customer, band from (select distinct customer, band, {} from t)", "d", "e", id="distinct"),
        pytest.param(
            "select customer, max(band) as band from (select customer, band, {} as d from t group by all) group by 1",
            "d", "max(d)", id="group-by-all",
        ),
        pytest.param(
            "select customer, count(*) as band from (select customer, {} as d from t) group by 1",
            "1", "unnest([1, 2])", id="rows-made-by-unnest",
        ),
        pytest.param(
            "select customer, n as band from u, (select count(*) as n from (select {} as d from t))", "d", "max(d)",
            id="one-row-made-by-an-aggregate",
        ),
        pytest.param(
            "select customer, band from t where d in (select * from (select {} as c from s))", "d", "e", id="in-a-set"
        ),
        pytest.param(
            "select customer, band from (select customer, band from t union all select * from (select {}, d from s))",
            "d", "e", id="by-its-place-in-a-union",
        ),
        pytest.param(
            "select customer, band from (select customer, band, {} as d from t order by 3 limit 5)",
            "e", "-e", id="by-place",
        ),
        pytest.param(
            "with x as (select customer, {} as c from t) select * rename (c as band) from x", "d", "e", id="renamed"
        ),
        pytest.param(
            "with x as (select customer, {} as band from t) select * from x", "d", "e", id="star"
        ),
        pytest.param(
            "select t.customer, band from t natural join (select {} as d from s)", "d", "e", id="natural-join"
        ),
    ],
)  # fmt: skip
def test_a_column_that_counts_without_its_name_counts(sql: str, part: str, other: str) -> None:
    assert meant(sql.format(part)) != meant(sql.format(other))
    assert meant(sql.format(part)) == meant("/* a comment */ " + sql.format(part))


def test_it_says_which_tables_and_columns_it_reads() -> None:
    definition = definition_of(SQL, ["customer", "band"])

    assert {"sales", "visits"} <= definition.tables
    assert definition.names is not None
    assert {"price", "quantity", "day", "customer"} <= definition.names
    assert "region" not in definition.names
    assert definition_of("select * exclude (a), struct_pack(*columns(*)) as b from t", ["b"]).names is None


def test_of_what_cannot_be_read_the_text_counts() -> None:
    assert definition_of("select from where", []) != definition_of("select  from where", [])
    assert definition_of("select 1; select 2", []).names is None
