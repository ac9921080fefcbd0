"""Examples of mistakes: the surest first, each entity once."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from ds_pipeline.cli.mistakes import _examples, show_mistakes
from ds_pipeline.errors import RegistryError
from ds_pipeline.workbench import Workbench

DAY, LATER = date(2011, 8, 1), date(2011, 8, 8)
ERRORS = pd.DataFrame(
    [("c", DAY, 0.8), ("a", LATER, 0.9), ("a", DAY, 0.9), ("b", DAY, 0.95), ("d", DAY, 0.9)],
    columns=["token", "scoring_date", "score"],
)


def examples(errors: pd.DataFrame = ERRORS, *, label: int, count: int) -> list[list[str]]:
    return [line.split() for line in _examples(errors, entity="token", label=label, count=count)]


def test_negatives_with_the_highest_scores_come_first_and_each_entity_once() -> None:
    assert examples(label=0, count=9) == [
        ["b", "2011-08-01", "score", "0.950"],
        ["a", "2011-08-01", "score", "0.900"],
        ["d", "2011-08-01", "score", "0.900"],
        ["c", "2011-08-01", "score", "0.800"],
    ]


def test_of_positives_those_with_the_lowest() -> None:
    assert examples(label=1, count=2) == [["c", "2011-08-01", "score", "0.800"], ["a", "2011-08-01", "score", "0.900"]]


def test_no_example_is_asked_for_or_there() -> None:
    assert examples(label=0, count=0) == []
    assert examples(ERRORS.head(0), label=0, count=3) == []


def test_what_nobody_has_judged_is_not_looked_at(bench: Workbench) -> None:
    with pytest.raises(RegistryError, match="evaluation"):
        list(show_mistakes(bench, date(2011, 12, 5), examples=1))
