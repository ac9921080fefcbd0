"""Fit the judged parameters again on every matured week, and serve that model in the place of the judged one.

The judged model stays in the bundle: it is what a later candidate is compared with, because this one has seen weeks on
which that one may be judged.
Source: docs/decisions/0015-what-is-judged-and-what-serves.md
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import EvaluationError, TrainingError
from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.checks.matured_fit import GATES, MaturedFit, agreement, measure_agreement
from ds_pipeline.evaluation.measure.measurement import gauge
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.lineage import lineage
from ds_pipeline.model.fresh import begin_fresh
from ds_pipeline.model.predict import predict
from ds_pipeline.progress import say
from ds_pipeline.registry.bundle import JUDGED, MATURED_FIT, MODEL
from ds_pipeline.training.fit import fit_calibrated, to_bytes
from ds_pipeline.training.labelled import LabelledRows, matured_rows
from ds_pipeline.training.refit import as_table, refit
from ds_pipeline.training.rows import rows_to_train_on
from ds_pipeline.workbench import Workbench

SERVED = "matured_fit.joblib"  # beside the evaluation, until a promotion makes it the model of a bundle


class Fitted(NamedTuple):
    """What came of it.

    Attributes:
        labelled: the rows of all its weeks, which later weeks are compared with; None where it was not fitted.
        files: what is signed with the evaluation.
    """

    checked: Checked = Checked()
    labelled: pd.DataFrame | None = None
    files: Mapping[str, bytes] = {}


def fit_matured(bench: Workbench, of: Material, *, trained_under: Mapping[str, Any]) -> Fitted:
    """The parameters, the seed and the calibration of the candidate on all rows whose label had matured at its date.

    Nothing where training.yaml does not ask; where it cannot be made, a problem of its gates.

    Args:
        trained_under: lineage.json of the candidate, which its bundle will hold: it has to be true of both models.

    Raises:
        HistoryError: weeks are missing, or were made from other masked tables.
    """
    if of.use_case.training.refit == "none":
        return Fitted()
    here = lineage(bench.project.root)
    if any(here[name] != trained_under.get(name) for name in ("python", "packages")):
        return _not_made("the packages here are not those that the candidate was trained under. Train again")
    say("holdout_evaluation", "fitting the same parameters on all matured weeks")
    return _fit(of, matured_rows(bench, of.day))


def _fit(of: Material, matured: LabelledRows) -> Fitted:
    rows = rows_to_train_on(matured.rows, of.use_case)
    parameters = dict(of.training["parameters"])
    fresh = partial(refit, as_table(rows, of.use_case), parameters, as_table(of.holdout, of.use_case), of.use_case)
    try:
        with begin_fresh([fresh]) as made:
            content = to_bytes(fit_calibrated(rows, parameters, of.use_case))
            (again,) = made()
    except (ChildProcessError, TrainingError) as error:
        return _not_made(str(error))
    served = predict(joblib.load(io.BytesIO(content)), of.holdout, of.features)
    if not np.isfinite(served).all():
        return _not_made("a score is not a number")
    share = of.use_case.contract.top_share
    overlap, change = agreement(of.holdout, served, entity=of.entity, share=share)
    found = MaturedFit(
        judged=digest_bytes(of.files[MODEL]),
        model=digest_bytes(content),
        again=again.digest,
        weeks=sorted(set(matured.rows["scoring_date"])),
        rows=len(rows),
        positives=int(rows["label"].sum()),
        data=matured.digest,
        share=share,
        overlap=overlap,
        change=change,
        compared=len(served),
    )
    return Fitted(Checked({"matured_fit": found}, measure_agreement(found)), matured.rows, {SERVED: content})


def _not_made(why: str) -> Fitted:
    return Fitted(Checked(measurements=gauge(*GATES, problem=f"the matured weeks could not be fitted: {why}")))


def fitted_of(evaluation: Evaluation) -> MaturedFit | None:
    """What an evaluation says of the model that serves in the place of the judged one; None: the judged one serves."""
    return evaluation.checks.matured_fit if evaluation.checks else None


def models_of(
    bench: Workbench,
    day: date,
    candidate: Mapping[str, bytes],
    evaluated: Mapping[str, bytes],
    evaluation: Evaluation,
) -> dict[str, bytes]:
    """The models of a bundle: the one that serves, and beside it the judged one where it is another.

    Args:
        candidate, evaluated: the files of both documents.

    Raises:
        EvaluationError: training.yaml and the evaluation do not say the same, the model is not the one that was
            compared, or its rows are others today.
        HistoryError: weeks are missing, or were made from other masked tables.
    """
    found = fitted_of(evaluation)
    if (found is not None) != (bench.use_case.training.refit == "matured"):
        raise EvaluationError("The evaluation does not have the model that training.yaml: refit asks for. Train again.")
    if found is None:
        return {MODEL: candidate[MODEL]}
    models = {MODEL: evaluated.get(SERVED, b""), JUDGED: candidate[MODEL]}
    if [digest_bytes(models[name]) for name in (MODEL, JUDGED)] != [found.model, found.judged]:
        raise EvaluationError("The model of all matured weeks is not the one that was compared. Evaluate again.")
    if matured_rows(bench, day).digest != found.data:
        raise EvaluationError(f"Matured weeks of {day} are not those that were fitted on. Train again.")
    return models | {MATURED_FIT: found.to_json()}
