from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from ds_pipeline.evaluation.measure import slices
from ds_pipeline.evaluation.measure.slices import SliceRow, in_quarters, pooled_groups, slice_table
from ds_pipeline.evaluation.result import Evaluation


def frame_of(groups: list[str | None], label: list[int], selected: list[int]) -> pd.DataFrame:
    score = [1 - place / len(label) for place in range(len(label))]
    return pd.DataFrame(
        {
            "scoring_date": "2024-01-01",
            "token": [f"t{place:03d}" for place in range(len(label))],
            "group": groups,
            "label": label,
            "score": score,
            "is_selected": [s == 1 for s in selected],
        }
    )


def table_of(frame: pd.DataFrame, **changes: Any) -> list[SliceRow]:
    arguments: dict[str, Any] = {"slices": ["group"], "min_support": 1, "seed": 1}
    return slice_table(frame, entity="token", **(arguments | changes))


def names(rows: list[SliceRow]) -> list[tuple[str, str]]:
    return [(row.slice, row.group) for row in rows]


def test_each_group_has_its_own_numbers() -> None:
    frame = frame_of(["a", "a", "a", "b", "b"], label=[1, 0, 1, 0, 1], selected=[1, 1, 0, 0, 1])
    b, a = table_of(frame, min_support=2)
    assert (a.group, a.rows, a.positives, a.selected, a.precision, a.recall) == ("a", 3, 2, 2, 1 / 2, 1 / 2)
    assert (b.group, b.rows, b.positives, b.selected, b.precision, b.recall) == ("b", 2, 1, 1, 1.0, 1.0)
    assert a.base_rate == 2 / 3
    assert a.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert a.lift == pytest.approx((1 + 2 / 3) / 2 / (2 / 3))
    assert (b.average_precision, b.lift) == (0.5, 1.0)


def test_the_worst_lift_comes_first_and_what_cannot_be_assessed_last() -> None:
    # a: perfect; b: the positive is last of two; c: no positives; d: one row
    frame = frame_of(["a", "a", "b", "b", "c", "c", "d"], label=[1, 0, 0, 1, 0, 0, 1], selected=[0] * 7)
    found = [(row.group, row.lift, row.is_assessable) for row in table_of(frame, min_support=2)]
    assert found == [("b", 1.0, True), ("a", 2.0, True), ("c", None, True), ("other", None, False)]


def test_small_groups_pool_into_other() -> None:
    frame = frame_of(["a", "a", "b", "c"], label=[1, 0, 1, 0], selected=[1, 0, 1, 0])
    rows = table_of(frame, min_support=2)
    assert [(row.group, row.rows, row.is_assessable) for row in rows] == [("a", 2, True), ("other", 2, True)]


def test_what_is_still_too_small_together_is_not_assessable() -> None:
    frame = frame_of(["a", "a", "b"], label=[1, 0, 1], selected=[1, 0, 1])
    other = table_of(frame, min_support=2)[-1]
    assert (other.group, other.rows, other.is_assessable) == ("other", 1, False)
    assert (other.average_precision, other.lift, other.lower, other.upper) == (None, None, None, None)
    assert (other.precision, other.recall) == (None, None)


def test_nulls_are_a_group_of_their_own() -> None:
    frame = frame_of(["z", "z", None, None], label=[1, 0, 1, 0], selected=[1, 0, 1, 0])
    assert sorted(row.group for row in table_of(frame)) == ["missing", "z"]


def test_a_group_in_which_nobody_is_selected_has_no_precision() -> None:
    (a,) = table_of(frame_of(["a", "a"], label=[1, 0], selected=[0, 0]))
    assert (a.precision, a.recall) == (None, 0.0)


@pytest.mark.parametrize(("label", "recall"), [(0, None), (1, 0.5)], ids=["no positive", "no negative"])
def test_a_group_of_one_class_has_no_average_precision(label: int, recall: float | None) -> None:
    (a,) = table_of(frame_of(["a", "a"], label=[label, label], selected=[1, 0]))
    assert a.average_precision is None
    assert a.recall == recall


def random_frame(size: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    frame = frame_of(["a"] * size, label=[0] * size, selected=[0] * size)
    return frame.assign(
        group=rng.choice(["a", "b", "c"], size),
        label=rng.integers(0, 2, size),
        score=rng.random(size).round(1),
        spend=rng.gamma(1, 10, size),
        visits=rng.integers(0, 3, size),
        scoring_date=np.repeat(["2024-01-01", "2024-01-08"], size // 2),
        token=[f"t{place % (size // 2):03d}" for place in range(size)],
    )


def test_the_average_precision_is_that_of_scikit_learn_and_lies_in_its_interval() -> None:
    frame = random_frame()
    for row in table_of(frame):
        if row.slice == "group":
            members = frame[frame["group"] == row.group]
            assert row.average_precision == pytest.approx(average_precision_score(members["label"], members["score"]))
            assert row.lower < row.average_precision < row.upper  # type: ignore[operator]


def test_the_interval_is_seeded_and_draws_whole_entities() -> None:
    frame = random_frame()
    assert table_of(frame) == table_of(frame.sample(frac=1, random_state=3))
    assert table_of(frame) != table_of(frame, seed=2)
    # one entity: every resample holds all of its rows once
    (a,) = table_of(frame.head(50).assign(token="t", group="a"))
    assert a.lower == a.average_precision == a.upper


def test_a_group_that_may_lack_positives_in_a_resample_has_no_interval() -> None:
    (a,) = table_of(frame_of(["a"] * 9, label=[1] + [0] * 8, selected=[0] * 9))
    assert (a.average_precision, a.lower, a.upper) == (1.0, None, None)


def test_inputs_weeks_and_new_entities_are_split_by_without_being_declared() -> None:
    frame = random_frame()
    rows = table_of(frame, automatic=["spend", "visits"], known_entities={f"t{place:03d}" for place in range(150)})
    assert {row.slice for row in rows if row.is_declared} == {"group"}
    sizes = {(row.slice, row.group): row.rows for row in rows if not row.is_declared}
    assert sizes["entity_in_training", "known"] == 300
    assert sizes["entity_in_training", "new"] == 100
    assert sizes["scoring_date", "2024-01-08"] == 200
    assert [size for (name, _), size in sizes.items() if name == "spend"] == [100] * 4
    assert {group for name, group in sizes if name == "visits"} == {"0", "1", "2"}


def test_a_declared_slice_is_not_there_twice_and_one_group_is_no_split() -> None:
    frame = random_frame().assign(scoring_date="2024-01-01", constant=1)
    rows = table_of(frame, automatic=["group", "constant"], known_entities=set(frame["token"]))
    assert sorted(names(rows)) == [("group", "a"), ("group", "b"), ("group", "c")]


def test_only_the_worst_automatic_groups_have_an_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "WORST", 2)
    rows = table_of(random_frame(), automatic=["spend", "visits"])
    automatic = [row for row in rows if not row.is_declared]
    assert [row.lower is not None for row in automatic] == [True, True] + [False] * (len(automatic) - 2)
    assert all(row.lower is not None for row in rows if row.is_declared)


# Groups


def test_a_quarter_holds_its_upper_limit() -> None:
    quarters = in_quarters(pd.Series([1.0, 2, 3, 4, 5, 6, 7, 8, None]))
    # the limits are the quartiles 2.75, 4.5 and 6.25
    assert quarters.tolist()[:4] == ["up to 2.75", "up to 2.75", "above 2.75, up to 4.5", "above 2.75, up to 4.5"]
    assert quarters.tolist()[6:] == ["above 6.25", "above 6.25", None]


def test_values_that_are_the_same_are_never_parted() -> None:
    assert in_quarters(pd.Series([0] * 16 + [1, 2, 3, 4])).value_counts().to_dict() == {"up to 0": 16, "above 0": 4}
    assert in_quarters(pd.Series([92] * 16 + [1, 2, 3, 91])).value_counts().to_dict() == {"up to 91": 4, "above 91": 16}


def test_limits_are_shown_with_as_few_digits_as_tell_them_apart() -> None:
    near = pd.Series([1.0001, 1.0002, 1.0003, 1.0004, 1.0005])
    assert in_quarters(near).tolist()[0] == "up to 1.0002"
    assert in_quarters(near).nunique() == 4


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(pd.Series([True, False] * 5), id="flags"),
        pytest.param(pd.Series(list("abcdefgh")), id="words"),
        pytest.param(pd.Series([1, 2, 3, 4] * 3), id="four numbers"),
        pytest.param(pd.Series([None, None], dtype="float64"), id="nothing"),
    ],
)
def test_what_has_few_values_or_is_no_number_stays_as_it_is(column: pd.Series) -> None:
    pd.testing.assert_series_equal(in_quarters(column), column)


def test_the_groups_are_in_order_with_missing_and_other_last() -> None:
    groups = pooled_groups(pd.Series(["b", "b", "a", "a", None, None, "x", "y"], index=range(8, 0, -1)), 2)
    assert groups.tolist() == ["b", "b", "a", "a", "missing", "missing", "other", "other"]
    assert list(groups.cat.categories) == ["a", "b", "missing", "other"]
    assert list(groups.index) == list(range(8, 0, -1))


def test_few_nulls_pool_like_any_other_small_group() -> None:
    assert pooled_groups(pd.Series(["a", "a", None]), 2).tolist() == ["a", "a", "other"]


def test_the_groups_of_an_evaluation_add_up(evaluated: Evaluation) -> None:
    # east (8 rows) and missing (8 rows) pool, and 16 rows are below the 50 that the requirements ask
    declared = [row for row in evaluated.slices if row.is_declared]
    assert sorted((row.group, row.rows, row.is_assessable) for row in declared) == [
        ("north", 240, True),
        ("other", 16, False),
        ("south", 64, True),
    ]
    assert sum(row.selected for row in declared) == evaluated.operating_points[0].selected
    assert not evaluated.slices[-1].is_assessable
