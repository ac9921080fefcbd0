"""Figures as people write them: no miss is rounded away, what was not measured is not shown as a number."""

from __future__ import annotations

import pytest

from ds_pipeline.figures import beside, counted, declared_percent, percent, ratio, significant


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
    assert significant(value) == text


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


def test_shares_and_ratios_have_fixed_decimals() -> None:
    assert (percent(0.25), percent(None), ratio(0.5), ratio(None)) == (
        "25.0 %",
        "not measured",
        "0.500",
        "not measured",
    )


def test_a_share_that_was_declared_keeps_its_digits() -> None:
    assert [declared_percent(share) for share in (0.1, 0.005, 0.12345)] == ["10 %", "0.5 %", "12.35 %"]


def test_one_is_counted_without_a_plural() -> None:
    assert [counted(count, "row") for count in (0, 1, 2000)] == ["0 rows", "1 row", "2,000 rows"]
    assert counted(2, "person", "people") == "2 people"
