from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.measure.baselines import (
    IS_CHAMPION,
    NO_CHAMPION,
    ChampionFacts,
    baseline_table,
    rival_problems,
)
from ds_pipeline.evaluation.measure.resamples import ScoredRows

SCORED = ChampionFacts(version="v0001", candidate="a" * 64)
BROKEN = ChampionFacts(version="v0001", candidate="a" * 64, problem="its bundle is gone")


def frame_of(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"baseline": [3.0, 1.0]} | columns)


def test_what_can_be_compared_with_has_no_problem() -> None:
    frame = frame_of(logistic_regression=[0.2, 0.1], champion=[0.3, 0.1])
    assert rival_problems(frame, SCORED) == {"baseline": None, "logistic_regression": None, "champion": None}


def test_a_champion_that_could_not_be_scored_is_a_problem_and_one_that_is_not_there_is_none_to_compare_with() -> None:
    assert rival_problems(frame_of(), BROKEN)["champion"] == "its bundle is gone"
    assert rival_problems(frame_of(), None)["champion"] == NO_CHAMPION


def test_a_champion_is_not_compared_with_itself() -> None:
    same = SCORED.model_copy(update={"is_candidate": True})
    assert rival_problems(frame_of(), same)["champion"] == IS_CHAMPION
    assert rival_problems(frame_of(), same.model_copy(update={"problem": "it is lost"}))["champion"] == "it is lost"
    with pytest.raises(EvaluationError, match="found the column and no such champion"):
        rival_problems(frame_of(champion=[0.3, 0.1]), same)


@pytest.mark.parametrize("champion", [None, BROKEN], ids=["no champion", "not scored"])
def test_scores_of_a_champion_that_nobody_names_are_an_error(champion: ChampionFacts | None) -> None:
    with pytest.raises(EvaluationError, match="found the column and no such champion"):
        rival_problems(frame_of(champion=[0.3, 0.1]), champion)


def test_a_champion_without_scores_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="found no column and a such champion"):
        rival_problems(frame_of(), SCORED)


@pytest.mark.parametrize("bad", [math.nan, 1.1, -0.1], ids=["NaN", "above one", "below zero"])
def test_a_score_to_compare_with_must_be_a_probability(bad: float) -> None:
    frame = frame_of(logistic_regression=[0.2, bad], champion=[bad, 0.1])
    problems = rival_problems(frame, SCORED)
    assert problems["logistic_regression"] == "1 row have no logistic regression value from 0 to 1"
    assert problems["champion"] == "1 row have no champion value from 0 to 1"


def test_a_logistic_regression_that_ranks_nothing_is_a_problem_and_such_a_champion_can_be_replaced() -> None:
    problems = rival_problems(frame_of(logistic_regression=[0.2, 0.2], champion=[0.2, 0.2]), SCORED)
    assert "ranks nothing" in str(problems["logistic_regression"])
    assert problems["champion"] is None


def test_a_logistic_regression_that_was_not_made_is_a_problem() -> None:
    assert rival_problems(frame_of(), None)["logistic_regression"] == "the logistic regression was not scored"


def test_the_table_has_a_row_for_each_thing_to_compare_with() -> None:
    rows = ScoredRows(
        week=np.zeros(4, dtype=int),
        entity=np.arange(4),
        label=np.array([1, 0, 1, 0]),
        score=np.array([0.9, 0.2, 0.8, 0.1]),
        baseline=np.array([4.0, 3.0, 2.0, 1.0]),
        logistic_regression=np.array([0.5, 0.5, 0.5, 0.5]),
    )
    problems = {"baseline": None, "logistic_regression": None, "champion": NO_CHAMPION}
    table = {row.name: row for row in baseline_table(rows, prior=0.25, problems=problems)}
    assert list(table) == ["candidate", "prior", "baseline", "logistic_regression", "champion"]
    candidate, prior, rule = table["candidate"], table["prior"], table["baseline"]
    assert (candidate.average_precision, candidate.roc_auc) == (1, 1)
    assert candidate.brier_score == pytest.approx((0.01 + 0.04 + 0.04 + 0.01) / 4)
    assert candidate.log_loss == pytest.approx(-(2 * math.log(0.9) + 2 * math.log(0.8)) / 4)
    assert (prior.average_precision, prior.roc_auc) == (0.5, 0.5)  # the share of positives of the holdout
    assert prior.brier_score == pytest.approx((2 * 0.75**2 + 2 * 0.25**2) / 4)  # of 0.25, that of training
    assert rule.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert (rule.brier_score, rule.log_loss) == (None, None)  # a rule is no probability
    assert table["logistic_regression"].log_loss == pytest.approx(math.log(2))
    assert (table["champion"].problem, table["champion"].average_precision) == (NO_CHAMPION, None)


def test_a_prior_of_nothing_has_a_problem() -> None:
    rows = ScoredRows(
        week=np.zeros(2, dtype=int), entity=np.arange(2), label=np.array([1, 0]), score=np.ones(2), baseline=np.ones(2)
    )
    assert baseline_table(rows, prior=None, problems={})[1].problem == "nothing was trained on"
