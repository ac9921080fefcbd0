"""Refits on folds of entities, with a model that a test can see through."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.errors import TrainingError
from ds_pipeline.evaluation.checks.cross_validation import CrossValidated, cross_validate
from ds_pipeline.use_case.requirements import CrossValidation

SETTINGS = CrossValidation(folds=3, below_rows=100, seed=7)


@pytest.fixture
def rows() -> pd.DataFrame:
    """Twelve entities with two rows each, of which the first six are positive."""
    entity = [f"e{number:02d}" for number in range(12) for _ in range(2)]
    return pd.DataFrame({"entity": entity, "label": [1] * 12 + [0] * 12})


def constant(fitted: pd.DataFrame, left_out: pd.DataFrame) -> np.ndarray:
    """The share of positives in the rows it was fitted on."""
    return np.full(len(left_out), fitted["label"].mean())


def known(fitted: pd.DataFrame, left_out: pd.DataFrame) -> np.ndarray:
    return left_out["label"].to_numpy(dtype=float)


def run(rows: pd.DataFrame, fit_predict: object = known, settings: CrossValidation = SETTINGS) -> CrossValidated:
    return cross_validate(rows, settings=settings, entity="entity", fit_predict=fit_predict)  # type: ignore[arg-type]


def test_every_metric_is_averaged_over_the_folds(rows: pd.DataFrame) -> None:
    found = run(rows)
    assert (found.folds, found.rows, found.entities, found.problem) == (3, 24, 12, None)
    assert {one.name: (one.folds, one.mean, one.standard_deviation) for one in found.metrics} == {
        "average_precision": ([1.0] * 3, 1.0, 0.0),
        "roc_auc": ([1.0] * 3, 1.0, 0.0),
        "brier_score": ([0.0] * 3, 0.0, 0.0),
    }


def test_mean_and_sample_standard_deviation_are_those_of_the_folds(rows: pd.DataFrame) -> None:
    answers = iter([1.0, 0.0, 0.5])  # right, wrong and undecided: Brier scores 0, 1 and 0.25

    def guess(fitted: pd.DataFrame, left_out: pd.DataFrame) -> np.ndarray:
        right = next(answers)
        label = left_out["label"].to_numpy()
        return right * label + (1 - right) * (1 - label)

    brier = run(rows, guess).metrics[2]
    assert brier.folds == [0.0, 1.0, 0.25]
    assert brier.mean == pytest.approx(1.25 / 3)
    assert brier.standard_deviation == pytest.approx(np.sqrt(((1.25 / 3) ** 2 + (1.75 / 3) ** 2 + (0.5 / 3) ** 2) / 2))


def test_no_entity_is_on_both_sides_and_each_is_left_out_once(rows: pd.DataFrame) -> None:
    left: list[str] = []

    def watch(fitted: pd.DataFrame, left_out: pd.DataFrame) -> np.ndarray:
        assert set(fitted["entity"]).isdisjoint(left_out["entity"])
        left.extend(left_out["entity"].unique())
        return constant(fitted, left_out)

    run(rows, watch)
    assert sorted(left) == sorted(rows["entity"].unique())


def test_the_folds_are_fixed_by_the_seed(rows: pd.DataFrame) -> None:
    def folds(seed: int) -> list[list[str]]:
        seen: list[list[str]] = []

        def watch(fitted: pd.DataFrame, left_out: pd.DataFrame) -> np.ndarray:
            seen.append(list(left_out["entity"]))
            return constant(fitted, left_out)

        run(rows, watch, SETTINGS.model_copy(update={"seed": seed}))
        return seen

    assert folds(7) == folds(7)
    assert folds(7) != folds(8)


@pytest.mark.parametrize(("label", "kind"), [(1, "positive"), (0, "negative")])
def test_too_few_entities_of_a_class_say_so(label: int, kind: str, rows: pd.DataFrame) -> None:
    few = pd.concat([rows[rows["label"] == label].head(4), rows[rows["label"] != label]])
    found = run(few)
    assert found.metrics == []
    assert found.problem == f"2 entities have a {kind} row, too few for 3 folds"


def test_a_fold_that_cannot_be_trained_on_says_why(rows: pd.DataFrame) -> None:
    def fail(fitted: pd.DataFrame, left_out: pd.DataFrame) -> np.ndarray:
        raise TrainingError("8 entities are too few for 20 folds of calibration.")

    found = run(rows, fail)
    assert found.metrics == []
    assert found.problem == "a fold cannot be trained on: 8 entities are too few for 20 folds of calibration."
