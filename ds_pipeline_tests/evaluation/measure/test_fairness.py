"""Differences between groups of a protected attribute, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.gates.verdicts import apply_gates
from ds_pipeline.evaluation.measure.fairness import GroupRow, count_cells, group_difference, group_table
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.use_case.requirements import (
    CalibrationDifference,
    DemographicParityDifference,
    EqualizedOddsDifference,
    FalsePositiveRateDifference,
    GroupDifference,
    Requirements,
)

# Group a, the first six: 4 negatives, 1 selected; 2 positives, both selected.
# Group b, the others: 2 negatives, 1 selected; 4 positives, 1 selected.
LABEL = [0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1]
SELECTED = [1, 0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0]
SCORE = [0.5] * 6 + [0.4] * 6
ASKED = {"attribute": "group", "share": 0.5, "maximum": 0.1, "bound": "point", "owner": "crm"}
FAIR = {"attribute": "region", "share": 0.1, "maximum": 0.9, "bound": "point", "owner": "crm"}
METRICS: dict[str, type[GroupDifference]] = {
    "false_positive_rate_difference": FalsePositiveRateDifference,
    "demographic_parity_difference": DemographicParityDifference,
    "equalized_odds_difference": EqualizedOddsDifference,
    "calibration_difference": CalibrationDifference,
}


def frame_of(groups: list[str | None], label: list[int], selected: list[int], score: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"group": groups, "label": label, "is_selected": selected, "score": score})


def two_groups() -> pd.DataFrame:
    return frame_of(["a"] * 6 + ["b"] * 6, LABEL, SELECTED, SCORE)


def difference(metric: str, frame: pd.DataFrame) -> float:
    threshold = METRICS[metric].model_validate(ASKED | {"metric": metric})
    return group_difference(threshold, count_cells(frame, attribute="group", min_support=1))


def table_of(frame: pd.DataFrame, *, min_support: int) -> list[GroupRow]:
    cells = count_cells(frame, attribute="group", min_support=min_support)
    return group_table(cells, attribute="group", share=0.5, min_support=min_support)


def fair(asked: dict[str, Any], metric: str, **changes: Any) -> Requirements:
    asked["acceptance"] = {"fair": FAIR | {"metric": metric} | changes}
    return Requirements.model_validate(asked)


# By hand


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("false_positive_rate_difference", 1 / 2 - 1 / 4),
        ("demographic_parity_difference", 3 / 6 - 2 / 6),
        ("equalized_odds_difference", 2 / 2 - 1 / 4),  # true positive rates are further apart than false ones
        ("calibration_difference", (0.5 - 2 / 6) - (0.4 - 4 / 6)),  # one group too high, the other too low
    ],
)
def test_the_difference_of_two_groups(metric: str, expected: float) -> None:
    assert difference(metric, two_groups()) == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS)
def test_the_groups_that_are_furthest_apart_count(metric: str) -> None:
    """A third group in the middle changes nothing: c has half of the rows of each of the others."""
    middle = two_groups()
    both = pd.concat([middle, middle.assign(group="c")])
    assert difference(metric, both) == pytest.approx(difference(metric, middle))


@pytest.mark.parametrize("metric", METRICS)
def test_groups_that_are_alike_do_not_differ(metric: str) -> None:
    alike = pd.concat([two_groups().assign(group="a"), two_groups().assign(group="b")])
    assert difference(metric, alike) == pytest.approx(0)


def test_the_table_says_the_rates_of_each_group() -> None:
    a, b = table_of(two_groups(), min_support=1)
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


# As gates: the regions of the made-up rows are north (240 rows), south (64), east (8) and none (8)


@pytest.fixture
def regions(predictions: pd.DataFrame) -> pd.DataFrame:
    """North and south only, 248 and 72 rows."""
    return predictions.assign(region=predictions["region"].fillna("north").replace("east", "south"))


@pytest.mark.parametrize("metric", METRICS)
def test_a_difference_is_the_one_of_the_table_beside_it(
    metric: str, regions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    found = run(regions, fair(asked, metric))
    north, south = found.groups
    assert (north.rows, south.rows) == (248, 72)
    apart = {
        "false_positive_rate_difference": abs(north.false_positive_rate - south.false_positive_rate),
        "demographic_parity_difference": abs(north.selected_share - south.selected_share),
        "equalized_odds_difference": max(
            abs(north.false_positive_rate - south.false_positive_rate),
            abs(north.true_positive_rate - south.true_positive_rate),
        ),
        "calibration_difference": abs((north.mean_score - north.base_rate) - (south.mean_score - south.base_rate)),
    }
    measured = found.measurements["fair"]
    assert measured.value == pytest.approx(apart[metric])
    assert measured.value > 0
    assert measured.bound is None


def test_the_selection_is_the_highest_share_of_each_week(
    regions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    groups = run(regions, fair(asked, "demographic_parity_difference", share=0.25)).groups
    assert sum(row.rows * row.selected_share for row in groups) == pytest.approx(8 * 10)  # of 40 in each of 8 weeks


@pytest.mark.parametrize("metric", METRICS)
def test_groups_further_apart_than_the_maximum_are_refused(
    metric: str, regions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    evaluation = run(regions, fair(asked, metric))
    value = evaluation.measurements["fair"].value
    limits = {limit: fair(asked, metric, maximum=limit) for limit in (value, value * 0.99)}
    assert [apply_gates(evaluation, one)[0].passed for one in limits.values()] == [True, False]


@pytest.mark.parametrize("metric", METRICS)
def test_a_pool_that_is_still_too_small_refuses(
    metric: str, predictions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    requirements = fair(asked, metric)
    evaluation = run(predictions, requirements)
    gate = apply_gates(evaluation, requirements)[0]
    assert not gate.passed
    assert gate.value is None
    assert "of region, other has 16 rows, though all small groups are in it; 50 are needed" in gate.reason
    assert [row.is_assessable for row in evaluation.groups] == [True, True, False]
    assert evaluation.groups[-1].selected_share is None


def test_a_single_group_has_nothing_to_be_compared_with_and_refuses(
    predictions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    requirements = fair(asked, "demographic_parity_difference")
    gate = apply_gates(run(predictions.assign(region="north"), requirements), requirements)[0]
    assert not gate.passed
    assert "region has a single group" in gate.reason


@pytest.mark.parametrize(
    ("metric", "label", "words"),
    [
        ("false_positive_rate_difference", 1, "south has no negatives"),
        ("equalized_odds_difference", 1, "south has no negatives"),
        ("equalized_odds_difference", 0, "south has no positives"),
    ],
)
def test_a_group_without_anybody_that_the_rate_is_of_refuses(
    metric: str, label: int, words: str, regions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    requirements = fair(asked, metric)
    regions.loc[regions["region"] == "south", "label"] = label
    gate = apply_gates(run(regions, requirements), requirements)[0]
    assert not gate.passed
    assert words in gate.reason


def test_an_attribute_with_nulls_is_compared_with_them(
    predictions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    nulls = predictions.assign(region=predictions["region"].where(predictions["region"] == "north", None))
    assert [(row.group, row.rows) for row in run(nulls, fair(asked, "calibration_difference")).groups] == [
        ("north", 240),
        ("missing", 80),
    ]


@pytest.mark.parametrize("metric", METRICS)
def test_an_attribute_that_half_of_the_rows_lack_refuses(
    metric: str, predictions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    half = predictions["customer_token"] < "token-20"
    requirements = fair(asked, metric)
    evaluation = run(predictions.assign(region=np.where(half, "north", None)), requirements)
    gate = apply_gates(evaluation, requirements)[0]
    assert (gate.passed, gate.value) == (False, None)
    assert "region is missing in 50% of the rows" in gate.reason
    assert [(row.group, row.rows, row.is_assessable) for row in evaluation.groups] == [
        ("north", 160, True),
        ("missing", 160, True),
    ]


def test_an_attribute_that_is_not_in_the_predictions_is_an_error(
    predictions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    with pytest.raises(EvaluationError, match="gender"):
        run(predictions, fair(asked, "calibration_difference", attribute="gender"))


def test_an_attribute_is_shown_once_for_each_selection(regions: pd.DataFrame, asked: dict[str, Any], run: Any) -> None:
    asked["acceptance"] = {
        "rates": FAIR | {"metric": "false_positive_rate_difference"},
        "parity": FAIR | {"metric": "demographic_parity_difference"},
        "wide": FAIR | {"metric": "demographic_parity_difference", "share": 0.2},
    }
    evaluation: Evaluation = run(regions, Requirements.model_validate(asked))
    assert [(row.group, row.share) for row in evaluation.groups] == [
        ("north", 0.1), ("south", 0.1), ("north", 0.2), ("south", 0.2)
    ]  # fmt: skip


@pytest.mark.parametrize("change", [{"share": 0.2}, {"attribute": "area"}], ids=["share", "attribute"])
def test_an_evaluation_of_other_groups_refuses(
    change: dict[str, Any], regions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    evaluation = run(regions, fair(asked, "demographic_parity_difference"))
    other = fair(asked, "demographic_parity_difference", **change)
    assert not any(gate.passed for gate in apply_gates(evaluation, other))
