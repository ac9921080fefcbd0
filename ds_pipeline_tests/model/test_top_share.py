"""How many rows a share of the highest scores is."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.model.top_share import in_top_share, top_count


@pytest.mark.parametrize(
    ("share", "rows", "count"),
    [
        pytest.param(0.1, 10, 1, id="exact"),
        pytest.param(0.1, 11, 2, id="rounded-up"),
        pytest.param(0.07, 100, 7, id="a-product-just-above"),
        pytest.param(0.1, 1, 1, id="a-single-row"),
        pytest.param(0.1, 0, 0, id="no-row"),
        pytest.param(0.999, 3, 3, id="nearly-all"),
    ],
)
def test_a_share_of_rows_is_rounded_up(share: float, rows: int, count: int) -> None:
    assert top_count(share, rows) == count


def test_a_per_cent_of_any_hundreds_is_exact() -> None:
    """By exact fractions; in floating point one product of eight lies just above."""
    for percent in range(1, 100):
        rows = np.arange(1, 400)
        expected = [-(-Fraction(percent, 100) * int(count) // 1) for count in rows]
        assert top_count(percent / 100, rows).tolist() == [int(one) for one in expected]


def test_a_series_keeps_its_index() -> None:
    counts = top_count(0.25, pd.Series([4, 5], index=["a", "b"]))

    assert counts.to_dict() == {"a": 1.0, "b": 2.0}


def test_the_highest_scored_of_each_week_are_marked_and_ties_go_by_the_entity() -> None:
    """Of three one is asked for, of two one; the rows lie in no order, and their index says nothing."""
    rows = pd.DataFrame(
        {
            "scoring_date": [2, 1, 1, 2, 1],
            "token": ["d", "c", "a", "e", "b"],
            "other": [0.9, 0.5, 0.5, 0.1, 0.4],
        },
        index=[7, 7, 3, 0, 1],
    )

    found = in_top_share(rows, entity="token", share=0.3, by="other")

    assert found.tolist() == [True, False, True, False, False]
