"""The folder that is written: valid for each kind of target, marked for review, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline.errors import ConfigError
from ds_pipeline.sql import sandbox
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
    assert "lower(trim(status)) is distinct from 'it''s over'" in made.population_sql
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
    before.append(("was_off", "OFF", datetime(2024, 5, 1, tzinfo=UTC)))
    after = [
        ("leaves", "Off ", first), ("returns", "off", first), ("returns", "on", second), ("unknown", "off", first),
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


def test_a_date_of_the_customer_is_label_and_population_and_no_feature(
    tmp_path: Path, gym: list[str], plan: MakePlan
) -> None:
    planned = plan(Answers("my_case", gym, ["member_id"], "date:members.cancelled_on"))
    made = write_starter(planned, tmp_path / "configs")

    members = made.sources.tables["members"]
    assert (members.kind, members.replayable, members.columns["cancelled_on"].treatment) == ("versions", False, "keep")
    assert not [name for name in made.features.features if "cancel" in name]
    assert not any("cancelled_on" in sql for sql in made.feature_sql.values())
    assert made.problem.title == "Cancelled on within 30 days"
    assert made.requirements.baseline.feature == "days_since_last_visits_90d"
    assert made.requirements.baseline.higher_means_more_likely


def test_the_label_of_a_date_is_its_coming_within_the_horizon(tmp_path: Path, gym: list[str], plan: MakePlan) -> None:
    made = write_starter(
        plan(Answers("my_case", gym, ["member_id"], "date:members.cancelled_on")), tmp_path / "configs"
    )
    days = {"before": date(2024, 6, 2), "same": date(2024, 6, 3), "last": date(2024, 7, 2), "after": date(2024, 7, 3)}
    members = pa.table({"member_token": [*days, "never"], "cancelled_on": [*days.values(), None]})

    with sandbox.connect("UTC") as connection:
        sandbox.create_table(connection, "members", members)
        at = datetime(2024, 6, 3, tzinfo=UTC)
        scope = sandbox.run_select(connection, made.population_sql, where="population.sql", scoring_at=at)
        sandbox.create_table(connection, "population", scope)
        found = sandbox.run_select(connection, made.label_sql, where="label.sql", scoring_at=at)

    labels = dict(zip(found["member_token"].to_pylist(), found["label"].to_pylist(), strict=True))
    assert labels == {"same": 1, "last": 1, "after": 0, "never": 0}


def test_what_a_member_is_today_goes_a_guessed_category_and_a_text_as_well(gym: list[str], plan: MakePlan) -> None:
    made = plan(Answers("my_case", gym, ["member_id"], "no-event:visits"))

    treatments = {one.source: one.guess.treatment for one in made.register.columns}
    assert (treatments["plan"], treatments["remarks"], treatments["gender"]) == ("drop", "drop", "categories")
    assert not any("0664" in text for text in [*render(made).values(), *reviews(made)])


def test_a_table_that_nobody_in_scope_is_in_gives_no_feature_and_no_baseline(
    tmp_path: Path, shop: list[str], write: Write, plan: MakePlan
) -> None:
    """The naive rule was the recency of cancellations, of which nobody in scope has one: every model was refused."""
    ends = [{"customer_id": 1000 + n, "ended_at": datetime(2024, 3, 1) + timedelta(days=8 * n)} for n in range(40)]
    tables = [*shop, write("endings.csv", ends)]

    made = write_starter(plan(Answers("my_case", tables, ["customer_id"], "event:endings")), tmp_path / "configs")

    assert not [name for name in made.features.features if "endings" in name]
    assert made.requirements.baseline.feature == "days_since_last_orders_90d"
    assert made.requirements.baseline.higher_means_more_likely


def test_the_list_is_judged_by_more_than_the_base_rate_of_the_files(
    tmp_path: Path, answers: MakeAnswers, plan: MakePlan, gym: list[str]
) -> None:
    cancels = plan(Answers("my_case", gym, ["member_id"], "date:members.cancelled_on"))
    made = write_starter(cancels, tmp_path / "configs")

    assert plan(answers()).base_rate == 0  # everybody orders within thirty days
    assert cancels.base_rate is not None
    assert 0.01 < cancels.base_rate < 0.06  # 20 of 60 leave within half a year or so
    gate = made.requirements.acceptance["precision_in_top_decile"]
    assert gate.metric == "precision_at_top"
    assert (gate.share, gate.minimum) == (made.contract.top_share, round(1.5 * cancels.base_rate, 3))
    assert made.problem.known_confounders == []


def orders_with(write: Write, **cells: Callable[[int, int], Any]) -> str:
    """A file of orders, 60 people with one each nine days, with cells made of the person's number and the turn."""
    rows = [
        {"customer_id": 1000 + n, "ordered_at": datetime(2024, 1, 1, 9) + timedelta(days=n % 9 + 9 * turn)}
        | {"amount": "9.50"}
        | {name: make(n, turn) for name, make in cells.items()}
        for n in range(60) for turn in range(46)
    ]  # fmt: skip
    return write("orders.csv", rows)


def test_a_column_called_days_ago_does_not_become_the_age_of_a_row(write: Write, plan: MakePlan) -> None:
    """The column of the source stood where the starter's expression of the same name was meant."""
    path = orders_with(write, days_ago=lambda n, turn: 3)

    sql = render(plan(Answers("x", [path], ["customer_id"], "no-event:orders")))["features/orders.sql"]

    assert "as days_ago_2" in sql
    assert "min(days_ago_2)" in sql
    assert "min(days_ago)" not in sql


def test_a_column_called_like_the_pseudonym_keeps_a_name_of_its_own(
    tmp_path: Path, write: Write, plan: MakePlan
) -> None:
    path = orders_with(write, customer_token=lambda n, turn: turn % 3)

    made = write_starter(plan(Answers("x", [path], ["customer_id"], "no-event:orders")), tmp_path / "configs")

    assert made.sources.tables["orders"].columns["customer_token"].alias == "customer_token_2"


@pytest.mark.parametrize("first", [pytest.param(4400000000, id="phone"), pytest.param(2000, id="short")])
def test_a_number_of_each_customer_in_an_oddly_named_column_does_not_stay(
    write: Write, plan: MakePlan, first: int
) -> None:
    """A phone number in `contactval`, the same in each order of a customer, was summed and given to the model."""
    path = orders_with(write, contactval=lambda n, turn: first + 79 * n)

    orders = plan(Answers("x", [path], ["customer_id"], "no-event:orders")).target_table

    assert (orders.column("contactval").guess.treatment, orders.column("amount").guess.treatment) == ("drop", "keep")


def test_numbers_that_can_be_read_in_two_ways_are_marked_and_named(write: Write, plan: MakePlan) -> None:
    path = orders_with(
        write, price=lambda n, turn: f"{1 + n},{100 + turn}", fee=lambda n, turn: f"{n},{turn:02d}",
        weight=lambda n, turn: f"{1 + n}.{100 + turn}", tax=lambda n, turn: f"{n}{'.,'[turn % 2]}{turn:02d}",
    )  # fmt: skip
    made = plan(Answers("x", [path], ["customer_id"], "no-event:orders"))

    sources, said = render(made)["sources.yaml"], "\n".join(reviews(made))

    assert "type: string  # review: a number?" in sources
    assert "type: decimal  # review: 1.500 is" in sources
    assert 'decimal_mark: ","  # review: 1,5 is one and a half?' in sources
    assert all(f"orders.{name}: " in said for name in ("price", "fee", "weight", "tax"))
    assert "orders.tax: type string: a number? some cells have a point before the fraction and others a comma" in said
    assert "name of someone" not in said


def test_customers_numbers_of_two_kinds_are_said_first(shop: list[str], write: Write, plan: MakePlan) -> None:
    rows = [{"customer_id": f"{1000 + n:06d}", "at": datetime(2024, 1, 1) + timedelta(days=9 * n)} for n in range(45)]
    made = plan(Answers("x", [*shop, write("visits.csv", rows)], ["customer_id"], "no-event:orders"))

    assert "visits.customer_id has leading zeros" in reviews(made)[0]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        pytest.param("%d/%m/%Y", "ordered_at can be read as %d/%m/%Y and %m/%d/%Y: say which", id="unclear"),
        pytest.param("%d.%m.%Y", "ordered_at is written in more than one way", id="mixed"),
    ],
)
def test_dates_that_nobody_can_tell_are_named_with_their_column(
    write: Write, plan: MakePlan, second: str, message: str
) -> None:
    path = orders_with(
        write, ordered_at=lambda n, turn: date(2024, 1 + turn % 12, 1 + n % 9).strftime(second if n % 2 else "%d/%m/%Y")
    )

    with pytest.raises(ConfigError) as error:
        plan(Answers("x", [path], ["customer_id"], "no-event:orders"))

    assert message in str(error.value)


def test_the_form_of_dates_that_is_said_stands_in_the_sources(write: Write, plan: MakePlan, tmp_path: Path) -> None:
    path = orders_with(write, ordered_at=lambda n, turn: date(2024, 1 + turn % 12, 1 + n % 9).strftime("%d/%m/%Y"))
    answers = Answers("x", [path], ["customer_id"], "no-event:orders", date_formats=["orders=%d/%m/%Y"])

    made = write_starter(plan(answers), tmp_path / "configs")

    assert made.sources.tables["orders"].columns["ordered_at"].formats == ["%d/%m/%Y"]


def test_the_encoding_that_is_said_stands_in_the_sources(write: Write, plan: MakePlan, tmp_path: Path) -> None:
    path = tmp_path / orders_with(write)
    path.write_text(path.read_text().replace("amount", "größe"), encoding="cp1252")
    answers = Answers("x", ["data/orders.csv"], ["customer_id"], "no-event:orders", encoding=["cp1252"])

    made = write_starter(plan(answers), tmp_path / "configs")

    assert made.sources.tables["orders"].encoding == "cp1252"


def test_a_yes_or_no_is_no_rule_to_compare_with(write: Write, plan: MakePlan) -> None:
    rows = [
        {"customer_id": n, "is_cancelled": str((n + turn) % 5 == 0).lower(), "has_app": "true" if n % 2 else "false",
         "changed_at": datetime(2024, 1, 1) + timedelta(days=n % 9 + 45 * turn)}
        for n in range(60) for turn in range(10)
    ]  # fmt: skip
    made = plan(Answers("x", [write("plans.csv", rows)], ["customer_id"], "state:plans.is_cancelled=true"))

    with pytest.raises(ConfigError, match="or a number that stays"):
        render(made)
