"""Errors of a campaign in groups with traits: where they come from is found and said in words."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.evaluation.checks.error_analysis import ErrorAnalysis, errors_with_rows
from ds_pipeline.use_case.features import FeatureSet

COMMON = {"unit": "days", "nullable": True, "role": "input"}
FEATURES = FeatureSet.model_validate(
    {
        "features": {
            "away": COMMON | {"dtype": "int64", "minimum": 0, "maximum": 99, "meaning": "days away"},
            "plan": COMMON | {"dtype": "string", "categories": ["gold", "basic"], "meaning": "the plan"},
            "is_new": COMMON | {"dtype": "bool", "meaning": "is new"},
            "note": COMMON | {"dtype": "text", "topics": 2, "meaning": "the last note"},
        }
    }
)
WEEKS = [date(2024, 1, 1), date(2024, 1, 8)]


@pytest.fixture
def rows() -> pd.DataFrame:
    """Two weeks of 100; the first half of each is selected. Label: what a test says."""
    one = pd.DataFrame({"customer_token": [f"t{number:03d}" for number in range(100)]})
    one = one.assign(
        score=np.linspace(1, 0, 100), away=np.arange(100) % 10, plan="gold", is_new=False, note=None, label=0
    )
    return pd.concat([one.assign(scoring_date=day) for day in WEEKS], ignore_index=True)


def analyse(rows: pd.DataFrame, min_support: int = 10) -> tuple[ErrorAnalysis, ErrorAnalysis]:
    (false_positives, _), (false_negatives, _) = errors_with_rows(
        rows, entity="customer_token", features=FEATURES, share=0.5, min_support=min_support, seed=1
    )
    return false_positives, false_negatives


@pytest.mark.parametrize(
    ("changes", "trait", "opposite"),
    [
        pytest.param({}, "days away: above 4 days", "days away: at most 4 days", id="number"),
        pytest.param({"plan": ["gold", "basic"]}, "the plan: basic", "the plan: not basic", id="category"),
        pytest.param({"is_new": [False, True]}, "is new: yes", "is new: no", id="flag"),
        pytest.param({"note": [None, "no"]}, "the last note: given", "the last note: none", id="text"),
        pytest.param({"away": [1.0, np.nan]}, "days away: missing", "days away: known", id="missing"),
    ],
)
def test_the_trait_that_tells_errors_from_hits_is_found(
    changes: dict[str, list[Any]], trait: str, opposite: str, rows: pd.DataFrame
) -> None:
    """Whoever is away for five days or more stays: all of them are selected in vain, all others are hits."""
    is_error = rows["away"] > 4
    for name, (of_hits, of_errors) in changes.items():
        rows = rows.assign(away=1) if "away" not in changes else rows
        rows = rows.assign(**{name: np.where(is_error, of_errors, of_hits)})

    found, _ = analyse(rows.assign(label=(~is_error).astype(int)))

    assert (found.kind, found.rows, found.errors, found.error_rate) == (
        "false positives among the selected", 100, 50, 0.5
    )  # fmt: skip
    wrong, right = found.groups
    assert (wrong.rows, wrong.errors, wrong.error_rate, wrong.share_of_errors) == (50, 50, 1.0, 1.0)
    assert (right.rows, right.errors, right.error_rate, right.share_of_errors) == (50, 0, 0.0, 0.0)
    assert (wrong.traits, right.traits) == ([trait], [opposite])


def test_the_positives_that_were_not_selected_are_missed(rows: pd.DataFrame) -> None:
    """Positive are 20 of the selected and 30 others of each week."""
    number = np.tile(np.arange(100), 2)

    _, found = analyse(rows.assign(label=((number < 20) | (number >= 70)).astype(int)))

    assert (found.kind, found.rows, found.errors) == ("false negatives among the positives", 100, 60)
    assert sum(group.errors for group in found.groups) == 60


def test_bounds_on_one_trait_become_one_condition(rows: pd.DataFrame) -> None:
    between = rows["away"].between(3, 6)

    found, _ = analyse(rows.assign(label=(~between).astype(int)))

    assert found.groups[0].traits == ["days away: above 2 days and at most 6 days"]
    assert (found.groups[0].rows, found.groups[0].error_rate) == (40, 1.0)


def test_no_group_is_smaller_than_the_support(rows: pd.DataFrame) -> None:
    found, _ = analyse(rows.assign(label=(rows["away"] != 9).astype(int)), min_support=40)

    assert all(group.rows >= 40 for group in found.groups)
    assert sum(group.rows for group in found.groups) == 100


def test_too_few_rows_are_a_problem(rows: pd.DataFrame) -> None:
    """One positive a week: two rows cannot be grouped."""
    _, found = analyse(rows.assign(label=(rows["customer_token"] == "t099").astype(int)))

    assert (found.rows, found.errors, found.groups) == (2, 2, [])
    assert found.problem == "2 rows are fewer than the 10 that a group needs"


def test_the_selection_is_that_of_each_week_with_ties_by_entity(rows: pd.DataFrame) -> None:
    """All scores of a week are the same: the first fifty tokens are selected, whatever their order."""
    number = np.tile(np.arange(100), 2)
    tied = rows.assign(score=0.5, label=(number >= 50).astype(int)).sample(frac=1, random_state=3)

    false_positives, false_negatives = analyse(tied)

    assert (false_positives.errors, false_negatives.errors) == (100, 100)


def test_each_group_comes_with_the_positions_of_its_errors(rows: pd.DataFrame) -> None:
    found = errors_with_rows(rows, entity="customer_token", features=FEATURES, share=0.5, min_support=10, seed=1)
    for (analysis, groups), label in zip(found, (0, 1), strict=True):
        assert [len(there) for there in groups] == [group.errors for group in analysis.groups]
        assert all((rows["label"].iloc[there] == label).all() for there in groups)


def test_no_token_stands_in_the_record(rows: pd.DataFrame) -> None:
    assert not any(b"t0" in one.to_json() for one in analyse(rows))
