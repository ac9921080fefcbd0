"""Is it the same model when it is made again, and does it say nearly the same of nearly the same?

Four questions, each with a gate: the bytes of refits in fresh processes, the scores before saving and after loading,
the average precision over seeds, and the scores when one input moves a little. The fits are made elsewhere
(training.refit); here they are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.measure.measurement import gauge
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.model.parts import Floats, TreeAnswers, parts_of
from ds_pipeline.use_case.features import Feature, FeatureSet

MAX_ROWS = 5000
PERCENTILE = 99


class Refits(Record):
    """The candidate and the same fit made again in fresh processes.

    Attributes:
        candidate, refits: digests of the joblib bytes.
        rows: how many were scored before saving and after loading.
    """

    candidate: str
    refits: list[str]
    rows: int


class SeedSpread(Record):
    """The average precision on the validation weeks, one per seed; mean and sample standard deviation."""

    seeds: list[int]
    average_precisions: list[float]
    mean: float
    standard_deviation: float


class InputChange(Record):
    """What moving one input does to the score.

    Attributes:
        step: how far it moves, up and down, in the unit of the feature.
        change: the 99th percentile over the rows of the larger of both changes of the score.
    """

    input: str
    meaning: str
    step: float
    change: float


class Perturbed(Record):
    """The score when one input at a time moves.

    Attributes:
        change: the 99th percentile over the rows of the largest change over all inputs; what the gate is judged on.
        inputs: the one that moves most first.
    """

    rows: int
    change: float
    inputs: list[InputChange]


def compare_refits(candidate: str, refits: Sequence[tuple[str, Floats]], loaded: Floats) -> Checked:
    """Whether the same choice gives the same model, and whether saving and loading it changes a score.

    Args:
        candidate: the digest of the candidate's joblib bytes.
        refits: of each fit in a fresh process the digest of its bytes and its scores in memory, before it was saved.
        loaded: the scores of the same rows by the candidate, loaded from its bytes. Where the bytes of a refit are the
            candidate's, its scores in memory are those that the candidate had before it was saved.
    """
    digests = [digest for digest, _ in refits]
    record = Refits(candidate=candidate, refits=digests, rows=len(loaded))
    changes = [np.abs(scores - loaded) for digest, scores in refits if digest == candidate]
    if len(refits) < 2:
        measured = gauge("distinct_refits", problem=f"{len(refits)} refits were made, two are needed")
    else:
        distinct = len({candidate, *digests})
        measured = gauge("distinct_refits", value=distinct, note=f"{len(refits)} refits.")
    if not changes or not len(loaded):
        lost = "no rows were scored" if changes else "no refit gives the bytes of the candidate"
        measured |= gauge("reload_difference", problem=lost)
    elif not np.isfinite(changes).all():
        measured |= gauge("reload_difference", problem="a score is not a number")
    else:
        measured |= gauge("reload_difference", value=float(np.max(changes)), note=f"{len(loaded):,} rows scored.")
    return Checked({"refits": record}, measured)


def spread_of_seeds(seeds: Sequence[int], average_precisions: Sequence[float]) -> Checked:
    """Mean and standard deviation over the seeds; None with a problem where one is not a number or is missing."""
    values = np.array(average_precisions, dtype=float)
    if len(seeds) < 2 or len(values) != len(seeds) or not np.isfinite(values).all():
        problem = f"{np.isfinite(values).sum()} of {len(seeds)} seeds gave an average precision"
        return Checked({"seeds": None}, gauge("seed_deviation", problem=problem))
    record = SeedSpread(
        seeds=list(seeds),
        average_precisions=values.tolist(),
        mean=float(values.mean()),
        standard_deviation=float(values.std(ddof=1)),
    )
    note = f"Mean {record.mean:.4f}."
    return Checked({"seeds": record}, gauge("seed_deviation", value=record.standard_deviation, note=note))


def check_perturbation(of: Material) -> Checked:
    """How much the score of a row changes when one of its numbers moves a little, and which number does it.

    Each number moves up and down by some standard deviations of the training rows; a whole number by at least 1. It
    stays in its declared range, and a missing one stays missing. A seeded sample of the holdout is moved.
    """
    asked, features = of.requirements.stability, of.features
    if asked is None:
        return Checked()
    numbers = features.inputs_of("int64", "float64")
    sample = of.holdout.sample(min(len(of.holdout), MAX_ROWS), random_state=of.requirements.bootstrap.seed)
    if not numbers or not len(sample) or not len(of.trained_on):
        lacking = "no input is a number" if not numbers else "there are no rows to move"
        return Checked({"perturbed": None}, gauge("score_change", problem=lacking))
    deviations = of.trained_on[numbers].astype("float64").std(ddof=0).fillna(0.0)
    steps = {name: _step(features.features[name], asked.perturbation * deviations[name]) for name in numbers}
    changes = _changes(of.model, sample, features, steps)
    if not np.isfinite(changes).all():
        return Checked({"perturbed": None}, gauge("score_change", problem="a score is not a number"))
    each = np.percentile(changes, PERCENTILE, axis=0)
    most_first = [(numbers[place], float(each[place])) for place in np.argsort(-each, kind="stable")]
    record = Perturbed(
        rows=len(sample),
        change=float(np.percentile(changes.max(axis=1), PERCENTILE)),
        inputs=[
            InputChange(input=name, meaning=features.features[name].meaning, step=steps[name], change=change)
            for name, change in most_first
        ],
    )
    most = record.inputs[0]
    note = f"Most by {most.input} ({most.meaning}), moved by {most.step:.3g}."
    return Checked({"perturbed": record}, gauge("score_change", value=record.change, note=note))


def _step(feature: Feature, wanted: float) -> float:
    return float(max(1, round(wanted))) if feature.dtype == "int64" else float(wanted)


def _changes(model: Any, sample: pd.DataFrame, features: FeatureSet, steps: dict[str, float]) -> Floats:
    """Rows x numbers: the larger change of the score by moving the number up or down."""
    parts = parts_of(model)
    matrix = parts.matrix(sample, features)
    places = features.inputs_of("int64", "float64", "bool")  # the first columns of the matrix
    before, answers = parts.scores(matrix), TreeAnswers(parts.boosting, matrix)
    changes = np.zeros((len(sample), len(steps)))
    for number, (name, step) in enumerate(steps.items()):
        feature, place = features.features[name], places.index(name)
        for moved in (matrix[:, place] + step, matrix[:, place] - step):
            beside = matrix.copy()
            beside[:, place] = np.clip(moved, feature.minimum, feature.maximum)
            after = parts.calibrator.predict(answers.log_odds(beside))
            changes[:, number] = np.maximum(changes[:, number], np.abs(after - before))
    return changes
