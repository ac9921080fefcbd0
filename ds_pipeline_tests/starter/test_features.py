"""The features a starter proposes: their names, SQL and limits, and the one that serves as the naive rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from ds_pipeline.sql import sandbox
from ds_pipeline.starter.answers import Answers, Target
from ds_pipeline.starter.features import StarterFeature, baseline_of, features_of, sql_name
from ds_pipeline.starter.naming import ShownNames
from ds_pipeline.starter.pii import Guess
from ds_pipeline.starter.plan import ColumnPlan, Plan, TablePlan, Weeks
from ds_pipeline.starter.profile import ColumnProfile, TimeSpan

SCORING_AT = datetime(2024, 6, 3, tzinfo=UTC)
KEPT, DROPPED = Guess("no", "keep", "made up"), Guess("direct", "drop", "made up")
GENDER = Guess("sensitive", "categories", "made up", categories=("f", "m"))
WEEKS = Weeks(date(2024, 4, 1), None, window_days=90, short_days=30, settle_days=0, holdout=8, validation=4)


def column(alias: str, kind: str, guess: Guess = KEPT, *, lowest: float = 0, highest: float = 0) -> ColumnPlan:
    profile = ColumnProfile(
        kind, name=alias, rows=10, nulls=0, distinct=10, sample=(), shares={}, lowest=lowest, highest=highest
    )
    return ColumnPlan(alias, alias, kind, None, True, guess, alias.replace("_", " "), profile)


def table(name: str, kind: str, event_time: str, *columns: ColumnPlan, once: bool = False) -> TablePlan:
    return TablePlan(
        name=name, path=f"data/{name}.csv", format="csv", delimiter=",", encoding="utf-8", kind=kind,
        event_time=event_time, known_at=event_time, key=[], entity=[], is_state=False, once=once, replayable=True,
        silent_weeks=False, k=None, columns=list(columns), shown=ShownNames({}, False, False),
        span=TimeSpan(datetime(2024, 1, 1), datetime(2025, 1, 1), False), delay_days=0, nobody=0, twice=0, aside=0.05,
        early=0.01,
    )  # fmt: skip


ORDERS = table("orders", "events", "ordered_at", column("amount", "decimal", highest=69.5), column("mail", "string"))
CUSTOMERS = table(
    "customers", "versions", "signed_up_at",
    column("full_name", "string", DROPPED), column("gender", "string", GENDER), column("plan", "string"),
    column("balance", "double", lowest=-20, highest=900), column("is_member", "boolean"),
)  # fmt: skip


def planned(target: str = "no-event", *tables: TablePlan) -> Plan:
    answers = Answers("x", [], ["customer_id"], f"{target}:orders")
    used = list(tables or (CUSTOMERS, ORDERS))
    return Plan(answers, Target(target, "orders"), "customer_token", used, WEEKS, date(2025, 6, 2), None)


@pytest.fixture
def made() -> dict[str, list[StarterFeature]]:
    return features_of(planned())


def named(features: list[StarterFeature]) -> dict[str, StarterFeature]:
    return {feature.name: feature for feature in features}


def test_events_become_recency_frequency_and_amounts_in_two_windows(made: dict[str, list[StarterFeature]]) -> None:
    orders = named(made["orders"])

    assert list(orders) == [
        "days_since_last_orders_90d", "days_since_first_orders_90d", "orders_30d", "orders_active_days_30d",
        "orders_90d", "orders_active_days_90d", "orders_amount_sum_30d", "orders_amount_sum_90d",
    ]  # fmt: skip
    recency, amount = orders["days_since_last_orders_90d"], orders["orders_amount_sum_30d"]
    assert (recency.dtype, recency.nullable, recency.minimum, recency.maximum) == ("int64", False, 0, 92)
    # The highest amount is 69.50: a hundred, and five more noughts.
    assert (amount.dtype, amount.minimum, amount.maximum) == ("float64", 0, 10_000_000.0)


def test_versions_become_tenure_and_what_stays_of_the_customer(made: dict[str, list[StarterFeature]]) -> None:
    customers = named(made["customers"])

    assert [(name, one.dtype, one.role) for name, one in customers.items()] == [
        ("days_since_signed_up_at_90d", "int64", "input"), ("gender", "string", "protected"),
        ("plan", "string", "slice"), ("balance", "float64", "input"), ("is_member", "bool", "input"),
    ]  # fmt: skip
    assert customers["gender"].categories == ("f", "m", "other")
    assert (customers["balance"].minimum, customers["balance"].maximum) == (-1e8, 1e8)
    assert all(one.nullable for one in customers.values())


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param([], (92, 0, 0, 0, 0.0, 0.0), id="none"),
        pytest.param([1, 1, 40], (1, 40, 2, 3, 2.0, 42.0), id="in-both-windows"),
        pytest.param([30, 31], (30, 31, 1, 2, 30.0, 61.0), id="at-the-edge-of-the-short-one"),
    ],
)
def test_the_sql_of_events_gives_the_figures_counted_by_hand(
    made: dict[str, list[StarterFeature]], days: list[int], expected: tuple[float, ...]
) -> None:
    """Each order's amount is its age in days, so that sums can be counted by hand."""
    features = named(made["orders"])
    wanted = [
        "days_since_last_orders_90d", "days_since_first_orders_90d", "orders_30d", "orders_90d",
        "orders_amount_sum_30d", "orders_amount_sum_90d",
    ]  # fmt: skip
    rows = pa.table(
        {
            ORDERS.days_ago: pa.array(days, pa.int64()),
            "ordered_at": pa.array([SCORING_AT - timedelta(days=day) for day in days], pa.timestamp("us", tz="UTC")),
            "amount": pa.array([float(day) for day in days], pa.float64()),
        }
    )

    with sandbox.connect("UTC") as connection:
        sandbox.create_table(connection, "orders", rows)
        columns = ", ".join(features[name].sql for name in wanted)
        found = connection.execute(f"SELECT {columns} FROM orders").fetchall()

    assert found == [expected]


def test_tenure_is_counted_in_days_and_capped() -> None:
    (tenure,) = features_of(planned("no-event", table("members", "versions", "since"), ORDERS))["members"]
    since = [SCORING_AT + timedelta(days=days) for days in (-1, -89, -500, 2)]

    with sandbox.connect("UTC") as connection:
        sandbox.create_table(connection, "members", pa.table({"since": pa.array(since, pa.timestamp("us", tz="UTC"))}))
        sql = tenure.sql.replace("$scoring_at", f"TIMESTAMPTZ '{SCORING_AT:%Y-%m-%d %H:%M:%S+00}'")
        found = connection.execute(f"SELECT {sql} FROM members").fetchall()

    assert [value for (value,) in found] == [1, 89, 90, 0]


def test_a_second_table_with_a_column_of_the_same_name_makes_no_second_feature() -> None:
    club = table("club", "versions", "joined_at", column("plan", "string"))

    made = features_of(planned("no-event", CUSTOMERS, club, ORDERS))

    assert [feature.name for feature in made["club"]] == ["days_since_joined_at_90d"]
    assert "plan" in named(made["customers"])


def test_no_feature_has_the_name_of_an_identifier() -> None:
    made = features_of(planned("no-event", table("email", "events", "at", column("phone_minutes", "integer"))))

    assert [name for name in named(made["email"]) if "rows" in name or "minutes" in name] == list(named(made["email"]))
    assert not [name for name in named(made["email"]) if "email" in name or "phone" in name]


def test_only_the_first_five_amounts_of_a_table_are_summed() -> None:
    amounts = [column(f"amount_{number}", "integer") for number in range(7)]

    made = features_of(planned("no-event", table("orders", "events", "at", *amounts)))

    assert len([name for name in named(made["orders"]) if "_sum_" in name]) == 2 * 5


def test_a_table_that_nobody_in_scope_is_in_makes_no_feature() -> None:
    assert list(features_of(planned("event", CUSTOMERS, replace(ORDERS, once=True)))) == ["customers"]


@pytest.mark.parametrize(("target", "stays_away"), [("no-event", True), ("event", False)])
def test_the_rule_is_the_recency_of_the_target_and_its_direction_that_of_the_target(
    target: str, stays_away: bool
) -> None:
    plan = planned(target, table("visits", "events", "at"), CUSTOMERS, ORDERS)

    assert baseline_of(plan, features_of(plan)) == ("days_since_last_orders_90d", stays_away)


def test_without_a_recency_any_number_is_the_rule_and_without_a_number_there_is_none() -> None:
    made = features_of(planned("no-event", CUSTOMERS, ORDERS))["customers"]

    assert baseline_of(planned(), {"customers": made}) == ("days_since_signed_up_at_90d", True)
    assert baseline_of(planned(), {"customers": [one for one in made if one.dtype in ("bool", "string")]}) is None
    assert baseline_of(planned(), {}) is None


@pytest.mark.parametrize(
    ("name", "written"),
    [
        pytest.param("amount", "amount", id="plain"),
        pytest.param("order", '"order"', id="a-word-of-sql"),
        pytest.param("2nd", '"2nd"', id="begins-with-a-digit"),
        pytest.param('a"b', '"a""b"', id="a-quote"),
        pytest.param("future.order", 'future."order"', id="in-a-schema"),
    ],
)
def test_a_name_is_in_quotes_where_sql_would_read_it_otherwise(name: str, written: str) -> None:
    assert sql_name(name) == written
