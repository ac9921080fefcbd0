"""The questions: an answer that does not fit the files is answered with what would, and asked for again."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from ds_pipeline.errors import ConfigError
from ds_pipeline.starter.answers import Answers
from ds_pipeline.starter.asking import ask_missing
from ds_pipeline.starter.profile import SourceFile

Ask = Callable[..., tuple[Answers, list[str]]]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Answers what was asked, one after the other; gives the completed answers and the questions."""

    def run(said: list[str], **given: Any) -> tuple[Answers, list[str]]:
        questions: list[str] = []

        def put(question: str) -> str:
            questions.append(question)
            return said[len(questions) - 1]

        unsaid: dict[str, Any] = {"name": "x", "tables": [], "entity": [], "target": "", "horizon_days": 0}
        answers = Answers(**(unsaid | given))
        return ask_missing(answers, ask=put, open_file=cache(partial(SourceFile, tmp_path))), questions

    return run


def test_each_answer_is_asked_for_until_it_fits_the_files(ask: Ask, shop: list[str]) -> None:
    made, questions = ask(
        ["data/nothing.csv", " ".join(shop), "id", "customer_id", "event:visits", "no-event:orders", "400", "14"]
    )

    assert (made.tables, made.entity, made.target, made.horizon_days) == (shop, ["customer_id"], "no-event:orders", 14)
    assert "no such file" in questions[1]
    assert "customers: customer_id, full_name" in questions[2]
    assert "no column id in customers; its columns: customer_id" in questions[3]
    assert "no table visits; known: customers, orders" in questions[5]
    assert "expected a whole number of days" in questions[7]


def test_a_column_may_be_named_for_each_table(ask: Ask, shop: list[str]) -> None:
    made, _ = ask(["customers=customer_id orders=order_id"], tables=shop, target="event:orders", horizon_days=7)

    assert made.entity == ["customers=customer_id", "orders=order_id"]


def test_what_a_flag_says_is_not_asked(ask: Ask, shop: list[str]) -> None:
    given: dict[str, Any] = {"tables": shop, "entity": ["customer_id"], "target": "event:orders", "horizon_days": 7}

    assert ask([], **given) == (Answers(name="x", **given), [])
    with pytest.raises(ConfigError, match="--table: the name orders is taken"):
        ask([], **(given | {"tables": [shop[1], shop[1]]}))
