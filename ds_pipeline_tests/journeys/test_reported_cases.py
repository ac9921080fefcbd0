"""Files on which the product gave a wrong result, from `new` on. What is right is counted here, in plain Python."""

from __future__ import annotations

import csv
import random
import shutil
import uuid
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.masking.columns.tokens import tokenize
from ds_pipeline_tests.journeys.conftest import REPOSITORY, Done, Journey

LOADED = ("--event-time", "orders=ordered_at", "--known-at", "orders=loaded_at")
CASE, START, END = "shop", datetime(2024, 1, 1), datetime(2024, 5, 13)
PEOPLE = [f"C-{number}" for number in range(1001, 1041)]
NEWEST = "2024-05-06"  # the last Monday, and the newest date
NOBODY = ("NULL", "nan", "unknown", "")
Order = dict[str, str]


@pytest.fixture
def shop(tmp_path: Path) -> Journey:
    """An empty project, and the files of a small shop."""
    (tmp_path / "configs").mkdir()
    (tmp_path / ".dagster").mkdir(mode=0o700)
    for name in ("workspace.yaml", ".dagster/dagster.yaml"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    journey = Journey(tmp_path, CASE)
    (tmp_path / "data" / "in").mkdir(parents=True)
    save(journey, "customers", customers())
    save(journey, "orders", orders())
    return journey


def customers() -> list[dict[str, str]]:
    signed_up = datetime(2023, 3, 1)
    return [
        {
            "customer_id": one,
            "signed_up_at": f"{signed_up + timedelta(days=number)}",
            "country": ["Kenya", "Chile"][number % 2],
        }
        for number, one in enumerate(PEOPLE)
    ]


def orders() -> list[Order]:
    """Each buys every few days; every ninth order is that of a guest."""
    rng, found = random.Random(4), []
    for number, one in enumerate(PEOPLE):
        at = START + timedelta(hours=rng.randrange(96))
        while at < END:
            found.append((at, one if rng.randrange(9) else NOBODY[number % 4]))
            at += timedelta(days=3 + number % 7, hours=rng.randrange(48))
    return [
        {
            "order_id": f"O{number:04d}", "customer_id": who, "ordered_at": f"{at}", "items": str(1 + number % 5),
            "loaded_at": f"{at + timedelta(hours=1)}",
        }
        for number, (at, who) in enumerate(sorted(found))
    ]  # fmt: skip


def save(journey: Journey, name: str, rows: Sequence[dict[str, str]]) -> None:
    with (journey.root / "data" / "in" / f"{name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def new(
    journey: Journey,
    *more: str,
    tables: Sequence[str] = ("data/in/customers.csv", "data/in/orders.csv"),
    target: str = "no-event:orders",
) -> Done:
    words = ["--entity", "customer_id", "--target", target, "--horizon-days", "7", "--synthetic", *LOADED, *more]
    done = journey.type("new", CASE, *(word for table in tables for word in ("--table", table)), *words)
    assert done.code == 0, done.text
    return done


def counted(rows: Sequence[Order], day: datetime) -> dict[str, tuple[int, int, int]]:
    """For each customer in scope: orders in 30 and in 10 days, and their items in 30, each order once."""
    seen: dict[str, dict[str, Order]] = {}
    for row in rows:
        if row["customer_id"] in PEOPLE and row["loaded_at"] < f"{day}":
            ordered = datetime.fromisoformat(row["ordered_at"])
            if day - timedelta(days=30) <= ordered < day:
                seen.setdefault(row["customer_id"], {})[row["order_id"]] = row
    near = f"{day.date() - timedelta(days=10)}"
    return {
        who: (
            len(found),
            sum(one["ordered_at"][:10] >= near for one in found.values()),
            sum(int(one["items"]) for one in found.values()),
        )
        for who, found in seen.items()
    }


def features(journey: Journey) -> dict[datetime, dict[str, tuple[int, int, int]]]:
    names = dict(zip(tokenize(pd.Series(PEOPLE), key=journey.open().key, domain="customer"), PEOPLE, strict=True))
    found = {}
    for path in (journey.store / "datasets" / "features").glob("*/*/*.parquet"):
        columns = ["customer_token", "orders_30d", "orders_10d", "orders_items_sum_30d"]
        rows = pq.read_table(path).select(columns).to_pylist()
        day = datetime.combine(datetime.fromisoformat(path.parent.name), time())
        found[day] = {names[row["customer_token"]]: tuple(int(row[name]) for name in columns[1:]) for row in rows}
    return found


def since(rows: Sequence[Order], who: str, day: str) -> Order:
    """The first order of somebody on a day or later."""
    return next(row for row in rows if row["customer_id"] == who and row["ordered_at"] >= day)


def test_guests_repeated_deliveries_and_an_open_end_count_as_they_should(shop: Journey) -> None:
    """There was a customer NULL, and one unknown; an order counted twice, or not at all; 9999 stopped the run."""
    rows = orders()
    words = [row for row in rows if row["customer_id"] in NOBODY[:3]]
    guests = [row for row in rows if row["customer_id"] in NOBODY]
    written = new(shop)
    assert (
        f"WARNING orders: no customer in {len(guests)} rows (an empty cell, NULL, unknown or the like)" in written.out
    )

    sent = [since(rows, PEOPLE[2], "2024-01-10"), since(rows, PEOPLE[3], "2024-03-20")]  # the first before all dates
    again = [row | {"loaded_at": f"{datetime.fromisoformat(row['loaded_at']) + timedelta(days=8)}"} for row in sent]
    open_end = rows[100] | {"order_id": "O9999", "customer_id": PEOPLE[0], "loaded_at": "9999-12-31 00:00:00"}
    rows += [*again, open_end]
    save(shop, "orders", rows)
    checked, built = shop.cli("check"), shop.cli("history")

    assert (checked.code, built.code) == (0, 0), checked.text + built.text
    known = [row for row in rows if row["loaded_at"] < NEWEST]
    assert (
        f"orders: {len(known)} rows read, {len(known) - 2 - sum(one in known for one in guests)} usable" in checked.out
    )
    assert f"taken for missing ones; customer_token: {sum(one in known for one in words)}." in checked.out
    assert f"{len(rows) - len(known)} further rows of orders became known on or after the newest date" in checked.out
    found = features(shop)
    assert len(found) == 14
    assert found == {day: counted(rows, day) for day in found}


def plan_of(journey: Journey) -> dict[str, list[str]]:
    """The lines of each file that `new` has written, but for the share of rows that may be faulty."""
    return {
        path.name: [line for line in path.read_text().splitlines() if "max_quarantine_share" not in line]
        for path in journey.case.rglob("*.*")
    }


def test_one_customer_twice_changes_nothing_of_the_plan_and_is_said(shop: Journey) -> None:
    """It made events of the table: the country went, and features counted sign-ups."""
    new(shop)
    plan = plan_of(shop)
    shutil.rmtree(shop.case)
    save(shop, "customers", [*customers(), customers()[7]])

    done = new(shop)

    assert plan_of(shop) == plan
    assert "WARNING customers: more than one row of 1 customer; taken for one row per customer all the same" in done.out


def test_a_folder_is_no_column_and_what_no_type_holds_is_dropped(shop: Journey) -> None:
    """`new` read a column from the name of a folder, and declared others in a way that its own check refused."""
    rows = pd.DataFrame(orders()).astype({"ordered_at": "datetime64[us]", "loaded_at": "datetime64[us]"})
    rows = rows[rows["customer_id"].isin(PEOPLE)].assign(items=rows["items"].astype(int))
    table = pa.Table.from_pandas(rows, preserve_index=False)
    sessions = [uuid.UUID(int=number).bytes for number in range(len(rows))]
    table = table.append_column("session", pa.array(sessions, pa.binary(16)))
    table = table.append_column("pages", pa.array([[1, 2]] * len(rows)))
    folder = shop.root / "data" / "in" / "month=2024-01"
    folder.mkdir()
    pq.write_table(table, folder / "orders.parquet")

    new(shop, tables=("data/in/customers.csv", "orders=data/in/month=2024-01/orders.parquet"))
    done = shop.cli("check")

    assert done.code == 0, done.text
    columns = shop.open().use_case.sources.tables["orders"].columns
    assert set(columns) == set(table.column_names)
    assert [columns[name].treatment for name in ("session", "pages")] == ["drop", "drop"]
    assert f"orders: {sum(f'{at}' < NEWEST for at in rows['loaded_at'])} rows read" in done.out


INPUT = {"unit": "made up", "nullable": True, "role": "input", "meaning": "made up"}


@pytest.mark.parametrize(
    ("name", "declared", "sql", "said"),
    [
        pytest.param("score", {"dtype": "int64", "minimum": 0, "maximum": 1000}, "300::bigint",
                     "score: the name of a column of the scores; choose another.", id="a-name-that-is-taken"),
        pytest.param("product", {"dtype": "string", "categories": [f"k{number}" for number in range(256)]}, "'k1'",
                     "features.product: 256 categories; a model takes 255 at most", id="too-many-categories"),
    ],
)  # fmt: skip
def test_what_no_model_can_take_is_refused_when_the_files_are_read(
    shop: Journey, name: str, declared: dict[str, object], sql: str, said: str
) -> None:
    """Check was content: the drift of every week ended in a KeyError, or the training in a stack trace."""
    new(shop)
    with shop.edit("features.yaml") as features:
        features["features"][name] = INPUT | declared
    (shop.case / "features" / "more.sql").write_text(f"select customer_token, {sql} as {name} from population")

    done = shop.cli("check")

    assert done.code == 2, done.text
    assert f"configs/{CASE}/features.yaml: {said}" in done.err


def test_positives_of_one_person_are_refused_in_words(shop: Journey) -> None:
    """Some fold had no positive: scikit-learn ended the run."""
    complaints = [{"customer_id": PEOPLE[5], "complained_at": f"2024-0{month}-20 09:00:00"} for month in (2, 3, 4)]
    save(shop, "complaints", complaints)
    tables = [f"data/in/{name}.csv" for name in ("customers", "orders", "complaints")]
    new(shop, "--first", "2024-02-05", "--last", NEWEST, tables=tables, target="event:complaints")

    done = shop.cli("check")

    assert done.code == 2, done.text
    assert f"All {len(complaints)} positive rows of the 12 sampled weeks are of one customer_token: too few" in done.err
