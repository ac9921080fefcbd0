"""Text that Markdown would take for something else, and values in words."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ds_pipeline.markdown import Marked, cell, code, grid, plain, prose, sentence
from ds_pipeline.templates import environment


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a | b", r"a \| b", id="bar"),
        pytest.param(" a\n  b\tc ", "a b c", id="line-ends"),
        pytest.param("`rm -rf`", r"\`rm -rf\`", id="code"),
        pytest.param("<b>x</b> <!-- y", "&lt;b>x&lt;/b> &lt;!-- y", id="html"),
        pytest.param("&lt;b&gt; R&D", "&amp;lt;b&amp;gt; R&amp;D", id="entities"),
        pytest.param("[free](https://evil.example)", r"\[free\](https://evil.example)", id="link"),
        pytest.param("![x](https://evil.example/pixel)", r"!\[x\](https://evil.example/pixel)", id="picture"),
        pytest.param("*a* __b__ ~~c~~ spend_gbp", r"\*a\* \_\_b\_\_ \~\~c\~\~ spend_gbp", id="emphasis"),
        pytest.param("a \\| b", r"a \\\| b", id="an-escape-that-would-undo-ours"),
        pytest.param("# Approved", r"\# Approved", id="heading"),
        pytest.param("---", r"\---", id="underline"),
        pytest.param("- a", r"\- a", id="list"),
        pytest.param("> a", r"\> a", id="quotation"),
        pytest.param("1. a", r"1\. a", id="numbered-list"),
        pytest.param("a\u2028b\x85c", "a b c", id="line-ends-of-other-alphabets"),
        pytest.param("-0.5 to 1.5, 3 = 3", "-0.5 to 1.5, 3 = 3", id="numbers-stay"),
        pytest.param(Marked("`a` <br>"), "`a` <br>", id="markdown-of-ours-stays"),
        pytest.param("", "", id="empty"),
        pytest.param(3, "3", id="number"),
    ],
)
def test_a_cell_is_one_line_that_shows_the_signs_of_a_text(text: object, shown: str) -> None:
    assert cell(text) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("country", "`country`", id="plain"),
        pytest.param("a`b", "`` a`b ``", id="backtick"),
        pytest.param("``x", "``` ``x ```", id="backticks"),
        pytest.param("a|b\nc", r"`a\|b c`", id="bar-and-line-end"),
        pytest.param("<b>_x_", "`<b>_x_`", id="other-marks-show-in-code"),
    ],
)
def test_a_name_stays_inside_its_code(name: str, shown: str) -> None:
    assert code(name) == shown


def test_paragraphs_may_have_lists_and_code_and_nothing_else() -> None:
    text = "# Approved\nby `x`\n---\n\n- one <img src=x>\n- [two](javascript:x)\n\n```\n| a | b |\n"

    assert prose(text).splitlines() == [
        r"\# Approved", "by `x`", r"\---", "", "- one &lt;img src=x>", r"- \[two\](javascript:x)", "", r"\```",
        r"\| a \| b \|",
    ]  # fmt: skip


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


def test_a_value_can_neither_break_a_markdown_table_nor_become_html() -> None:
    page = environment("evaluation/report", filters={}, finalize=cell).from_string("| {{ text }} | {{ 3 }} |")
    assert page.render(text="a|b\n<script> & c") == "| a\\|b &lt;script> &amp; c | 3 |"
