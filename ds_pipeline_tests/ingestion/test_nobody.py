"""Which words stand for nobody: those that nobody is called, and numbers that own far more rows than any person."""

from __future__ import annotations

import pytest

from ds_pipeline.ingestion.nobody import words_for_nobody


@pytest.mark.parametrize(
    ("rows_of", "most", "found"),
    [
        pytest.param({"unknown": 2, "Guest": 5}, 40, {"Guest": 5, "unknown": 2}, id="words-at-any-frequency"),
        pytest.param({"0": 119}, 40, {}, id="a-number-that-may-be-a-person"),
        pytest.param({"0": 120, "-1": 0}, 40, {"0": 120}, id="a-number-far-more-frequent-than-any-other"),
    ],
)
def test_a_word_is_always_nobody_and_a_number_where_it_owns_far_more_rows(
    rows_of: dict[str, int], most: int, found: dict[str, int]
) -> None:
    assert words_for_nobody(rows_of, most) == found
