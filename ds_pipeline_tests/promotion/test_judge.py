"""What a verdict rests on; whole judgements are in the journeys."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.errors import EvaluationError, RegistryError
from ds_pipeline.promotion import judge
from ds_pipeline.promotion.holdout_ledger import read_ledger
from ds_pipeline.promotion.judge import judge_candidate
from ds_pipeline.promotion.matured_fit import Fitted
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.evaluation.checks.made_up import material

DAY = date(2011, 12, 5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"requirements": "x"}, "requirements.yaml has changed since .* before a model", id="asks"),
        pytest.param({"use_case": "x"}, "configs/shop has changed since the candidate was trained", id="another-file"),
        pytest.param({"requirements": "x", "use_case": "x"}, "requirements.yaml has changed", id="both"),
    ],
)
def test_a_candidate_is_judged_under_the_files_it_was_trained_under(
    shop: UseCase, changed: dict[str, str], message: str | None
) -> None:
    trained_under = {"requirements": shop.requirements_digest, "use_case": shop.digest} | changed

    if message is None:
        judge._require_unchanged(trained_under, shop)
        return
    with pytest.raises(EvaluationError, match=message):
        judge._require_unchanged(trained_under, shop)


def test_what_is_not_there_costs_no_look(bench: Workbench) -> None:
    with pytest.raises(RegistryError, match="candidate"):
        judge_candidate(bench, DAY)

    assert read_ledger(bench) == []


@pytest.mark.parametrize(("asked", "fitted"), [(5, 5), (50, 50), (400, 50)])
def test_a_quick_fit_has_the_parameters_of_the_candidate_and_fewer_trees(
    shop: UseCase, monkeypatch: pytest.MonkeyPatch, asked: int, fitted: int
) -> None:
    seen: list[Any] = []

    def fit_inner(rows: pd.DataFrame, **settings: Any) -> str:
        seen.append((len(rows), settings["parameters"], settings["seed"]))
        return "model"

    monkeypatch.setattr(judge, "fit_inner", fit_inner)
    monkeypatch.setattr(judge, "predict", lambda model, rows, features: np.full(len(rows), 0.5))
    parameters = {"max_iter": asked, "learning_rate": 0.1}

    scores = judge._quick_fit(shop, parameters)(pd.DataFrame({"x": [1, 2]}), pd.DataFrame({"x": [3]}))

    assert scores.tolist() == [0.5]
    assert seen == [(2, {"max_iter": fitted, "learning_rate": 0.1}, shop.training.seed)]
    assert parameters["max_iter"] == asked


def test_later_weeks_are_compared_with_what_serves_was_fitted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scores are those of the judged model either way: only they are of rows it was not fitted on."""
    monkeypatch.setattr(judge, "make_reference", lambda rows, scored, features, entity: {"of": (rows, scored)})
    case = SimpleNamespace(features="features", problem=SimpleNamespace(entity="token"))
    of: Any = material(use_case=case, holdout="holdout", reference={"of": "training"})
    matured: Any = "matured"

    assert judge._reference(of, Fitted()) == {"of": "training"}
    assert judge._reference(of, Fitted(labelled=matured)) == {"of": ("matured", "holdout")}


def test_every_check_is_made_once() -> None:
    assert len({check.__name__ for check in judge.CHECKS}) == len(judge.CHECKS) == 9
