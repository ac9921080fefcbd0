"""Two files of a small shop, written as a user has them, and the answers a user would give."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ds_pipeline.errors import ConfigError
from ds_pipeline.starter.answers import Answers
from ds_pipeline.starter.plan import Plan, make_plan, open_files
from ds_pipeline.starter.profile import SourceFile
from ds_pipeline.starter.written import date_formats_of, encoding_of

TODAY = date(2025, 6, 2)
FIRST_DAY = datetime(2024, 1, 1, 9)
PATTERNS = {"EMAIL": r"\S+@\S+\.\w+", "PHONE": r"\+?\d[\d ]{8,}\d", "PERSON": r"(?:Ada|Bert|Cleo) [A-Z]\w+"}


def look(texts: Sequence[str]) -> list[dict[str, float]]:
    """A stand-in for the text engine: three patterns."""
    return [
        {
            kind: sum(len(found) for found in re.findall(pattern, text)) / len(text)
            for kind, pattern in PATTERNS.items()
            if re.search(pattern, text)
        }
        for text in texts
    ]


def nobody(flag: str, table: str, candidates: list[str]) -> str:
    raise ConfigError(f"{flag} {table}: {', '.join(candidates)}")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, list[dict[str, Any]]], str]:
    """Write rows as a CSV file below data/; gives its path in the project."""

    def write_rows(name: str, rows: list[dict[str, Any]]) -> str:
        path = tmp_path / "data" / name
        path.parent.mkdir(exist_ok=True)
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return f"data/{name}"

    return write_rows


@pytest.fixture
def plan(tmp_path: Path) -> Callable[..., Plan]:
    def make(answers: Answers, *, today: date = TODAY) -> Plan:
        def open_file(path: str, name: str) -> SourceFile:
            encoding, formats = encoding_of(answers, name), date_formats_of(answers, name)
            return SourceFile(tmp_path, path, name, encoding=encoding, date_formats=formats)

        files = open_files(answers, open_file)
        return make_plan(answers, files, look=look, choose=nobody, today=today)

    return make


@pytest.fixture
def shop(write: Callable[[str, list[dict[str, Any]]], str]) -> list[str]:
    """customers.csv and orders.csv: 60 people, an order each nine days over sixty weeks."""
    customers = [
        {
            "customer_id": 1000 + number,
            "full_name": f"Ada Person{number}",
            "birth_date": date(1950 + 10 * (number % 3), 1, 1),
            "gender": "fm"[number // 3 % 2],
            "loyalty_level": "gold" if number % 3 else "basic",
            "signed_up_at": FIRST_DAY + timedelta(days=number),
        }
        for number in range(60)
    ]
    orders = [
        {
            "order_id": f"O-{number:03d}-{turn:03d}",
            "customer_id": 1000 + number,
            "ordered_at": FIRST_DAY + timedelta(days=number % 9 + 9 * turn),
            "amount": f"{10 + number}.50",
        }
        for number in range(60)
        for turn in range(46)
    ]
    return [write("customers.csv", customers), write("orders.csv", orders)]


@pytest.fixture
def answers(shop: list[str]) -> Callable[..., Answers]:
    def make(**changes: Any) -> Answers:
        given = {"name": "my_case", "tables": shop, "entity": ["customer_id"], "target": "no-event:orders"}
        return Answers(**(given | changes))

    return make


@pytest.fixture
def gym(write: Callable[[str, list[dict[str, Any]]], str]) -> list[str]:
    """members.csv, with the date of a cancellation that is empty while there is none, and visits.csv."""
    joined, end = datetime(2024, 1, 1), datetime(2025, 3, 1)
    members = [
        {"member_id": 10 + n, "plan": "ab"[n % 2], "remarks": "VIP" if n % 2 else "call 0664 1234567",
         "gender": "fm"[n // 2 % 2], "joined_on": (joined + timedelta(days=n)).date(),
         "cancelled_on": (joined + timedelta(days=150 + 3 * n)).date() if n % 3 == 0 else ""}
        for n in range(60)
    ]  # fmt: skip
    visits = [
        {"visit_id": 1 + 60 * turn + n, "member_id": 10 + n, "at": joined + timedelta(days=n % 5 + 5 * turn)}
        for turn in range((end - joined).days // 5) for n in range(60)
    ]  # fmt: skip
    return [write("members.csv", members), write("visits.csv", visits)]
