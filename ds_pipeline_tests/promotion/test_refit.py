"""A refit on all training rows is the candidate itself, and one on a part knows nothing of the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.model.predict import predict
from ds_pipeline.promotion.refit import cross_validated, explained, refit_and_predict, stable
from ds_pipeline.training.fit import train_candidate
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.requirements import CrossValidation, Stability
from ds_pipeline.use_case.training import Training

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


def test_a_refit_on_all_rows_scores_as_the_candidate_does(small: UseCase, rows: pd.DataFrame) -> None:
    candidate = train_candidate(
        rows, entity="customer_token", clock=small.clock, features=small.features, training=small.training
    )
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
    found = cross_validated(case, rows, {"rows": 180, "parameters": PARAMETERS})
    assert (found is not None) == expected
    if found is not None:
        assert (found.rows, found.entities, found.problem) == (180, 60, None)
        assert {one.name: len(one.folds) for one in found.metrics} == {
            "average_precision": 3, "roc_auc": 3, "brier_score": 3
        }  # fmt: skip
        assert found.metrics[1].mean > 0.9  # the label follows from the input but for the date


def test_a_candidate_is_not_cross_validated_where_nobody_asks(small: UseCase, rows: pd.DataFrame) -> None:
    assert cross_validated(small, rows, {"rows": 180, "parameters": PARAMETERS}) is None


def test_rows_that_training_leaves_out_are_left_out_of_the_folds(small: UseCase, rows: pd.DataFrame) -> None:
    asked = CrossValidation(folds=3, below_rows=1000, seed=1)
    case = replace(
        small,
        requirements=small.requirements.model_copy(update={"cross_validation": asked}),
        training=small.training.model_copy(update={"max_train_rows": 120}),
    )
    found = cross_validated(case, rows, {"rows": 120, "parameters": PARAMETERS})
    assert found is not None
    assert found.rows == 120


def asking(case: UseCase, **sections: Any) -> UseCase:
    return replace(case, requirements=case.requirements.model_copy(update=sections))


def test_a_candidate_is_made_again_where_it_is_asked_for(
    small: UseCase, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, for time; training/test_refit.py does it in a fresh one."""
    monkeypatch.setattr("ds_pipeline.promotion.refit.call_fresh", lambda calls: [call() for call in calls])
    asked = Stability(seeds=2, max_standard_deviation=0.1, perturbation=0.1, max_score_change=0.5, owner="ds")
    case = asking(small, stability=asked)
    made = train_candidate(
        rows, entity="customer_token", clock=case.clock, features=case.features, training=case.training
    )
    training = {"rows": 180, "parameters": made.search.parameters}

    record, found = stable(case, rows, rows.head(60), training=training, content=made.content, model=made.model)

    assert record is not None
    assert record.refits is not None
    assert record.refits.refits == [digest_bytes(made.content)] * 2
    assert (found["distinct_refits"].value, found["reload_difference"].value) == (1, 0)
    assert found["seed_deviation"].value is not None
    assert found["score_change"].value is not None
    unasked = asking(small, stability=None)
    assert stable(unasked, rows, rows, training=training, content=b"", model=None) == (None, {})


def test_a_process_that_is_killed_is_a_problem(
    small: UseCase, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(calls: object) -> None:
        raise ChildProcessError("a fresh process was killed by signal 9")

    monkeypatch.setattr("ds_pipeline.promotion.refit.call_fresh", killed)
    asked = Stability(seeds=2, max_standard_deviation=0.1, perturbation=0.1, max_score_change=0.5, owner="ds")
    made = train_candidate(
        rows, entity="customer_token", clock=small.clock, features=small.features, training=small.training
    )

    _, found = stable(
        asking(small, stability=asked), rows, rows.head(60),
        training={"rows": 180, "parameters": PARAMETERS}, content=made.content, model=made.model,
    )  # fmt: skip

    for name in ("distinct_refits", "reload_difference", "seed_deviation"):
        assert found[name].problem == "the fit could not be made again: a fresh process was killed by signal 9"


def test_the_inputs_are_explained_on_weeks_the_model_has_not_seen(small: UseCase, rows: pd.DataFrame) -> None:
    found = explained(small, rows, {"parameters": PARAMETERS})

    assert found is not None
    assert found.rows == 60  # the last of three dates
    assert [one.input for one in found.inputs] == ["visits_seen"]
    assert found.inputs[0].importance > 0.1
