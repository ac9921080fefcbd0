"""The folder that is written: valid for each kind of target, marked for review, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline import sandbox
from ds_pipeline.errors import ConfigError
from ds_pipeline.starter.answers import Answers
from ds_pipeline.starter.plan import Plan
from ds_pipeline.starter.write import render, reviews, write_starter
from ds_pipeline.use_case.load import UseCase

MakeAnswers = Callable[..., Answers]
SCHEMA = pa.schema(
    [("customer_token", pa.string()), ("status", pa.string()), ("changed_at", pa.timestamp("us", tz="UTC"))]
)
MakePlan = Callable[..., Plan]
Write = Callable[[str, list[dict[str, Any]]], str]


def test_two_files_become_a_valid_use_case(tmp_path: Path, answers: MakeAnswers, plan: MakePlan) -> None:
    made = write_starter(plan(answers()), tmp_path / "configs")

    customers, orders = made.sources.tables["customers"], made.sources.tables["orders"]
    assert (customers.kind, customers.event_time, customers.entity) == ("versions", "signed_up_at", ["customer_token"])
    assert (orders.kind, orders.event_time, orders.known_at, orders.key) == (
        "events", "ordered_at", "ordered_at", ["order_token"],
    )  # fmt: skip
    assert {table.data_class for table in made.sources.tables.values()} == {"confidential"}
    assert customers.columns["full_name"].treatment == "drop"
    assert "customer_id" in made.contract.columns
    assert made.requirements.baseline.feature == "days_since_last_orders_90d"
    assert made.requirements.baseline.higher_means_more_likely
    assert (tmp_path / "configs" / "my_case" / "sources.yaml").read_text().count("# review:") >= 10


def test_what_may_have_changed_since_sign_up_does_not_stay(plan: MakePlan, answers: MakeAnswers) -> None:
    customers = plan(answers()).register

    assert customers.is_state
    assert customers.column("loyalty_level").guess.treatment == "drop"
    assert customers.column("gender").guess.treatment == "categories"


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


@pytest.mark.parametrize("kind", ["event", "no-event"])
def test_an_event_that_happens_and_one_that_does_not_differ_in_the_label(
    tmp_path: Path, answers: MakeAnswers, plan: MakePlan, kind: str
) -> None:
    made = write_starter(plan(answers(target=f"{kind}:orders")), tmp_path / "configs")

    assert f"(count(f.ordered_at) {'> 0' if kind == 'event' else '= 0'})::int" in made.label_sql
    assert made.requirements.baseline.higher_means_more_likely is (kind == "no-event")


def test_whoever_has_had_a_single_event_already_is_out_of_scope(
    tmp_path: Path, shop: list[str], write: Write, plan: MakePlan
) -> None:
    ends = [{"customer_id": 1000 + n, "ended_at": datetime(2024, 3, 1) + timedelta(days=8 * n)} for n in range(40)]
    tables = [*shop, write("endings.csv", ends)]

    made = write_starter(plan(Answers("my_case", tables, ["customer_id"], "event:endings")), tmp_path / "configs")

    assert "not in (select customer_token from endings)" in made.population_sql
    assert "from orders" in made.population_sql


def test_a_state_at_the_end_of_the_horizon_needs_no_event(
    tmp_path: Path, shop: list[str], write: Write, plan: MakePlan
) -> None:
    rows = [
        {"customer_id": 1000 + n, "status": "it's over" if turn % 3 == 2 else "active",
         "changed_at": datetime(2024, 1, 1) + timedelta(days=n + 30 * turn)}
        for n in range(60) for turn in range(13)
    ]  # fmt: skip
    tables = [shop[1], write("plans.csv", rows)]
    answers = Answers("my_case", tables, ["customer_id"], "state:plans.status=it's over")

    made = write_starter(plan(answers), tmp_path / "configs")

    assert made.sources.tables["plans"].kind == "versions"
    assert made.sources.tables["plans"].columns["status"].treatment == "keep"
    assert "status is distinct from 'it''s over'" in made.population_sql
    assert "is not distinct from 'it''s over'" in made.label_sql


def labels_of(made: UseCase, before: list[tuple], after: list[tuple]) -> dict[str, int]:
    """The labels of everyone in `before` by label.sql, from rows (customer, status, day) of the table plans."""

    def rows(given: list[tuple]) -> pa.Table:
        names = ["customer_token", "status", "changed_at"]
        return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in given], schema=SCHEMA)

    with sandbox.connect("UTC") as connection:
        connection.execute("CREATE SCHEMA future")
        sandbox.create_table(connection, "plans", rows(before))
        sandbox.create_table(connection, "future.plans", rows(after))
        sandbox.create_table(connection, "population", rows(before).select(["customer_token"]))
        found = sandbox.run_select(
            connection, made.label_sql, where="label.sql", scoring_at=datetime(2024, 6, 3, tzinfo=UTC)
        )
    return dict(zip(found["customer_token"].to_pylist(), found["label"].to_pylist(), strict=True))


def test_the_state_at_the_end_is_the_newest_within_the_horizon_or_else_the_one_before(
    tmp_path: Path, shop: list[str], write: Write, plan: MakePlan
) -> None:
    rows = [
        {"customer_id": 1000 + n, "status": "off" if turn % 3 == 2 else "on",
         "changed_at": datetime(2024, 1, 1) + timedelta(days=n + 30 * turn)}
        for n in range(60) for turn in range(13)
    ]  # fmt: skip
    answers = Answers("my_case", [shop[1], write("plans.csv", rows)], ["customer_id"], "state:plans.status=off")
    made = write_starter(plan(answers), tmp_path / "configs")
    first, second = datetime(2024, 6, 5, tzinfo=UTC), datetime(2024, 6, 9, tzinfo=UTC)
    before = [(name, "on", datetime(2024, 5, 1, tzinfo=UTC)) for name in ("stays", "leaves", "returns", "unknown")]
    before.append(("was_off", "off", datetime(2024, 5, 1, tzinfo=UTC)))
    after = [
        ("leaves", "off", first), ("returns", "off", first), ("returns", "on", second), ("unknown", "off", first),
        ("unknown", None, second),
    ]  # fmt: skip

    assert labels_of(made, before, after) == {"stays": 0, "leaves": 1, "returns": 0, "unknown": 0, "was_off": 1}


def test_words_of_sql_and_names_like_identifiers_are_no_trouble(tmp_path: Path, write: Write, plan: MakePlan) -> None:
    rows = [
        {"Kunden-Nr": f"K{n:03d}", "order": turn, "Group": "on",
         "at": datetime(2024, 1, 1) + timedelta(days=n % 9 + 9 * turn)}
        for n in range(50) for turn in range(46)
    ]  # fmt: skip
    answers = Answers("my_case", [f"card_mail={write('x.csv', rows)}"], ["Kunden-Nr"], "no-event:card_mail")

    made = write_starter(plan(answers), tmp_path / "configs")

    assert made.problem.entity == "kunden_token"
    assert made.features.of_role("input")


def test_a_folder_that_is_there_is_never_overwritten(tmp_path: Path, answers: MakeAnswers, plan: MakePlan) -> None:
    made = plan(answers())
    write_starter(made, tmp_path / "configs")
    before = {path: path.read_bytes() for path in (tmp_path / "configs").rglob("*") if path.is_file()}

    with pytest.raises(ConfigError, match="never overwritten"):
        write_starter(made, tmp_path / "configs")

    assert {path: path.read_bytes() for path in (tmp_path / "configs").rglob("*") if path.is_file()} == before


def test_files_that_would_not_be_valid_are_not_written(tmp_path: Path, answers: MakeAnswers, plan: MakePlan) -> None:
    made = plan(answers(time_zone="Europe/Nowhere"))

    with pytest.raises(ConfigError, match="Europe/Nowhere"):
        write_starter(made, tmp_path / "configs")

    assert list((tmp_path / "configs").iterdir()) == []


def test_no_value_of_an_identifier_gets_into_a_file_or_a_message(answers: MakeAnswers, plan: MakePlan) -> None:
    made = plan(answers())
    texts = [*render(made).values(), *reviews(made)]

    assert not any(secret in text for text in texts for secret in ("Ada", "Person", "1007", "1950-01", "O-001"))


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
