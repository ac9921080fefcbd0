"""The plan of a starter: what each table and column becomes, its weeks, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from ds_pipeline.errors import ConfigError
from ds_pipeline.starter.answers import Answers
from ds_pipeline.starter.plan import Plan

MakeAnswers = Callable[..., Answers]
MakePlan = Callable[..., Plan]
Write = Callable[[str, list[dict[str, Any]]], str]


def test_what_may_have_changed_since_sign_up_does_not_stay(plan: MakePlan, answers: MakeAnswers) -> None:
    customers = plan(answers()).register

    assert customers.is_state
    assert customers.column("loyalty_level").guess.treatment == "drop"
    assert customers.column("gender").guess.treatment == "categories"


@pytest.mark.parametrize("differs", [False, True], ids=["the-same-row", "another-value"])
def test_one_customer_twice_leaves_the_plan_as_it_is(
    tmp_path: Path, answers: MakeAnswers, plan: MakePlan, differs: bool
) -> None:
    """One row of sixty made the customers a table of events, and their attributes went without a word."""
    clean = plan(answers())
    path = tmp_path / "data" / "customers.csv"
    last = path.read_text().splitlines()[-1]
    path.write_text(
        path.read_text() + (last.replace("gold", "basic").replace("basic", "silver") if differs else last) + "\n"
    )

    made = plan(answers())

    (before, _), (customers, _) = clean.tables, made.tables
    assert (customers.kind, customers.is_state, customers.twice) == ("versions", True, 1)
    assert [one.guess.treatment for one in customers.columns] == [one.guess.treatment for one in before.columns]
    assert before.twice == 0
    # One or both of the two rows are set aside, of 61 that became known before the first date.
    assert customers.aside == (pytest.approx(before.aside + (0.04 if differs else 0.02)))


def test_groups_of_fewer_than_five_people_make_a_column_go(write: Write, plan: MakePlan) -> None:
    rows = [
        {"id": number, "country": "UK" if number > 7 else "IE", "gender": "f" if number % 2 else "m",
         "joined_at": datetime(2023, 1, 1) + timedelta(days=7 * number)}
        for number in range(100)
    ]  # fmt: skip
    table = plan(
        Answers("x", [write("people.csv", rows)], ["id"], "event:people", horizon_days=7, last=date(2024, 12, 2))
    )
    tables = [f"p={write('p.csv', rows)}", f"v={write('v.csv', rows)}"]
    once = plan(Answers("x", tables, ["id"], "event:v", horizon_days=7, last=date(2024, 12, 2)))

    assert table.tables[0].kind == "events"
    register = next(one for one in once.tables if one.name == "p")
    assert register.column("country").guess.treatment == "drop"  # four women and four men in Ireland
    assert register.column("gender").guess.treatment == "categories"
    assert register.k == 5


@pytest.mark.parametrize(
    ("today", "last"),
    [
        pytest.param(date(2025, 2, 19), None, id="live"),
        pytest.param(date(2026, 1, 1), date(2025, 2, 17), id="ended"),
    ],
)
def test_data_that_reach_into_the_present_week_are_live(
    answers: MakeAnswers, plan: MakePlan, today: date, last: date | None
) -> None:
    weeks = plan(answers(), today=today).weeks

    assert weeks.first == date(2024, 4, 1)  # 90 days after the first order, on a Monday already
    assert weeks.last == last


def test_data_too_short_for_the_horizon_are_refused_with_what_would_do(answers: MakeAnswers, plan: MakePlan) -> None:
    with pytest.raises(ConfigError, match="--horizon-days 300: the data span 59 weeks"):
        plan(answers(horizon_days=300))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"entity": ["user"]},
            "--entity customers=...: user cannot be used in customers; known: customer_id, full_name",
        ),
        (
            {"event_time": ["orders=amount"]},
            "--event-time orders=...: amount cannot be used in orders; known: ordered_at",
        ),
        ({"known_at": ["orders=x"]}, "--known-at orders=...: x cannot be used in orders; known: ordered_at"),
        (
            {"target": "state:orders.colour=red"},
            "--target state:orders....: colour cannot be used in orders; known: order_id, customer_id, ordered_at",
        ),
    ],
)
def test_a_column_that_is_not_there_is_answered_with_those_that_are(
    answers: MakeAnswers, plan: MakePlan, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        plan(answers(**changes))

    assert message in str(error.value)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("state:members.plan=gold", "no row of the sample has this value, among 2 different ones"),
        ("date:members.plan", "expected a date; the dates of members: joined_on, cancelled_on"),
        ("date:visits.at", "expected one row per customer, found 85.0 on average"),
        ("date:members.left_on", "left_on cannot be used in members; known: member_id"),
    ],
)
def test_a_target_that_the_file_cannot_say_is_refused(
    gym: list[str], plan: MakePlan, target: str, message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        plan(Answers("my_case", gym, ["member_id"], target))

    assert message in str(error.value)
    assert "gold" not in str(error.value)


def test_a_date_with_empty_cells_is_said_to_have_them(gym: list[str], plan: MakePlan) -> None:
    answers = Answers(
        "my_case", [*gym, f"gone={gym[0]}"], ["member_id"], "event:gone",
        event_time=["members=joined_on", "gone=cancelled_on"],
    )  # fmt: skip

    with pytest.raises(ConfigError, match=r"cancelled_on has empty cells.*--target date:gone\.cancelled_on"):
        plan(answers)


def test_a_column_that_no_type_holds_is_declared_to_go(tmp_path: Path, answers: MakeAnswers, plan: MakePlan) -> None:
    orders = csv.read_csv(tmp_path / "data" / "orders.csv")
    size = orders.num_rows
    odd = {"lines": pa.array([[{"sku": "x"}]] * size), "session": pa.array([bytes(16)] * size, pa.binary(16))}
    pq.write_table(
        pa.table({name: orders[name] for name in orders.column_names} | odd), tmp_path / "data" / "o.parquet"
    )

    made = plan(answers(tables=["data/customers.csv", "orders=data/o.parquet"]))

    columns = {one.source: (one.type, one.nullable, one.guess.treatment) for one in made.tables[1].columns}
    assert columns["lines"] == columns["session"] == ("string", True, "drop")


def test_a_column_of_epoch_numbers_is_named_with_the_way_out(write: Write, plan: MakePlan) -> None:
    rows = [{"member_id": n, "seen_at": 1704067200 + 86400 * n} for n in range(40)]

    with pytest.raises(
        ConfigError, match=r"--event-time seen=\.\.\.: .*seen_at: a time\? it looks like seconds since 1970"
    ):
        plan(Answers("x", [write("seen.csv", rows)], ["member_id"], "no-event:seen"))


def test_a_file_without_a_header_row_is_refused_without_a_cell(tmp_path: Path, plan: MakePlan) -> None:
    (tmp_path / "o.csv").write_text("Ada Lovelace,ada@example.org,2024-01-01,12.50\n" * 3)

    with pytest.raises(ConfigError) as error:
        plan(Answers("x", ["orders=o.csv"], ["customer_id"], "no-event:orders"))

    assert "is there a header row?" in str(error.value)
    assert not any(cell in str(error.value) for cell in ("Ada", "ada@", "2024", "12.50"))


def test_a_first_date_that_leaves_too_few_weeks_is_what_the_message_blames(
    answers: MakeAnswers, plan: MakePlan
) -> None:
    """It said that 59 weeks are there and 26 are needed."""
    with pytest.raises(ConfigError, match=r"--first 2030-05-06: .* there are 0 weeks"):
        plan(answers(first=date(2030, 5, 6)))
