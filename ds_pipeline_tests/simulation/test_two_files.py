"""The two files of the tutorial: the same for the same seed, invented, and such that fading can be seen coming."""

from __future__ import annotations

import csv
from pathlib import Path

from ds_pipeline.simulation.two_files import BEGIN, END, make_shop, write_shop


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    first, again, other = make_shop(customers=30), make_shop(customers=30), make_shop(customers=30, seed=1)

    assert first == again
    assert first["orders"] != other["orders"]


def test_every_order_belongs_to_a_customer_who_had_signed_up() -> None:
    shop = make_shop(customers=50)
    joined = {person["customer_id"]: person["signed_up_at"] for person in shop["customers"]}

    assert all(BEGIN <= order["ordered_at"] < END for order in shop["orders"])
    assert all(order["ordered_at"] >= joined[order["customer_id"]] for order in shop["orders"])
    assert len({order["order_id"] for order in shop["orders"]}) == len(shop["orders"])


def test_addresses_and_numbers_are_those_set_aside_for_examples() -> None:
    people = make_shop(customers=50)["customers"]

    assert all(person["email"].endswith("@example.org") for person in people)
    assert all(person["phone"].startswith("07700 900") for person in people)  # Ofcom's range for drama


def test_the_files_are_private_to_their_owner(tmp_path: Path) -> None:
    paths = write_shop(tmp_path / "data", make_shop(customers=5))

    assert [path.name for path in paths] == ["customers.csv", "orders.csv"]
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    with paths[0].open() as file:
        assert len(list(csv.DictReader(file))) == 5
