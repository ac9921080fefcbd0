"""The predictions frame: how it is tidied, and everything that can be wrong with it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.measure.predictions import (
    baseline_score,
    find_problems,
    require_truth,
    rival_problem,
    support_problems,
    tidy,
)
from ds_pipeline.use_case.requirements import BaselineRule, Holdout


@pytest.mark.parametrize(("higher", "expected"), [(True, [1.0, 9.0]), (False, [-1.0, -9.0])], ids=["higher", "lower"])
def test_the_baseline_is_turned_so_that_higher_means_more_likely(higher: bool, expected: list[float]) -> None:
    rule = BaselineRule(feature="days", higher_means_more_likely=higher)
    assert list(baseline_score(pd.DataFrame({"days": [1, 9]}), rule)) == expected


def test_a_baseline_feature_that_is_not_there_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="days"):
        baseline_score(pd.DataFrame({"other": [1]}), BaselineRule(feature="days", higher_means_more_likely=True))


WEEKS = [date(2024, 1, 1), date(2024, 1, 8)]
HOLDOUT = Holdout(weeks=2, min_rows=4, min_positives=2)


def frame(**changes: Any) -> pd.DataFrame:
    """Two customers in two weeks, one positive in each."""
    columns = {
        "token": ["a", "b", "a", "b"], "scoring_date": [WEEKS[0]] * 2 + [WEEKS[1]] * 2, "label": [1, 0, 0, 1],
        "score": [0.9, 0.1, 0.3, 0.7], "baseline": [5.0, 1.0, 2.0, 3.0],
    }  # fmt: skip
    return pd.DataFrame(columns | changes)


def problems(found: pd.DataFrame, *, holdout: Holdout = HOLDOUT, weeks: list[date] = WEEKS) -> list[str]:
    return find_problems(found, entity="token", holdout=holdout, weeks=weeks)


def test_a_whole_number_and_a_null_of_the_rule_become_numbers() -> None:
    rule = BaselineRule(feature="days", higher_means_more_likely=False)

    found = baseline_score(pd.DataFrame({"days": pd.array([3, None], "Int64")}, index=[7, 7]), rule)

    assert (found.name, found.index.tolist(), found.iloc[0]) == ("baseline", [7, 7], -3.0)
    assert np.isnan(found.iloc[1])


def test_tidying_types_and_sorts_by_week_and_entity_and_drops_the_rest() -> None:
    given = frame(scoring_date=[datetime(2024, 1, 8)] * 2 + [datetime(2024, 1, 1)] * 2, other="x", region=list("nsns"))

    found = tidy(given, entity="token", slices=["region"])

    assert found.columns.tolist() == ["token", "region", "scoring_date", "label", "score", "baseline"]
    assert found["scoring_date"].tolist() == [WEEKS[0]] * 2 + [WEEKS[1]] * 2
    assert found["label"].tolist() == [0.0, 1.0, 1.0, 0.0]
    assert found.index.tolist() == [0, 1, 2, 3]
    assert given["label"].tolist() == [1, 0, 0, 1]


def test_scores_to_compare_with_and_a_truth_are_kept_where_they_are() -> None:
    found = tidy(frame(champion=0.5, p=0.1), entity="token", slices=[], truth="p")

    assert {"champion", "p"} <= set(found.columns)
    assert "logistic_regression" not in found.columns


@pytest.mark.parametrize(
    ("changes", "slices", "message"),
    [
        pytest.param({"score": ["secret"] * 4}, [], "score must be numbers, found", id="text"),
        pytest.param({"scoring_date": ["secret"] * 4}, [], "scoring_date holds something that is not a date", id="day"),
        pytest.param(
            {}, ["region", "plan", "region"], "the columns region, plan are missing; found 5 others", id="gone"
        ),
    ],
)
def test_a_frame_that_cannot_be_evaluated_at_all_is_an_error_without_values(
    changes: dict[str, Any], slices: list[str], message: str
) -> None:
    with pytest.raises(EvaluationError, match=message) as error:
        tidy(frame(**changes), entity="token", slices=slices)

    assert "secret" not in str(error.value)


def test_a_good_frame_has_no_problem() -> None:
    assert problems(frame()) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"token": [None, "b", "a", "b"]}, ["1 row have no entity or no scoring date"], id="no-entity"),
        pytest.param({"token": ["a", "a", "a", "b"]}, ["1 row repeat an entity"], id="twice"),
        pytest.param({"label": [1, np.nan, 0, 1]}, ["1 row have no label"], id="no-label"),
        pytest.param({"label": [1, 2, 0, 1]}, ["1 row have a label other than 0 and 1"], id="label-of-two"),
        pytest.param({"score": [1.1, -0.1, np.nan, 0.5]}, ["3 rows have a score"], id="scores"),
        pytest.param({"score": [0.0, 1.0, 0.5, 0.5]}, [], id="scores-at-the-ends"),
        pytest.param({"score": 0.5}, ["every row has the same score, so nothing is ranked"], id="one-score"),
        pytest.param({"label": 1}, ["all labels are the same, so nothing can be told apart"], id="one-label"),
        pytest.param({"scoring_date": WEEKS[0], "token": list("abcd")},
                     ["no row for the holdout weeks 2024-01-08"], id="week-missing"),
    ],
)  # fmt: skip
def test_a_fault_of_the_frame_is_said_with_its_rows(changes: dict[str, Any], expected: list[str]) -> None:
    found = problems(frame(**changes))

    assert len(found) == len(expected)
    assert all(text.startswith(start) for text, start in zip(found, expected, strict=True))


def test_weeks_that_are_strange_or_too_few_are_named() -> None:
    assert problems(frame(), weeks=[WEEKS[1], date(2024, 1, 15)]) == [
        "no row for the holdout weeks 2024-01-15", "rows of weeks outside the holdout: 2024-01-01",
    ]  # fmt: skip
    assert problems(frame(), holdout=HOLDOUT.model_copy(update={"weeks": 3})) == [
        "the holdout was cut to 2 weeks; the requirements ask for 3"
    ]


def test_an_empty_frame_lacks_weeks_and_support_and_nothing_else() -> None:
    assert problems(frame().head(0)) == [
        "no row for the holdout weeks 2024-01-01, 2024-01-08",
        "0 rows; the requirements ask for 4 to assess anything", "0 positives; the requirements ask for 2",
    ]  # fmt: skip


@pytest.mark.parametrize(("rows", "positives", "count"), [(4, 2, 0), (3, 2, 1), (4, 1, 1), (3, 1, 2)])
def test_as_much_as_is_asked_for_is_enough(rows: int, positives: int, count: int) -> None:
    assert len(support_problems(rows, positives, HOLDOUT)) == count


@pytest.mark.parametrize(
    ("name", "values", "problem"),
    [
        pytest.param("baseline", [-5.0, 1.0, 2.0, 900.0], None, id="rule-in-any-unit"),
        pytest.param("baseline", [1.0, np.inf, 2.0, np.nan], "2 rows have no baseline value", id="rule-without-value"),
        pytest.param("baseline", [1.0] * 4, "the baseline is the same for every row, so it ranks nothing", id="flat"),
        pytest.param("champion", [0.0, 1.0, 0.5, 1.5], "1 row have no champion value from 0 to 1", id="no-share"),
        pytest.param("champion", [0.5] * 4, None, id="flat-champion-can-be-beaten"),
        pytest.param("logistic_regression", [0.5] * 4,
                     "the logistic regression is the same for every row, so it ranks nothing", id="flat-model"),
    ],
)  # fmt: skip
def test_another_score_can_be_compared_with_where_it_ranks(name: Any, values: list[float], problem: str | None) -> None:
    assert rival_problem(frame(**{name: values}), name) == problem


def test_a_score_that_is_not_there_was_not_made() -> None:
    assert rival_problem(frame(), "logistic_regression") == "the logistic regression was not scored"


def test_a_truth_is_a_probability() -> None:
    require_truth(pd.Series([0.0, 0.5, 1.0]))
    with pytest.raises(EvaluationError, match="2 rows of the holdout have a true probability that is not"):
        require_truth(pd.Series([0.0, np.nan, 1.01]))
