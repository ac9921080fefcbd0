"""Differences between groups of a protected attribute, their support, and chance: by hand."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.gates.verdicts import apply_gates
from ds_pipeline.evaluation.measure.group_differences import Compared, compare
from ds_pipeline.use_case.requirements import (
    Bootstrap,
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
    """Everybody in one week."""
    return pd.DataFrame(
        {"token": range(len(label)), "group": groups, "label": label, "is_selected": selected, "score": score}
    )


def two_groups() -> pd.DataFrame:
    return frame_of(["a"] * 6 + ["b"] * 6, LABEL, SELECTED, SCORE)


def members(group: str | None, *, positives: int, hits: int, negatives: int = 0, false: int = 0) -> pd.DataFrame:
    """One group: of its positives so many are selected, and so many of its negatives."""
    selected = [1] * hits + [0] * (positives - hits) + [1] * false + [0] * (negatives - false)
    rows = positives + negatives
    return frame_of([group] * rows, [1] * positives + [0] * negatives, selected, [0.5] * rows)


def together(*groups: pd.DataFrame) -> pd.DataFrame:
    frame = pd.concat(groups, ignore_index=True)
    return frame.assign(token=range(len(frame)))


def compared(
    metric: str, frame: pd.DataFrame, *, min_support: int = 1, draws: int = 100, confidence: float = 0.95
) -> Compared:
    return compare(
        METRICS[metric].model_validate(ASKED | {"metric": metric}),
        frame,
        entity="token",
        min_support=min_support,
        settings=Bootstrap(resamples=draws, confidence=confidence, seed=7),
    )


def difference(metric: str, frame: pd.DataFrame) -> float | None:
    return compared(metric, frame).value


def fair(asked: dict[str, Any], metric: str, **changes: Any) -> Requirements:
    asked["acceptance"] = {"fair": FAIR | {"metric": metric} | changes}
    asked["slices"] = {"min_support": 20}
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


# Support: counted in what a rate is of


def test_a_group_of_many_rows_and_few_positives_is_not_judged_by_its_true_positive_rate() -> None:
    """A group of thousands of rows with 121 positives once decided over equalized odds, by chance."""
    frame = together(
        members("f", positives=50, hits=30, negatives=50),
        members("m", positives=50, hits=28, negatives=50),
        members("x", positives=10, hits=4, negatives=90, false=9),
    )

    odds = compared("equalized_odds_difference", frame, min_support=20)

    assert odds.value == pytest.approx(9 / 90)  # the false positive rate, of which all have enough; not 0.60 - 0.40
    assert "With fewer than 20 positives, not judged on their own: x." in (odds.note or "")
    assert "negatives" not in (odds.note or "")


def test_small_groups_are_judged_together_where_that_is_enough() -> None:
    frame = together(
        members("f", positives=50, hits=30, negatives=30),
        members("m", positives=50, hits=30, negatives=30),
        members("x", positives=12, hits=4, negatives=30),
        members("y", positives=12, hits=5, negatives=30),
    )
    assert compared("equalized_odds_difference", frame, min_support=20).value == pytest.approx(30 / 50 - 9 / 24)
    assert compared("equalized_odds_difference", frame, min_support=30).value == pytest.approx(0)


@pytest.mark.parametrize(("hits", "value"), [(9, 0.15), (0, 0.75)], ids=["as-by-chance", "beyond-chance"])
def test_a_small_group_counts_once_its_distance_is_beyond_chance(hits: int, value: float) -> None:
    """10 positives, of whom nobody was found while others were found in seven or eight of ten cases: no accident."""
    frame = together(
        members("f", positives=40, hits=30, negatives=40),
        members("m", positives=40, hits=24, negatives=40),
        members("x", positives=10, hits=hits, negatives=40),
    )

    found = compared("equalized_odds_difference", frame, min_support=20)

    assert found.value == pytest.approx(value)
    assert ("but beyond chance: x." in (found.note or "")) is (hits == 0)


@pytest.mark.parametrize("metric", METRICS)
def test_without_two_groups_of_enough_support_nothing_can_be_judged(metric: str) -> None:
    """The other group is too far off to be chance, and even so a single group is compared with nothing."""
    small = members("b", positives=5, hits=0, negatives=5, false=5)
    found = compared(metric, together(members("a", positives=50, hits=50, negatives=50), small), min_support=20)
    assert found.value is None
    assert "group has fewer than two groups of 20" in (found.problem or "")


# Chance


def test_chance_is_what_dealing_the_groups_anew_gives() -> None:
    """Four positives, two found, two in each group: of the 6 ways to deal them 2 set the groups fully apart."""
    ways = [abs(sum(SELECTED_OF[i] for i in two) / 2 - (2 - sum(SELECTED_OF[i] for i in two)) / 2)
            for two in combinations(range(4), 2)]  # fmt: skip
    assert sorted(ways) == [0, 0, 0, 0, 1, 1]
    frame = together(members("a", positives=2, hits=1, negatives=2), members("b", positives=2, hits=1, negatives=2))

    at = {share: compared("equalized_odds_difference", frame, draws=600, confidence=share) for share in (0.6, 0.75)}

    assert [found.chance for found in at.values()] == [0, 1]


SELECTED_OF = [1, 0, 1, 0]


def test_chance_deals_whole_entities_and_not_rows() -> None:
    """40 people in 5 weeks are not 200 people: what is measured of them is as uncertain as what is measured of 40."""
    week = together(
        members("a", positives=20, hits=10, negatives=20), members("b", positives=20, hits=10, negatives=20)
    )
    weeks = pd.concat([week] * 5, ignore_index=True)
    metric = "equalized_odds_difference"

    by_entity, by_row = compared(metric, weeks), compared(metric, weeks.assign(token=range(len(weeks))))

    assert by_entity.chance == compared(metric, week).chance
    assert by_row.chance < 0.6 * by_entity.chance  # as 1 to the root of 5


def test_chance_leaves_each_group_its_positives() -> None:
    """Groups with 10 and 90 % positives: were all rows dealt alike, b would have five times the positives it has."""
    frame = together(
        members("a", positives=90, hits=45, negatives=10), members("b", positives=10, hits=5, negatives=90)
    )
    rng = np.random.default_rng(1)
    plain = []
    for _ in range(2000):
        found = rng.permutation([1] * 50 + [0] * 50)  # of the 100 positives, 90 are of a
        plain.append(abs(found[:90].mean() - found[90:].mean()))

    chance = compared("equalized_odds_difference", frame, draws=2000).chance

    assert chance == pytest.approx(np.quantile(plain, 0.95), abs=0.04)


def test_chance_is_the_same_again_and_does_not_hang_on_the_order_of_rows() -> None:
    frame = two_groups()
    first = compared("calibration_difference", frame)
    assert compared("calibration_difference", frame) == first


def test_a_limit_inside_chance_says_so_and_stays_what_it_is(
    regions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    evaluation = run(regions, fair(asked, "equalized_odds_difference"))
    measured = evaluation.measurements["fair"]
    below = min(measured.value, measured.chance) * 0.99
    tight, wide = (
        apply_gates(evaluation, fair(asked, "equalized_odds_difference", maximum=limit))[0] for limit in (below, 0.9)
    )
    assert (tight.passed, wide.passed) == (False, True)
    assert "a model that treats all groups alike would be refused too often" in tight.reason
    assert "refused too often" not in wide.reason
    assert f"chance alone gives up to {measured.chance:.3g} in 95 % of draws" in wide.reason
    assert tight.chance == wide.chance == measured.chance


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


@pytest.mark.parametrize("metric", [name for name in METRICS if name != "calibration_difference"])
def test_a_pool_that_is_still_too_small_is_named(
    metric: str, predictions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    requirements = fair(asked, metric)
    evaluation = run(predictions, requirements)
    gate = apply_gates(evaluation, requirements)[0]
    assert gate.passed
    assert "not judged on their own: east, missing." in gate.reason
    assert [row.is_assessable for row in evaluation.groups] == [True, True, False]
    assert evaluation.groups[-1].selected_share is None


def test_a_single_group_has_nothing_to_be_compared_with_and_refuses(
    predictions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    requirements = fair(asked, "demographic_parity_difference")
    gate = apply_gates(run(predictions.assign(region="north"), requirements), requirements)[0]
    assert not gate.passed
    assert "region has fewer than two groups of 20 rows" in gate.reason


@pytest.mark.parametrize(
    ("metric", "label", "words"),
    [
        ("false_positive_rate_difference", 1, "fewer than two groups of 20 negatives"),
        ("equalized_odds_difference", 1, "fewer than two groups of 20 negatives"),
        ("equalized_odds_difference", 0, "fewer than two groups of 20 positives"),
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


@pytest.mark.parametrize("change", [{"share": 0.2}, {"attribute": "area"}], ids=["share", "attribute"])
def test_an_evaluation_of_other_groups_refuses(
    change: dict[str, Any], regions: pd.DataFrame, asked: dict[str, Any], run: Any
) -> None:
    evaluation = run(regions, fair(asked, "demographic_parity_difference"))
    other = fair(asked, "demographic_parity_difference", **change)
    assert not any(gate.passed for gate in apply_gates(evaluation, other))
