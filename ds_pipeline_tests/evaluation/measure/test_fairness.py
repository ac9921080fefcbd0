"""The groups of a protected attribute and their rates, by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from ds_pipeline.evaluation.measure.fairness import GroupRow, count_cells, group_table
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.use_case.requirements import Requirements

# Group a, the first six: 4 negatives, 1 selected; 2 positives, both selected.
# Group b, the others: 2 negatives, 1 selected; 4 positives, 1 selected.
LABEL = [0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1]
SELECTED = [1, 0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0]
SCORE = [0.5] * 6 + [0.4] * 6
FAIR = {"attribute": "region", "share": 0.1, "maximum": 0.9, "bound": "point", "owner": "crm"}


def frame_of(groups: list[str | None], label: list[int], selected: list[int], score: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"group": groups, "label": label, "is_selected": selected, "score": score})


def table_of(frame: pd.DataFrame, *, min_support: int) -> list[GroupRow]:
    cells = count_cells(frame, attribute="group", min_support=min_support)
    return group_table(cells, attribute="group", share=0.5, min_support=min_support)


def test_the_table_says_the_rates_of_each_group() -> None:
    a, b = table_of(frame_of(["a"] * 6 + ["b"] * 6, LABEL, SELECTED, SCORE), min_support=1)
    assert (a.group, a.rows, a.positives, a.base_rate) == ("a", 6, 2, 2 / 6)
    assert (a.selected_share, a.false_positive_rate, a.true_positive_rate) == (3 / 6, 1 / 4, 1.0)
    assert (b.selected_share, b.false_positive_rate, b.true_positive_rate) == (2 / 6, 1 / 2, 1 / 4)
    assert (a.mean_score, b.mean_score) == (pytest.approx(0.5), pytest.approx(0.4))


def test_a_rate_of_nobody_is_not_known() -> None:
    """fairlearn says 0, which would be the best a group can have."""
    a, b = table_of(frame_of(["a", "a", "b", "b"], [0, 0, 1, 1], [1, 0, 1, 0], [0.5] * 4), min_support=1)
    assert (a.true_positive_rate, b.false_positive_rate) == (None, None)
    assert (a.false_positive_rate, b.true_positive_rate) == (0.5, 0.5)


def test_small_groups_pool_and_nulls_are_a_group_of_their_own() -> None:
    frame = frame_of(["a", "a", "b", "c", None, None], [0, 1] * 3, [1, 0] * 3, [0.5] * 6)
    assert [(row.group, row.rows) for row in table_of(frame, min_support=2)] == [("a", 2), ("missing", 2), ("other", 2)]


def test_an_attribute_is_shown_once_for_each_selection(
    predictions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    asked["acceptance"] = {
        "rates": FAIR | {"metric": "false_positive_rate_difference"},
        "parity": FAIR | {"metric": "demographic_parity_difference"},
        "wide": FAIR | {"metric": "demographic_parity_difference", "share": 0.2},
    }
    evaluation: Evaluation = run(
        predictions.assign(region=predictions["region"].fillna("north").replace("east", "south")),
        Requirements.model_validate(asked),
    )
    assert [(row.group, row.share) for row in evaluation.groups] == [
        ("north", 0.1), ("south", 0.1), ("north", 0.2), ("south", 0.2)
    ]  # fmt: skip
