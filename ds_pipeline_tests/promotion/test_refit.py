"""A refit on all training rows is the candidate itself, and one on a part knows nothing of the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import TrainingError
from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.model.predict import predict
from ds_pipeline.promotion.refit import (
    check_explanation,
    check_folds,
    check_stability,
    making_again,
    refit_and_predict,
)
from ds_pipeline.training.fit import Candidate, train_candidate
from ds_pipeline.training.rows import rows_to_train_on
from ds_pipeline.training.split import inner_parts
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.requirements import CrossValidation, Stability
from ds_pipeline.use_case.training import Training
from ds_pipeline_tests.evaluation.checks.made_up import material

PARAMETERS = {
    "learning_rate": 0.1, "max_iter": 5, "max_leaf_nodes": 4, "min_samples_leaf": 5, "l2_regularization": 1.0,
    "max_features": 1.0,
}  # fmt: skip
WEEKS = [date(2011, 3, 7), date(2011, 4, 18), date(2011, 5, 30)]


@pytest.fixture
def small(shop: UseCase) -> UseCase:
    """One trial, one week of validation and two folds of calibration."""
    quick = {"trials": 1, "validation_weeks": 1, "calibration": {"method": "sigmoid", "folds": 2}}
    return replace(shop, training=Training.model_validate(shop.training.model_dump() | quick))


@pytest.fixture
def rows() -> pd.DataFrame:
    """Sixty customers on three dates; who comes often stays."""
    visits = np.arange(60) % 20
    one = pd.DataFrame(
        {"customer_token": [f"c{number:02d}" for number in range(60)], "visits_seen": visits, "plan": "gold"}
    )
    labels = [(visits < 8).astype(int), (visits < 10).astype(int), (visits < 12).astype(int)]
    weeks = [
        one.assign(scoring_date=day, label=label, is_treated=False) for day, label in zip(WEEKS, labels, strict=True)
    ]
    return pd.concat(weeks, ignore_index=True)


def of(case: UseCase, rows: pd.DataFrame, parameters: Any = PARAMETERS, **known: Any) -> Material:
    """The rows of the training weeks as the judge takes them apart."""
    trained_on = rows_to_train_on(rows, case)
    fit, validate = inner_parts(trained_on, case)
    parts = {"labelled": rows, "trained_on": trained_on, "fit": fit, "validate": validate}
    training = {"rows": len(trained_on), "parameters": parameters}
    return material(use_case=case, training=training, **parts, **known)


def again(case: UseCase, rows: pd.DataFrame, made: Candidate, parameters: Any = PARAMETERS) -> Material:
    return of(case, rows, parameters, holdout=rows.head(60), files={"model.joblib": made.content}, model=made.model)


def test_a_refit_on_all_rows_scores_as_the_candidate_does(small: UseCase, rows: pd.DataFrame) -> None:
    candidate = train_candidate(rows, small)
    again = refit_and_predict(small, candidate.search.parameters)(rows, rows)
    assert again.tolist() == predict(candidate.model, rows, small.features).tolist()
    assert len(set(again)) > 1


def test_a_refit_depends_on_the_rows_it_is_given_alone(small: UseCase, rows: pd.DataFrame) -> None:
    fit_predict = refit_and_predict(small, PARAMETERS)
    first, second = rows.iloc[:60], rows.iloc[60:]
    turned = second.assign(label=1 - second["label"])
    assert fit_predict(first, second).tolist() == fit_predict(first, turned).tolist()
    assert fit_predict(turned, first).tolist() != fit_predict(second, first).tolist()


@pytest.mark.parametrize(("below", "expected"), [(181, True), (180, False)], ids=["fewer rows", "enough rows"])
def test_a_candidate_of_few_rows_is_cross_validated(
    below: int, expected: bool, small: UseCase, rows: pd.DataFrame
) -> None:
    asked = CrossValidation(folds=3, below_rows=below, seed=1)
    case = replace(small, requirements=small.requirements.model_copy(update={"cross_validation": asked}))
    checked = check_folds(of(case, rows))
    assert (checked != Checked()) == expected
    if expected:
        found = checked.findings["cross_validation"]
        assert (found.rows, found.entities, found.problem) == (180, 60, None)
        assert {one.name: len(one.folds) for one in found.metrics} == {
            "average_precision": 3, "roc_auc": 3, "brier_score": 3
        }  # fmt: skip
        assert found.metrics[1].mean > 0.9  # the label follows from the input but for the date


def test_a_candidate_is_not_cross_validated_where_nobody_asks(small: UseCase, rows: pd.DataFrame) -> None:
    assert check_folds(of(small, rows)) == Checked()


def test_rows_that_training_leaves_out_are_left_out_of_the_folds(small: UseCase, rows: pd.DataFrame) -> None:
    asked = CrossValidation(folds=3, below_rows=1000, seed=1)
    case = replace(
        small,
        requirements=small.requirements.model_copy(update={"cross_validation": asked}),
        training=small.training.model_copy(update={"max_train_rows": 120}),
    )
    assert check_folds(of(case, rows)).findings["cross_validation"].rows == 120


def asking(case: UseCase, **sections: Any) -> UseCase:
    return replace(case, requirements=case.requirements.model_copy(update=sections))


ASKED = Stability(seeds=3, max_standard_deviation=0.1, perturbation=0.1, max_score_change=0.5, owner="ds")
Call = Callable[[], Any]


@contextmanager
def begun_here(calls: Sequence[Call]) -> Iterator[Call]:
    """In this process, for time; training/test_refit.py makes a refit in a fresh one."""
    yield lambda: [call() for call in calls]


def test_a_candidate_is_made_again_where_it_is_asked_for(
    small: UseCase, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ds_pipeline.promotion.refit.begin_fresh", begun_here)
    case = asking(small, stability=ASKED)
    made = train_candidate(rows, case)

    with making_again(again(case, rows, made, made.search.parameters)) as of_both:
        findings, found = check_stability(of_both)

    assert findings.keys() == {"refits", "seeds", "perturbed"}
    assert findings["refits"].refits == [digest_bytes(made.content)] * 2
    assert (found["distinct_refits"].value, found["reload_difference"].value) == (1, 0)
    first = case.training.seed
    assert findings["seeds"].seeds == [first, first + 1, first + 2]
    assert findings["seeds"].average_precisions[0] == made.search.average_precision
    assert found["seed_deviation"].value is not None
    assert found["score_change"].value is not None


def test_where_nobody_asks_nothing_is_made_again(
    small: UseCase, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("ds_pipeline.promotion.refit.begin_fresh")
    unasked = of(asking(small, stability=None), rows)

    with making_again(unasked) as same:
        assert same is unasked
        assert check_stability(same) == Checked()


def test_each_process_makes_the_refit_first_and_half_of_the_seeds(
    small: UseCase, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What else a process has done must not be a reason for the same bytes."""
    order: list[Any] = []
    monkeypatch.setattr("ds_pipeline.promotion.refit.begin_fresh", begun_here)
    monkeypatch.setattr("ds_pipeline.promotion.refit.refit", lambda *_: order.append("refit"))
    monkeypatch.setattr("ds_pipeline.promotion.refit.average_precisions", lambda *_, seeds, **__: order.append(seeds))
    case = asking(small, stability=ASKED)

    with making_again(of(case, rows, holdout=rows.head(60))) as of_both:
        of_both.made_again()

    first = case.training.seed
    assert order == ["refit", [first, first + 1], "refit", [first + 2]]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ChildProcessError("a fresh process was killed by signal 9"), id="killed"),
        pytest.param(TrainingError("Two customers are too few."), id="impossible"),
    ],
)
def test_a_fit_that_cannot_be_made_again_is_a_problem(error: Exception, small: UseCase, rows: pd.DataFrame) -> None:
    def fails() -> Any:
        raise error

    made = train_candidate(rows, small)
    material = replace(again(asking(small, stability=ASKED), rows, made), made_again=fails)

    found = check_stability(material).measurements

    for name in ("distinct_refits", "reload_difference", "seed_deviation"):
        assert found[name].problem == f"the fit could not be made again: {error}"
    assert found["score_change"].value is not None


def test_what_nobody_has_begun_is_a_problem(small: UseCase, rows: pd.DataFrame) -> None:
    made = train_candidate(rows, small)

    found = check_stability(replace(again(asking(small, stability=ASKED), rows, made), made_again=tuple)).measurements

    assert found["distinct_refits"].problem == "0 refits were made, two are needed"
    assert found["seed_deviation"].problem == "0 of 3 seeds gave an average precision"


def test_the_inputs_are_explained_on_weeks_the_model_has_not_seen(small: UseCase, rows: pd.DataFrame) -> None:
    found = check_explanation(of(small, rows)).findings["explained"]

    assert found.rows == 60  # the last of three dates
    assert [one.input for one in found.inputs] == ["visits_seen"]
    assert found.inputs[0].importance > 0.1
