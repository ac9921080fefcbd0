"""Values that differ in case or blanks only are one value; its other spellings are counted."""

from __future__ import annotations

import pytest

from ds_pipeline.masking.columns.spellings import MOST_VALUES, bare, by_spelling, spelled_apart


@pytest.mark.parametrize("value", ["Cancelled", "cancelled ", " CANCELLED", "cancelled\t", "cancelled\u00a0"])
def test_case_and_blanks_do_not_count(value: str) -> None:
    assert bare(value) == "cancelled"


def test_blanks_inside_count_once_and_letters_always() -> None:
    assert bare("on  hold") == bare("On Hold") != bare("onhold")
    assert bare("annulé") != bare("annule")


def test_the_rarer_spellings_are_counted_as_rows() -> None:
    counts = {"Cancelled": 30, "cancelled ": 2, "CANCELLED": 3, "active": 60, "paused": 1, "Paused": 1}

    assert by_spelling(counts)["cancelled"] == {"Cancelled": 30, "CANCELLED": 3, "cancelled ": 2}
    assert spelled_apart(counts) == (2, 2 + 3 + 1)
    assert spelled_apart({"active": 60, "cancelled": 2}) == (0, 0)


def test_codes_may_mean_something_by_their_case() -> None:
    codes = {f"{number}a": 1 for number in range(MOST_VALUES)} | {"1A": 1}

    assert spelled_apart(codes) == (0, 0)
