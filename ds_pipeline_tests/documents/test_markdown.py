"""Text that Markdown would take for something else, and values in words."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ds_pipeline.documents.markdown import cell, grid, plain, sentence


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a | b", r"a \| b", id="bar"),
        pytest.param(" a\n  b\tc ", "a b c", id="line-ends"),
        pytest.param("", "", id="empty"),
        pytest.param(3, "3", id="number"),
    ],
)
def test_a_cell_is_one_line_that_ends_no_column(text: object, shown: str) -> None:
    assert cell(text) == shown


@pytest.mark.parametrize(("text", "shown"), [("So it is", "So it is."), ("Is it?", "Is it?"), ("It is!\n", "It is!")])
def test_a_sentence_ends_like_one(text: str, shown: str) -> None:
    assert sentence(text) == shown


def test_a_grid_has_a_head_a_rule_and_a_line_for_each_row() -> None:
    assert grid(["a", "b|c"], [(1, None), ("x\ny", "")]) == (
        "| a | b\\|c |\n| --- | --- |\n| 1 | None |\n| x y |  |\n"
    )  # fmt: skip
    assert grid(["a"], []) == "| a |\n| --- |\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(None, "not declared", id="null"),
        pytest.param(True, "yes", id="yes"),
        pytest.param(False, "no", id="no"),
        pytest.param(0.1 + 0.2, "0.3", id="digits-as-declared"),
        pytest.param(1e-7, "1e-07", id="small"),
        pytest.param(12, "12", id="whole"),
        pytest.param([], "none", id="empty-list"),
        pytest.param(["a", None, 0.5], "a, not declared, 0.5", id="list"),
        pytest.param({}, "none", id="no-keys"),
        pytest.param({"a": True, "b": [1, 2]}, "a: yes; b: 1, 2", id="keys"),
        pytest.param(date(2024, 1, 1), "2024-01-01", id="date"),
        pytest.param(0, "0", id="nought-is-declared"),
    ],
)
def test_a_value_is_told_in_words(value: Any, shown: str) -> None:
    assert plain(value) == shown
