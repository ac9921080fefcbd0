"""The model beside the true probability, on the same holdout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.measure.resamples import ScoredRows
from ds_pipeline.evaluation.measure.truth import TruthRow, compare_with_truth
from ds_pipeline.use_case.requirements import Requirements

AT_TOP = {"metric": "recall_at_top", "share": 0.25, "minimum": 0.1, "bound": "lower", "owner": "crm"}
AT_PRECISION = {"metric": "recall_at_precision", "precision": 0.9, "minimum": 0.1, "bound": "lower", "owner": "crm"}
AT_RECALL = {"metric": "precision_at_recall", "recall": 0.5, "minimum": 0.1, "bound": "lower", "owner": "crm"}


@pytest.fixture
def requirements(asked: dict[str, Any]) -> Requirements:
    asked["acceptance"] = {"at_precision": AT_PRECISION, "at_recall": AT_RECALL, "at_top": AT_TOP}
    return Requirements.model_validate(asked)


def compare(score: list[float], truth: list[float], requirements: Requirements) -> dict[str, TruthRow]:
    label = np.array([1, 1, 0, 0])
    rows = ScoredRows(week=0 * label, entity=np.arange(4), label=label, score=np.array(score), baseline=np.array(score))
    return {row.name: row for row in compare_with_truth(rows, np.array(truth), requirements)}


def test_the_model_is_compared_where_the_requirements_act_on_it(requirements: Requirements) -> None:
    # The truth finds both positives first; the model finds one first and the other last.
    found = compare([0.9, 0.1, 0.5, 0.4], [0.8, 0.7, 0.2, 0.1], requirements)
    figures = {name: (row.figure, row.model, row.truth, row.ratio) for name, row in found.items()}
    assert figures == {
        "average_precision": ("average precision", 0.75, 1.0, 0.75),
        "at_precision": ("recall", 0.5, 1.0, 0.5),
        "at_recall": ("precision", 1.0, 1.0, 1.0),
        "at_top": ("recall", 0.5, 0.5, 1.0),
    }


def test_a_model_that_reaches_a_precision_nowhere_has_a_recall_of_nothing_there(requirements: Requirements) -> None:
    found = compare([0.1, 0.2, 0.9, 0.8], [0.8, 0.7, 0.2, 0.1], requirements)
    assert (found["at_precision"].model, found["at_precision"].ratio) == (0.0, 0.0)


def test_there_is_no_ratio_to_a_truth_that_finds_nobody(requirements: Requirements) -> None:
    found = compare([0.9, 0.7, 0.5, 0.4], [0.1, 0.2, 0.9, 0.8], requirements)
    assert (found["at_top"].truth, found["at_top"].ratio) == (0.0, None)
    assert (found["at_precision"].model, found["at_precision"].truth, found["at_precision"].ratio) == (1.0, 0.0, None)


def test_an_evaluation_compares_each_row_with_its_own_truth(
    predictions: pd.DataFrame, requirements: Requirements, run: Any
) -> None:
    """The rows come in any order, and the truth goes with them."""
    predictions["truth"] = predictions["score"]
    shuffled = predictions.sample(frac=1, random_state=1)
    assert [row.ratio for row in run(shuffled, requirements, truth="truth").truth] == [1.0] * 4
    assert run(shuffled, requirements).truth == []


@pytest.mark.parametrize("value", [np.nan, 1.5, -0.1], ids=["missing", "above one", "below zero"])
def test_a_true_probability_that_is_none_is_an_error(
    value: float, predictions: pd.DataFrame, requirements: Requirements, run: Any
) -> None:
    predictions["truth"] = predictions["score"]
    predictions.loc[3, "truth"] = value
    with pytest.raises(EvaluationError, match="1 row of the holdout have a true probability that is not a number"):
        run(predictions, requirements, truth="truth")


def test_a_truth_that_is_not_in_the_predictions_is_an_error(
    predictions: pd.DataFrame, requirements: Requirements, run: Any
) -> None:
    with pytest.raises(EvaluationError, match="the columns truth are missing"):
        run(predictions, requirements, truth="truth")
