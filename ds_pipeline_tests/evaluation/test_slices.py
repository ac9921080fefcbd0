from __future__ import annotations

import pandas as pd
import pytest

from ds_pipeline.evaluation.outcome import Evaluation
from ds_pipeline.evaluation.slices import slice_table


def frame_of(groups: list[str | None], label: list[int], selected: list[int]) -> pd.DataFrame:
    score = [1 - place / len(label) for place in range(len(label))]
    return pd.DataFrame({"group": groups, "label": label, "score": score, "is_selected": [s == 1 for s in selected]})


def test_each_group_has_its_own_numbers() -> None:
    frame = frame_of(["a", "a", "a", "b", "b"], label=[1, 0, 1, 0, 1], selected=[1, 1, 0, 0, 1])
    a, b = slice_table(frame, slices=["group"], min_support=2)
    assert (a.group, a.rows, a.positives, a.selected, a.precision, a.recall) == ("a", 3, 2, 2, 1 / 2, 1 / 2)
    assert (b.group, b.rows, b.positives, b.selected, b.precision, b.recall) == ("b", 2, 1, 1, 1.0, 1.0)
    assert a.base_rate == 2 / 3
    assert a.average_precision == pytest.approx((1 + 2 / 3) / 2)


def test_small_groups_pool_into_other() -> None:
    frame = frame_of(["a", "a", "b", "c"], label=[1, 0, 1, 0], selected=[1, 0, 1, 0])
    rows = slice_table(frame, slices=["group"], min_support=2)
    assert [(row.group, row.rows, row.is_assessable) for row in rows] == [("a", 2, True), ("other", 2, True)]


def test_what_is_still_too_small_together_is_not_assessable() -> None:
    frame = frame_of(["a", "a", "b"], label=[1, 0, 1], selected=[1, 0, 1])
    other = slice_table(frame, slices=["group"], min_support=2)[1]
    assert (other.group, other.is_assessable) == ("other", False)
    assert (other.average_precision, other.precision, other.recall) == (None, None, None)


def test_nulls_are_a_group_of_their_own() -> None:
    frame = frame_of(["z", "z", None, None], label=[1, 0, 1, 0], selected=[1, 0, 1, 0])
    assert [row.group for row in slice_table(frame, slices=["group"], min_support=1)] == ["z", "missing"]


def test_a_group_in_which_nobody_is_selected_has_no_precision() -> None:
    frame = frame_of(["a", "a"], label=[1, 0], selected=[0, 0])
    (a,) = slice_table(frame, slices=["group"], min_support=1)
    assert (a.precision, a.recall) == (None, 0.0)


@pytest.mark.parametrize(("label", "recall"), [(0, None), (1, 0.5)], ids=["no positive", "no negative"])
def test_a_group_of_one_class_has_no_average_precision(label: int, recall: float | None) -> None:
    (a,) = slice_table(frame_of(["a", "a"], label=[label, label], selected=[1, 0]), slices=["group"], min_support=1)
    assert a.average_precision is None
    assert a.recall == recall


def test_the_groups_of_an_evaluation_add_up(evaluated: Evaluation) -> None:
    # east (8 rows) and missing (8 rows) pool, and 16 rows are below the 50 that the requirements ask
    found = [(row.slice, row.group, row.rows, row.is_assessable) for row in evaluated.slices]
    assert found == [
        ("region", "north", 240, True),
        ("region", "south", 64, True),
        ("region", "other", 16, False),
    ]
    assert sum(row.selected for row in evaluated.slices) == evaluated.operating_points[0].selected
