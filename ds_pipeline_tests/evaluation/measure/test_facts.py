"""The totals of an evaluation."""

from __future__ import annotations

import pytest

from ds_pipeline.evaluation.measure.facts import Facts

TOTALS = {
    "positives": 3, "entities": 5, "base_rate": 0.3, "weeks": [], "training_rows": 90, "training_positives": 30,
}  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "undecided", "share"),
    [
        pytest.param(10, 0, 0.0, id="all-decided"),
        pytest.param(30, 10, 0.25, id="of-all-rows-and-not-of-the-decided"),
        pytest.param(0, 4, 1.0, id="none-decided"),
        pytest.param(0, 0, None, id="no-row"),
    ],
)
def test_the_undecided_are_a_share_of_all_rows(rows: int, undecided: int, share: float | None) -> None:
    assert Facts.model_validate(TOTALS | {"rows": rows, "undecided_rows": undecided}).undecided_share == share
