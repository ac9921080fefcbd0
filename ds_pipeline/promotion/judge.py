"""Judge a candidate: everything that is measured of it, on weeks it never saw and on those it was made from."""

import io
import json
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any, NamedTuple

import joblib
import pandas as pd
from threadpoolctl import threadpool_limits

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.checks.error_analysis import check_errors
from ds_pipeline.evaluation.checks.findings import Checks
from ds_pipeline.evaluation.checks.fits import FitPredict
from ds_pipeline.evaluation.checks.input_trends import check_input_trends
from ds_pipeline.evaluation.checks.label_quality import check_labels
from ds_pipeline.evaluation.checks.leakage import check_inputs
from ds_pipeline.evaluation.checks.material import Check, Checked, Material, check_all
from ds_pipeline.evaluation.checks.overlap import check_overlap
from ds_pipeline.evaluation.checks.proxies import check_proxies
from ds_pipeline.evaluation.checks.shuffled import check_shuffled_labels
from ds_pipeline.evaluation.evaluate import evaluate
from ds_pipeline.evaluation.gates.decision import Decision, decide
from ds_pipeline.evaluation.measure.cost import choose_cut_off
from ds_pipeline.evaluation.measure.predictions import baseline_score
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.lineage import code_digest
from ds_pipeline.model.estimator import make_logistic_regression
from ds_pipeline.model.predict import inputs_of, predict
from ds_pipeline.monitoring.drift import make_reference
from ds_pipeline.promotion.champion import score_champion
from ds_pipeline.promotion.holdout_ledger import record_look, record_verdict
from ds_pipeline.promotion.matured_fit import Fitted, fit_matured
from ds_pipeline.promotion.refit import (
    check_explanation,
    check_folds,
    check_stability,
    making_again,
    refit_and_predict,
)
from ds_pipeline.promotion.trial_list import check_operations
from ds_pipeline.promotion.truth import PROBABILITY, true_probability
from ds_pipeline.registry.documents import Document
from ds_pipeline.training.labelled import labelled_rows, rows_seen
from ds_pipeline.training.refit import fit_inner
from ds_pipeline.training.rows import rows_to_train_on
from ds_pipeline.training.split import inner_parts
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench, now

MOST_ITERATIONS = 50  # of the fits that only ask whether labels can be learnt at all


class Judgement(NamedTuple):
    """The evaluation and the decision, with what monitoring will compare later weeks with.

    Attributes:
        served: the model that serves in the place of the candidate, where training.yaml asks for another.
    """

    evaluation: Evaluation
    decision: Decision
    reference: dict[str, Any]
    served: Mapping[str, bytes]


def judge_candidate(bench: Workbench, day: date) -> Judgement:
    """Judge the candidate of a scoring date; the look at its holdout is in the ledger before a number is seen.

    Raises:
        EvaluationError: the use case has changed since the training, or the holdout cannot be read at all.
        RegistryError: a document, the history or the ledger is broken.
    """
    use_case = bench.use_case
    candidate = bench.documents.get(kind="candidate", day=day)  # verifies the signature
    trained_under = json.loads(bench.lineage_of(day, candidate.digest).files["lineage.json"])
    _require_unchanged(trained_under, use_case)
    seen = rows_seen(bench, use_case.clock.holdout(day), until=day)
    look, looks = record_look(bench, day, candidate=candidate, trained_under=trained_under, seen=seen)
    with making_again(_gather(bench, day, candidate, looks=look.looks)) as material:
        figures = check_all((check_holdout, check_proxies, check_folds), material)
        beyond = check_all(() if figures.findings["problems"] else CHECKS, material)
    fitted = Fitted() if figures.findings["problems"] else fit_matured(bench, material, trained_under=trained_under)
    evaluation = Evaluation(
        **figures.findings,
        measurements={**figures.measurements, **looks, **beyond.measurements, **fitted.checked.measurements},
        checks=Checks(**beyond.findings, **fitted.checked.findings),
        ledger=look,
    )
    decision = decide(
        evaluation,
        use_case.requirements,
        use_case=use_case.name,
        as_of=day,
        made_at=now(),
        candidate=candidate.digest,
        holdout=material.holdout_digest,
        requirements_digest=use_case.requirements_digest,
        code=code_digest(),
        use_case_digest=use_case.digest,
    )
    record_verdict(bench, look, evaluation=evaluation, decision=decision, parameters=material.training["parameters"])
    return Judgement(evaluation, decision, _reference(material, fitted), fitted.files)


def _gather(bench: Workbench, day: date, candidate: Document, *, looks: int) -> Material:
    """What the candidate is judged by, read and scored."""
    use_case = bench.use_case
    labelled = labelled_rows(bench, use_case.clock.training(day), until=day).rows
    trained_on = rows_to_train_on(labelled, use_case)
    fit, validate = inner_parts(trained_on, use_case)
    model = joblib.load(io.BytesIO(candidate.files["model.joblib"]))
    training = json.loads(candidate.files["training.json"])
    holdout = labelled_rows(bench, use_case.clock.holdout(day), until=day)
    facts, champion_scores = score_champion(bench, day, holdout.rows) or (None, None)
    if facts is not None and facts.problem is None and facts.candidate == candidate.digest:
        # In force already, and whole: there is nothing to compare it with but itself.
        facts, champion_scores = facts.model_copy(update={"is_candidate": True}), None
    scored = _scored(bench, model, trained_on, holdout.rows, champion_scores)
    return Material(
        use_case=use_case,
        day=day,
        files=candidate.files,
        model=model,
        training=training,
        labelled=labelled,
        trained_on=trained_on,
        fit=fit,
        validate=validate,
        holdout=scored,
        holdout_digest=holdout.digest,
        undecided_rows=holdout.undecided,
        looks=looks,
        champion=facts,
        reference=make_reference(labelled, scored, use_case.features, entity=use_case.problem.entity),
        quick_fit=_quick_fit(use_case, training["parameters"]),
    )


def _scored(
    bench: Workbench, model: Any, trained_on: pd.DataFrame, rows: pd.DataFrame, champion: pd.Series | None
) -> pd.DataFrame:
    """The holdout with the score of the candidate and of everything it is compared with."""
    features = bench.use_case.features
    with threadpool_limits(limits=1):
        regression = make_logistic_regression(features, seed=bench.use_case.training.seed)
        regression.fit(inputs_of(trained_on, features), trained_on["label"])
    scored = rows.assign(
        score=predict(model, rows, features),
        baseline=baseline_score(rows, bench.use_case.requirements.baseline),
        logistic_regression=predict(regression, rows, features),
    )
    if champion is not None:
        scored["champion"] = champion
    truth = true_probability(bench, rows)
    return scored if truth is None else scored.assign(**{PROBABILITY: truth})


def _reference(of: Material, fitted: Fitted) -> dict[str, Any]:
    """The inputs of what serves, and the score of the candidate: only that one is of rows it was not fitted on."""
    if fitted.labelled is None:
        return of.reference
    return make_reference(fitted.labelled, of.holdout, of.features, entity=of.entity)


def check_holdout(of: Material) -> Checked:
    """The figures of the holdout, acting from the score on from which acting is cheapest on the validation weeks."""
    cost, cut_off = of.requirements.cost, None
    if cost is not None:
        scores = refit_and_predict(of.use_case, of.training["parameters"])(of.fit, of.validate)
        cut_off = choose_cut_off(of.validate["label"].to_numpy(), scores, cost)
    return evaluate(of, cut_off=cut_off, truth=PROBABILITY if PROBABILITY in of.holdout else None)


# Those beyond the metrics, in the order in which they are made; each says itself whether the requirements ask for it.
# Last come the one that waits for fresh processes, and then the one that takes a time, while nothing else runs.
CHECKS: tuple[Check, ...] = (
    check_overlap,
    check_inputs,
    check_input_trends,
    check_shuffled_labels,
    check_labels,
    check_explanation,
    check_errors,
    check_stability,
    check_operations,
)


def _quick_fit(use_case: UseCase, parameters: Mapping[str, float | int]) -> FitPredict:
    """A function that fits the candidate's parameters, shortened and not calibrated, and scores other rows."""
    features = use_case.features
    short = {**parameters, "max_iter": min(int(parameters["max_iter"]), MOST_ITERATIONS)}
    fit = partial(fit_inner, parameters=short, features=features, seed=use_case.training.seed)
    return lambda fitted, left_out: predict(fit(fitted), left_out, features)


def _require_unchanged(trained_under: Mapping[str, Any], use_case: UseCase) -> None:
    """Raise EvaluationError if the use case has changed since the training: thresholds come before a model."""
    if trained_under["requirements"] != use_case.requirements_digest:
        raise EvaluationError(
            f"configs/{use_case.name}/requirements.yaml has changed since the candidate was trained. Thresholds are "
            "declared before a model, not after: train again under the new ones."
        )
    if trained_under["use_case"] != use_case.digest:
        raise EvaluationError(f"configs/{use_case.name} has changed since the candidate was trained. Train again.")
