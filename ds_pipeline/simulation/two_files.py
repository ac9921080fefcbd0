"""Two small files of an invented shop: `python -m ds_pipeline.simulation.two_files FOLDER` (the tutorial's data).

customers.csv holds people with everything that should not get out; orders.csv what they bought and what they wrote.
Nobody in them exists: e-mail domains and telephone numbers are those set aside for examples and fiction.
"""

from __future__ import annotations

import csv
import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from ds_pipeline.simulation.invented import make_faker
from ds_pipeline.store.snapshots import make_folder

SEED = 20240101
CUSTOMERS = 1_200
BEGIN, END = datetime(2024, 1, 1), datetime(2024, 11, 7)
COUNTRIES = {"United Kingdom": 70, "Ireland": 20, "France": 10}
NOTES = [
    "Please ring {phone} before you deliver, ask for {name}.", "Leave it with my neighbour, I am at work all day.",
    "This is a present, no invoice in the parcel please.", "The last parcel was late, write to {email} next time.",
    "Deliver to the back door of the house, the bell is broken.",
]  # fmt: skip


def make_shop(*, customers: int = CUSTOMERS, seed: int = SEED) -> dict[str, list[dict[str, Any]]]:
    """The rows of both files, the same for the same seed.

    Everyone buys at a pace of their own, and each order may be the last one before a long pause: whoever is about to
    fade orders less and leaves longer gaps, so that it can be seen coming, but not surely.
    """
    rng, faker = random.Random(seed), make_faker("en_GB")  # noqa: S311  invented people, no secret
    faker.seed_instance(seed)
    people, orders = [], []
    for number in range(customers):
        joined = BEGIN + timedelta(days=rng.uniform(-500, 300), hours=rng.randrange(24))
        name, country = faker.name(), rng.choices(list(COUNTRIES), list(COUNTRIES.values()))[0]
        person = {
            "customer_id": 40_000 + 7 * number,
            "full_name": name,
            "email": f"{name.split()[-1].lower()}{number}@example.org",
            "phone": f"07700 900{number % 1000:03d}",
            "birth_date": date(1945, 1, 1) + timedelta(days=rng.randrange(60 * 365)),
            "country": country,
            "signed_up_at": joined.replace(microsecond=0),
        }
        people.append(person)
        orders += _orders(rng, person, joined)
    orders.sort(key=lambda one: (one["ordered_at"], one["customer_id"]))
    for place, order in enumerate(orders):
        order["order_id"] = f"ORD-{place:06d}"
    columns = ("order_id", "customer_id", "ordered_at", "items", "amount_gbp", "channel", "note")
    return {"customers": people, "orders": [{name: order[name] for name in columns} for order in orders]}


def _orders(rng: random.Random, person: dict[str, Any], joined: datetime) -> list[dict[str, Any]]:
    pace, spend = rng.choice([6.0, 10.0, 16.0]), rng.uniform(15, 60)
    is_new = joined > BEGIN
    fading = 0 if is_new else rng.choice([0, 0, 0, 1, 2, 3, 4, 5])
    at, found = max(joined, BEGIN) + timedelta(hours=rng.uniform(1, 72 if is_new else 24 * pace)), []
    while at < END:
        note = rng.choice(NOTES).format(name=person["full_name"], **{key: person[key] for key in ("phone", "email")})
        found.append(
            {
                "customer_id": person["customer_id"],
                "ordered_at": at.replace(microsecond=0),
                "items": max(1, round(rng.gauss(4 - fading * 0.6, 1))),
                "amount_gbp": f"{max(2.0, rng.gauss(spend * (1 - 0.12 * fading), spend / 4)):.2f}",
                "channel": rng.choice(["web", "web", "app", "phone"]),
                "note": note if rng.random() < 0.04 else "",
            }
        )
        fading = (fading + 1) % 6 if fading or rng.random() < 0.12 else 0
        at += timedelta(days=max(0.3, rng.gauss(pace, pace / 4)) * (1.0, 1.3, 1.8, 2.6, 4.0, 6.0)[fading])
    return found


def write_shop(folder: Path, shop: dict[str, list[dict[str, Any]]]) -> list[Path]:
    """customers.csv and orders.csv in a folder, private to their owner."""
    make_folder(folder)
    paths = []
    for name, rows in shop.items():
        path = folder / f"{name}.csv"
        path.touch(mode=0o600)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        paths.append(path)
    return paths


def main(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the two files go.")]) -> None:
    """Write customers.csv and orders.csv of an invented shop."""
    for path in write_shop(folder, make_shop()):
        typer.echo(f"wrote {path.name}")


if __name__ == "__main__":
    typer.run(main)
