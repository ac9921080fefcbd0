"""The judged parameters on every matured week; that it serves is in journeys/test_gates.py."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.checks.matured_fit import GATES, MaturedFit
from ds_pipeline.lineage import lineage
from ds_pipeline.promotion import matured_fit
from ds_pipeline.promotion.matured_fit import SERVED, fit_matured, models_of
from ds_pipeline.training.fit import fit_calibrated, to_bytes
from ds_pipeline.training.labelled import LabelledRows
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.evaluation.checks.made_up import material

DAY = date(2011, 12, 5)
WEEKS = [date(2011, 3, 7), date(2011, 4, 18)]
PARAMETERS = {
    "learning_rate": 0.1, "max_iter": 5, "max_leaf_nodes": 4, "min_samples_leaf": 5, "l2_regularization": 1.0,
    "max_features": 1.0,
}  # fmt: skip


@pytest.fixture
def asked(bench: Workbench) -> Workbench:
    training = bench.use_case.training
    calibration = training.calibration.model_copy(update={"folds": 2})
    training = training.model_copy(update={"refit": "matured", "calibration": calibration})
    return replace(bench, use_case=replace(bench.use_case, training=training))


@pytest.fixture
def rows() -> pd.DataFrame:
    """Sixty customers on two dates, the second of which is the holdout; who comes often stays."""
    visits = np.arange(60) % 20
    names = [f"c{number:02d}" for number in range(60)]
    one = pd.DataFrame({"customer_token": names, "visits_seen": visits, "plan": "gold", "is_treated": False})
    labels = [(visits < 8).astype(int), (visits < 10).astype(int)]
    weeks = [one.assign(scoring_date=day, label=label) for day, label in zip(WEEKS, labels, strict=True)]
    return pd.concat(weeks, ignore_index=True)


def of(case: UseCase, rows: pd.DataFrame) -> Any:
    return material(
        use_case=case, day=DAY, files={"model.joblib": b"judged"}, training={"parameters": PARAMETERS},
        holdout=rows.iloc[60:].assign(score=1 - rows["visits_seen"] / 20),
    )  # fmt: skip


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, rows: pd.DataFrame) -> Callable[[], None]:
    """In this process what a fresh one would do; the weeks are those of rows."""
    monkeypatch.setattr(matured_fit, "begin_fresh", lambda calls: nullcontext(lambda: [call() for call in calls]))
    monkeypatch.setattr(matured_fit, "matured_rows", lambda *_: LabelledRows(rows, "data", 0))
    return lambda: None


@pytest.mark.usefixtures("here")
def test_it_is_the_fit_of_the_parameters_on_all_rows(asked: Workbench, rows: pd.DataFrame) -> None:
    fitted = fit_matured(asked, of(asked.use_case, rows), trained_under=lineage(asked.project.root))

    model = to_bytes(fit_calibrated(rows, PARAMETERS, asked.use_case))
    found = fitted.checked.findings["matured_fit"]
    assert fitted.files == {SERVED: model}
    assert fitted.labelled is rows
    assert (found.model, found.again) == (digest_bytes(model), digest_bytes(model))
    assert (found.judged, found.data, found.weeks) == (digest_bytes(b"judged"), "data", WEEKS)
    assert (found.rows, found.positives, found.compared) == (120, 54, 60)
    assert {gate: fitted.checked.measurements[gate].problem for gate in GATES} == dict.fromkeys(GATES)


def test_where_nobody_asks_nothing_is_fitted(bench: Workbench, rows: pd.DataFrame) -> None:
    assert fit_matured(bench, of(bench.use_case, rows), trained_under={}) == matured_fit.Fitted()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("change", [{"python": "3.1.0"}, {"packages": {}}], ids=["python", "packages"])
def test_under_other_packages_than_the_candidate_it_is_refused(
    asked: Workbench, rows: pd.DataFrame, change: dict[str, Any]
) -> None:
    """Its bundle has one lineage.json, by which a model is loaded or not."""
    fitted = fit_matured(asked, of(asked.use_case, rows), trained_under=lineage(asked.project.root) | change)

    assert fitted.files == {}
    assert all("Train again" in str(fitted.checked.measurements[gate].problem) for gate in GATES)


def test_a_process_that_was_killed_refuses(
    asked: Workbench, rows: pd.DataFrame, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed() -> Any:
        raise ChildProcessError("a fresh process was killed by signal 9")

    monkeypatch.setattr(matured_fit, "begin_fresh", lambda _: nullcontext(killed))

    fitted = fit_matured(asked, of(asked.use_case, rows), trained_under=lineage(asked.project.root))

    assert fitted.files == {}
    assert "killed by signal 9" in str(fitted.checked.measurements["matured_fit_overlap"].problem)


def evaluation(found: MaturedFit | None) -> Any:
    return SimpleNamespace(checks=SimpleNamespace(matured_fit=found))


FOUND = MaturedFit(
    judged=digest_bytes(b"judged"), model=digest_bytes(b"served"), again=digest_bytes(b"served"), weeks=WEEKS, rows=120,
    positives=54, data="data", share=0.1, overlap=0.9, change=0.01, compared=60,
)  # fmt: skip


@pytest.mark.usefixtures("here")
def test_both_models_go_into_the_bundle(asked: Workbench) -> None:
    models = models_of(asked, DAY, {"model.joblib": b"judged"}, {SERVED: b"served"}, evaluation(FOUND))
    assert models == {"model.joblib": b"served", "judged.joblib": b"judged", "matured_fit.json": FOUND.to_json()}


def test_without_a_refit_the_candidate_serves(bench: Workbench) -> None:
    assert models_of(bench, DAY, {"model.joblib": b"m"}, {}, evaluation(None)) == {"model.joblib": b"m"}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("found", "candidate", "served", "message"),
    [
        pytest.param(None, b"judged", {}, "does not have the model that training.yaml: refit asks for", id="none-made"),
        pytest.param(FOUND, b"judged", {}, "is not the one that was compared", id="gone"),
        pytest.param(FOUND, b"judged", {SERVED: b"other"}, "is not the one that was compared", id="exchanged"),
        pytest.param(FOUND, b"other", {SERVED: b"served"}, "is not the one that was compared", id="another-candidate"),
        pytest.param(
            FOUND.model_copy(update={"data": "earlier"}), b"judged", {SERVED: b"served"},
            "Matured weeks of 2011-12-05 are not those that were fitted on", id="other-rows",
        ),
    ],
)  # fmt: skip
def test_what_was_not_compared_never_serves(
    asked: Workbench, found: MaturedFit | None, candidate: bytes, served: dict[str, bytes], message: str
) -> None:
    with pytest.raises(EvaluationError, match=message):
        models_of(asked, DAY, {"model.joblib": candidate}, served, evaluation(found))


def test_a_refit_that_nobody_asked_for_never_serves(bench: Workbench) -> None:
    with pytest.raises(EvaluationError, match="refit asks for"):
        models_of(bench, DAY, {"model.joblib": b"judged"}, {SERVED: b"served"}, evaluation(FOUND))
