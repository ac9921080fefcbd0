"""The answers of a user: read, completed by questions, or refused with the form that is expected."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ds_pipeline.errors import ConfigError
from ds_pipeline.starter.answers import Answers, Target, alias_of, read_columns, read_tables, read_target

REST: dict[str, Any] = {"data_class": "confidential"}
NOTHING: dict[str, Any] = {"tables": None, "entity": None, "target": None, "horizon_days": None}


@pytest.mark.parametrize(
    ("text", "target"),
    [
        pytest.param("event:orders", Target("event", "orders"), id="happens"),
        pytest.param("no-event:orders", Target("no-event", "orders"), id="does-not-happen"),
        pytest.param("state:plans.Status=on hold", Target("state", "plans", "Status", "on hold"), id="state"),
        pytest.param("date:plans.ended on", Target("date", "plans", "ended on"), id="date"),
        pytest.param("state:plans.a=b=c", Target("state", "plans", "a", "b=c"), id="value-with-equals"),
    ],
)
def test_a_target_is_one_of_four_kinds(text: str, target: Target) -> None:
    assert read_target(text, ["orders", "plans"]) == target


@pytest.mark.parametrize("text", ["orders", "event:", "event:visits", "state:plans.status", "never:orders", ""])
def test_another_target_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--target"):
        read_target(text, ["orders", "plans"])


def test_a_table_is_named_after_its_file_or_as_one_says() -> None:
    assert read_tables(["data/My Orders 2024.csv", "people=data/x.parquet"]) == {
        "my_orders_2024": "data/My Orders 2024.csv",
        "people": "data/x.parquet",
    }


@pytest.mark.parametrize("tables", [[], ["a=1.csv", "a=2.csv"], ["population=a.csv"], ["A B=a.csv"]])
def test_a_name_that_is_taken_or_unfit_is_refused(tables: list[str]) -> None:
    with pytest.raises(ConfigError, match="--table"):
        read_tables(tables)


def test_a_column_without_a_table_counts_for_every_other_table() -> None:
    assert read_columns("--entity", ["orders=cust", "id"], ["orders", "people"]) == {"orders": "cust", "people": "id"}


@pytest.mark.parametrize(
    ("text", "alias"),
    [("signedUpAt", "signed_up_at"), ("Größe (cm)", "grosse_cm"), ("2nd", "column_2nd"), ("%", "column")],
)
def test_an_alias_is_a_name_that_sql_reads(text: str, alias: str) -> None:
    assert alias_of(text) == alias


def test_what_no_flag_says_is_left_to_be_asked() -> None:
    made = Answers.complete(lambda question: question, name="x", **NOTHING, **REST)

    assert (made.tables, made.entity, made.target, made.horizon_days) == ([], [], "", 0)


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("first", date(2025, 8, 19), "--first: 2025-08-19 is a Tuesday; .* such as 2025-08-18 or 2025-08-25"),
        ("last", date(2025, 8, 20), "--last: 2025-08-20 is a Wednesday"),
        ("time_zone", "Europe/Nowhere", "^--time-zone: unknown time zone 'Europe/Nowhere'; expected a name"),
    ],
)
def test_a_flag_that_no_file_could_have_is_named_before_any_file_is(flag: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Answers.complete(None, name="x", **NOTHING, **REST, **{flag: value})


def test_where_nobody_can_be_asked_the_missing_flags_are_named() -> None:
    with pytest.raises(ConfigError, match="--table, --entity, --target: needed"):
        Answers.complete(None, name="x", **NOTHING, **REST)


def test_a_restricted_table_is_no_file() -> None:
    with pytest.raises(ConfigError, match="--data-class"):
        Answers.complete(None, name="x", **NOTHING, data_class="restricted")
