"""Labels that out-of-fold scores contradict, with models that a test can see through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from ds_pipeline.errors import TrainingError
from ds_pipeline.evaluation.checks import fits as refits
from ds_pipeline.evaluation.checks.label_errors import (
    RANDOM,
    LabelErrors,
    check_label_errors,
    confident_class,
    most_random,
)
from ds_pipeline.evaluation.gates.specs import gates_of
from ds_pipeline.evaluation.gates.verdicts import judge
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.use_case.requirements import Requirements
from ds_pipeline_tests.evaluation.checks.made_up import of_labels

GATE = "estimated_label_errors"


def rows_of(count: int = 1000, *, flipped: float = 0.0) -> pd.DataFrame:
    """Entities with two rows each, whose label an input tells but for a little; some labels are turned round."""
    rng = np.random.default_rng(5)
    truth = np.arange(count) % 2
    turned = rng.random(count) < flipped
    return pd.DataFrame(
        {
            "token": [f"t{number // 4:04d}" for number in range(count)],
            "x": 4.0 * truth - 2 + rng.normal(0, 0.7, count),
            "label": np.where(turned, 1 - truth, truth),
        }
    )


def logistic(fit: pd.DataFrame, left_out: pd.DataFrame) -> np.ndarray:
    return LogisticRegression().fit(fit[["x"]], fit["label"]).predict_proba(left_out[["x"]])[:, 1]


def estimate_label_errors(
    rows: pd.DataFrame, *, seed: int, fit_predict: refits.FitPredict
) -> tuple[LabelErrors, Mapping[str, Measurement]]:
    findings, measured = check_label_errors(of_labels(seed=seed, trained_on=rows, quick_fit=fit_predict))
    return findings["errors"], measured


def share(rows: pd.DataFrame) -> float:
    found, measured = estimate_label_errors(rows, seed=7, fit_predict=logistic)
    assert found.share == measured[GATE].value
    assert found.share is not None
    return found.share


@pytest.mark.parametrize("flipped", [0.0, 0.05, 0.1, 0.2])
def test_turned_labels_are_estimated(flipped: float) -> None:
    rows = rows_of(flipped=flipped)
    wrong = float((rows["label"] != rows.index % 2).mean())
    assert share(rows) == pytest.approx(wrong, abs=0.02)


@pytest.mark.parametrize("flipped", [0.0, 0.05, 0.17])
def test_labels_turned_at_random_cannot_be_fewer_than_those_at_the_ends_of_the_scores(flipped: float) -> None:
    found, measured = estimate_label_errors(rows_of(4000, flipped=flipped), seed=7, fit_predict=logistic)
    assert measured[RANDOM].value == found.random == pytest.approx(flipped, abs=0.03)


@pytest.mark.breaks("random_label_errors")
def test_labels_turned_at_random_are_refused(asked: dict[str, Any]) -> None:
    """One label in six was let pass by the limit on labels that scores contradict with confidence."""
    rng = np.random.default_rng(9)
    x = rng.random(6000)
    truth = (rng.random(6000) < x).astype(int)
    rows = pd.DataFrame({"token": [f"t{number // 2:04d}" for number in range(6000)], "x": x, "label": truth})
    turned = rows.assign(label=np.where(rng.random(6000) < 0.17, 1 - truth, truth))
    asked["label_quality"] = {"max_undecided_share": 0.5, "max_random_errors": 0.1, "owner": "ds"}
    gate = next(one for one in gates_of(Requirements.model_validate(asked)) if one.name == RANDOM)

    sound, noisy = (estimate_label_errors(one, seed=7, fit_predict=logistic)[1] for one in (rows, turned))

    assert noisy[RANDOM].value > 2.5 * sound[RANDOM].value
    assert [judge(gate, one[RANDOM]).passed for one in (sound, noisy)] == [True, False]


def test_errors_in_one_direction_alone_are_not_told_from_chance() -> None:
    """Of 20 rows the lowest-scored one is positive, and so is the highest: none can have been turned both ways."""
    label, score = np.array([1, *[0] * 18, 1]), np.arange(20) / 20
    assert most_random(label, score) == 0
    assert most_random(1 - label, score) == 0
    assert most_random(np.array([1, *[0] * 19]), score) == 1


def test_the_count_by_hand() -> None:
    """Means of their own label: positives (0.9 + 0.8 + 0.1) / 3 = 0.6, negatives (0.9 + 0.7 + 0.35) / 3 = 0.65.

    A positive with 0.1 looks negative (0.9 >= 0.65), a negative with 0.65 looks positive; no other is doubted.
    """
    rows = pd.DataFrame({"token": list("abcdef"), "label": [1, 1, 1, 0, 0, 0], "p": [0.9, 0.8, 0.1, 0.1, 0.3, 0.65]})

    found, measured = estimate_label_errors(rows, seed=7, fit_predict=lambda fit, left_out: left_out["p"].to_numpy())

    assert (found.positive_threshold, found.negative_threshold) == (pytest.approx(0.6), pytest.approx(0.65))
    assert (found.doubted_positives, found.doubted_negatives) == (1, 1)
    assert measured[GATE].value == pytest.approx(2 / 6)
    assert measured[GATE].note == "1 positives and 1 negatives of 6 rows."


def test_a_row_between_the_thresholds_belongs_to_no_class_and_one_above_both_to_the_likelier() -> None:
    score = np.array([0.2, 0.5, 0.9])
    assert list(confident_class(score, np.array([0.6, 0.6]))) == [0, -1, 1]
    assert list(confident_class(np.array([0.45, 0.55]), np.array([0.4, 0.4]))) == [0, 1]


def test_no_entity_is_fitted_on_that_is_judged() -> None:
    def watch(fit: pd.DataFrame, left_out: pd.DataFrame) -> np.ndarray:
        assert set(fit["token"]).isdisjoint(left_out["token"])
        return logistic(fit, left_out)

    estimate_label_errors(rows_of(), seed=7, fit_predict=watch)


def test_many_rows_are_drawn_from_by_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refits, "MOST_ROWS", 300)
    rows = rows_of(flipped=0.1)

    def run(seed: int) -> object:
        return estimate_label_errors(rows, seed=seed, fit_predict=logistic)[0]

    assert run(7).rows == 300  # type: ignore[attr-defined]
    assert run(7) == run(7) != run(8)


def fails(fit: pd.DataFrame, left_out: pd.DataFrame) -> np.ndarray:
    raise TrainingError("no.")


@pytest.mark.parametrize(
    ("rows", "pipeline", "problem"),
    [
        pytest.param(rows_of().assign(label=0), logistic, "0 entities have a positive row, too few", id="one-class"),
        pytest.param(rows_of(8), logistic, "2 entities have a positive row, too few for 3 folds", id="few-entities"),
        pytest.param(rows_of().iloc[:0], logistic, "0 entities", id="no-rows"),
        pytest.param(rows_of(), fails, "cannot be estimated: no.", id="training-error"),
        pytest.param(rows_of(), lambda fit, rows: np.full(len(rows), np.nan), "one number for each row", id="nan"),
        pytest.param(rows_of(), lambda fit, rows: np.full(len(rows), 1.5), "no probability", id="no-probability"),
    ],
)
def test_what_cannot_be_estimated_is_a_problem(rows: pd.DataFrame, pipeline: refits.FitPredict, problem: str) -> None:
    found, measured = estimate_label_errors(rows, seed=7, fit_predict=pipeline)

    assert problem in (measured[GATE].problem or "")
    assert (found.problem, found.share) == (measured[GATE].problem, None)
