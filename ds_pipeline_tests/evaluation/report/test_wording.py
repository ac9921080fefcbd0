from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.report.wording import (
    beside,
    environment,
    headline,
    invented,
    number,
    percent,
    ratio,
    sections_of,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(44731.331, "44,731", id="large"),
        pytest.param(-1156.69, "-1,157", id="negative"),
        pytest.param(223.412, "223", id="hundreds"),
        pytest.param(2.0891, "2.09", id="few"),
        pytest.param(0.59781, "0.598", id="share"),
        pytest.param(0.000049, "0.000049", id="small"),
        pytest.param(0.0, "0", id="zero"),
        pytest.param(None, "not measured", id="none"),
        pytest.param(float("nan"), "not measured", id="nan"),
    ],
)
def test_numbers_are_told_as_people_write_them(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "asked", "text"),
    [
        pytest.param(0.5996, 0.6, "0.5996", id="near"),
        pytest.param(0.6, 0.6, "0.600", id="equal"),
        pytest.param(0.5978, 0.55, "0.598", id="far"),
        pytest.param(1500.4, 1500, "1,500.4", id="large"),
        pytest.param(0.6001, 0.55, "0.600", id="three-decimals"),
        pytest.param(0.00004, 0.02, "4e-05", id="not-0"),
        pytest.param(0.0, 0.0, "0", id="zero"),
        pytest.param(None, 0.6, "not measured", id="none"),
    ],
)
def test_a_miss_is_not_rounded_away(value: float | None, asked: float, text: str) -> None:
    assert beside(value, asked) == text


def sources(**synthetic: bool) -> Any:
    """Tables with one column each, country; what else they have is of no interest here."""
    column = SimpleNamespace(alias="age_band")
    tables = {name: SimpleNamespace(synthetic=one, columns={"a": column}) for name, one in synthetic.items()}
    return SimpleNamespace(tables=tables)


def protected(*names: str) -> Any:
    return SimpleNamespace(of_role=lambda role: list(names) if role == "protected" else [])


def test_what_is_said_of_invented_people_is_named() -> None:
    real = invented(sources(customers=False), protected("age_band"))
    some = invented(sources(sales=False, customers=True), protected("age_band"))
    whole = invented(sources(customers=True), protected("age_band"))
    derived = invented(sources(sales=False, customers=True), protected("is_old"))
    assert real is None
    assert some is not None
    assert some.startswith(
        "Synthetic tables: customers. What is said of age_band comes from invented people and says nothing about real"
    )
    assert whole is not None
    assert "All of it comes from invented people" in whole
    assert derived is not None
    assert "protected attributes perhaps" in derived


def test_shares_and_ratios_have_fixed_decimals() -> None:
    assert (percent(0.25), percent(None), ratio(0.5), ratio(None)) == (
        "25.0 %",
        "not measured",
        "0.500",
        "not measured",
    )


def test_a_passed_candidate_is_not_called_promoted_before_it_is(decision: Decision) -> None:
    assert headline(decision, None) == "Passed, and may be promoted: it reaches all 6 gates."


def test_the_sections_hold_every_gate_once(decision: Decision) -> None:
    sections = sections_of(decision.gates)
    assert [title for title, _ in sections] == [
        "Acceptance: what the model is worth on the holdout",
        "Data and holdout",
    ]
    assert [gate for _, gates in sections for gate in gates] == decision.gates


def test_a_value_can_neither_break_a_markdown_table_nor_become_html() -> None:
    page = environment(is_html=False).from_string("| {{ text }} | {{ 3 }} |")
    assert page.render(text="a|b\n<script> & c") == "| a\\|b &lt;script> &amp; c | 3 |"
