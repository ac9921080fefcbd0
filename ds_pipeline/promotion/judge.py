"""Judge a candidate: everything that is measured of it, on weeks it never saw and on those it was made from."""

import io
import json
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.checks.error_analysis import analyse_errors
from ds_pipeline.evaluation.checks.findings import Checks
from ds_pipeline.evaluation.checks.label_quality import check_labels
from ds_pipeline.evaluation.checks.leakage import single_feature_aucs, single_feature_gate
from ds_pipeline.evaluation.checks.overlap import overlap
from ds_pipeline.evaluation.checks.proxies import find_proxies
from ds_pipeline.evaluation.checks.shuffled import shuffled_labels
from ds_pipeline.evaluation.evaluate import evaluate
from ds_pipeline.evaluation.gates.decision import Decision, decide
from ds_pipeline.evaluation.measure.baselines import ChampionFacts
from ds_pipeline.evaluation.measure.cost import choose_cut_off
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.evaluation.measure.predictions import baseline_score
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.lineage import code_digest
from ds_pipeline.model.estimator import make_logistic_regression
from ds_pipeline.model.predict import inputs_of, predict
from ds_pipeline.monitoring.drift import make_reference
from ds_pipeline.progress import say
from ds_pipeline.promotion.champion import Champion, score_champion
from ds_pipeline.promotion.holdout_ledger import record_look, record_verdict
from ds_pipeline.promotion.refit import cross_validated, explained, refit_and_predict, stable
from ds_pipeline.promotion.trial_list import operated
from ds_pipeline.promotion.truth import PROBABILITY, true_probability
from ds_pipeline.registry.documents import Document
from ds_pipeline.training.labelled import LabelledRows, labelled_rows
from ds_pipeline.training.refit import fit_inner, inner_parts
from ds_pipeline.training.rows import rows_to_train_on
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench, now

MOST_ITERATIONS = 50  # of the fits that only ask whether labels can be learnt at all


class Judgement(NamedTuple):
    """The evaluation and the decision, with what monitoring will compare later weeks with."""

    evaluation: Evaluation
    decision: Decision
    reference: dict[str, Any]


class _Material(NamedTuple):
    """What a candidate is judged by: its files, the rows it was made from, and those it has not seen.

    Attributes:
        training: training.json.
        labelled: all labelled rows of the training weeks.
        trained_on: those that it was trained on.
        fit, validate: the inner parts of them.
        holdout: the labelled rows of the holdout.
    """

    candidate: Document
    model: Any
    training: Mapping[str, Any]
    labelled: pd.DataFrame
    trained_on: pd.DataFrame
    fit: pd.DataFrame
    validate: pd.DataFrame
    holdout: LabelledRows


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
    look, looks = record_look(bench, day, candidate=candidate.digest, trained_under=trained_under)
    material = _gather(bench, day, candidate)
    champion = score_champion(bench, day, material.holdout.rows)
    scored = _scored(bench, material, champion)
    reference = make_reference(material.labelled, scored["score"].to_numpy(), use_case.features)
    evaluation = _evaluate(bench, day, material, scored, champion)
    checks, measured = _check(use_case, material, scored, reference) if not evaluation.problems else (Checks(), {})
    evaluation = evaluation.model_copy(
        update={"measurements": evaluation.measurements | looks | measured, "checks": checks, "ledger": look}
    )
    decision = decide(
        evaluation,
        use_case.requirements,
        use_case=use_case.name,
        as_of=day,
        made_at=now(),
        candidate=candidate.digest,
        holdout=material.holdout.digest,
        requirements_digest=use_case.requirements_digest,
        code=code_digest(),
        use_case_digest=use_case.digest,
    )
    record_verdict(bench, look, evaluation=evaluation, decision=decision, parameters=material.training["parameters"])
    return Judgement(evaluation, decision, reference)


def _gather(bench: Workbench, day: date, candidate: Document) -> _Material:
    use_case = bench.use_case
    labelled = labelled_rows(bench, use_case.clock.training(day), until=day).rows
    trained_on = rows_to_train_on(labelled, use_case.training, entity=use_case.problem.entity)
    fit, validate = inner_parts(trained_on, clock=use_case.clock, training=use_case.training)
    return _Material(
        candidate=candidate,
        model=joblib.load(io.BytesIO(candidate.files["model.joblib"])),
        training=json.loads(candidate.files["training.json"]),
        labelled=labelled,
        trained_on=trained_on,
        fit=fit,
        validate=validate,
        holdout=labelled_rows(bench, use_case.clock.holdout(day), until=day),
    )


def _scored(bench: Workbench, material: _Material, champion: Champion | None) -> pd.DataFrame:
    """The holdout with the score of the candidate and of everything it is compared with."""
    use_case, rows = bench.use_case, material.holdout.rows
    features, trained_on = use_case.features, material.trained_on
    with threadpool_limits(limits=1):
        regression = make_logistic_regression(features, seed=use_case.training.seed)
        regression.fit(inputs_of(trained_on, features), trained_on["label"])
    scored = rows.assign(
        score=predict(material.model, rows, features),
        baseline=baseline_score(rows, use_case.requirements.baseline),
        logistic_regression=predict(regression, rows, features),
    )
    if champion is not None and champion.scores is not None and not _is_candidate(champion, material):
        scored["champion"] = champion.scores
    truth = true_probability(bench, rows)
    return scored if truth is None else scored.assign(**{PROBABILITY: truth})


def _evaluate(
    bench: Workbench, day: date, material: _Material, scored: pd.DataFrame, champion: Champion | None
) -> Evaluation:
    """The figures of the holdout, with those of the training rows that no gate reads."""
    use_case = bench.use_case
    entity, features, requirements = use_case.problem.entity, use_case.features, use_case.requirements
    evaluation = evaluate(
        scored,
        requirements=requirements,
        entity=entity,
        training_rows=material.training["rows"],
        training_positives=material.training["positives"],
        slices=[*features.of_role("slice"), *features.of_role("protected")],
        expected_weeks=use_case.clock.holdout(day),
        champion=_champion_facts(champion, material),
        cut_off=_cut_off(use_case, material),
        undecided_rows=material.holdout.undecided,
        truth=PROBABILITY if PROBABILITY in scored else None,
        automatic=features.inputs_of("int64", "float64", "bool", "string"),
        known_entities=set(material.trained_on[entity]),
    )
    proxies = find_proxies(
        material.labelled,
        entity=entity,
        inputs=features.inputs_of("int64", "float64", "bool", "string"),
        protected=features.of_role("protected"),
    )
    refitted = cross_validated(use_case, material.labelled, material.training)
    return evaluation.model_copy(update={"proxies": proxies, "cross_validation": refitted})


def _champion_facts(champion: Champion | None, material: _Material) -> ChampionFacts | None:
    if champion is None:
        return None
    return ChampionFacts(
        version=champion.version,
        candidate=champion.candidate,
        problem=champion.problem,
        is_candidate=_is_candidate(champion, material),
    )


def _is_candidate(champion: Champion, material: _Material) -> bool:
    """The candidate is in force already and whole: there is nothing to compare it with but itself."""
    return champion.problem is None and champion.candidate == material.candidate.digest


def _cut_off(use_case: UseCase, material: _Material) -> float | None:
    """The score from which on acting is cheapest, on the validation weeks; None where no cost is declared."""
    cost = use_case.requirements.cost
    if cost is None:
        return None
    scores = refit_and_predict(use_case, material.training["parameters"])(material.fit, material.validate)
    return choose_cut_off(material.validate["label"].to_numpy(), scores, cost)


def _check(
    use_case: UseCase, material: _Material, scored: pd.DataFrame, reference: Mapping[str, Any]
) -> tuple[Checks, dict[str, Measurement]]:
    """The checks beyond the metrics, as far as the requirements ask for them."""
    entity, features, requirements = use_case.problem.entity, use_case.features, use_case.requirements
    quick = _quick_fit(use_case, material.training["parameters"])
    found: dict[str, Any] = {}
    measured: dict[str, Measurement] = {}
    found["overlap"] = overlap(material.trained_on, scored, entity=entity, clock=use_case.clock)
    if requirements.leakage is not None:
        found["input_aucs"] = single_feature_aucs(material.trained_on, features, entity=entity)
        measured |= single_feature_gate(found["input_aucs"])
        if requirements.leakage.shuffled_labels is not None:
            found["shuffled"], one = shuffled_labels(
                material.fit, material.validate, settings=requirements.leakage.shuffled_labels, fit_predict=quick
            )
            measured |= one
    found["labels"], one = check_labels(
        material.trained_on,
        labelled=material.labelled,
        holdout=scored,
        requirements=requirements,
        features=features,
        entity=entity,
        fit_predict=quick,
    )
    measured |= one
    if requirements.stability is not None:
        say("holdout_evaluation", "fitting the same model again, and with other seeds")
    steady, one = stable(
        use_case,
        material.trained_on,
        material.holdout.rows,
        training=material.training,
        content=material.candidate.files["model.joblib"],
        model=material.model,
    )
    measured |= one
    if steady is not None:
        found |= {"refits": steady.refits, "seeds": steady.seeds, "perturbed": steady.perturbed}
    found["operations"], one = operated(
        use_case, scored, files=material.candidate.files, model=material.model, reference=reference
    )
    measured |= one
    found["explained"] = explained(use_case, material.trained_on, material.training)
    found["errors"] = analyse_errors(
        scored,
        entity=entity,
        features=features,
        share=use_case.contract.top_share,
        min_support=requirements.slices.min_support,
        seed=requirements.bootstrap.seed,
    )
    return Checks(**found), measured


def _quick_fit(
    use_case: UseCase, parameters: Mapping[str, float | int]
) -> Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]:
    """A function that fits the candidate's parameters, shortened and not calibrated, and scores other rows."""
    features = use_case.features
    short = {**parameters, "max_iter": min(int(parameters["max_iter"]), MOST_ITERATIONS)}
    fit = partial(fit_inner, parameters=short, features=features, seed=use_case.training.seed)

    def fit_predict(fitted: pd.DataFrame, left_out: pd.DataFrame) -> np.ndarray:
        return predict(fit(fitted), left_out, features)

    return fit_predict


def _require_unchanged(trained_under: Mapping[str, Any], use_case: UseCase) -> None:
    """Raise EvaluationError if the use case has changed since the training: thresholds come before a model."""
    if trained_under["requirements"] != use_case.requirements_digest:
        raise EvaluationError(
            f"configs/{use_case.name}/requirements.yaml has changed since the candidate was trained. Thresholds are "
            "declared before a model, not after: train again under the new ones."
        )
    if trained_under["use_case"] != use_case.digest:
        raise EvaluationError(f"configs/{use_case.name} has changed since the candidate was trained. Train again.")
