"""Labels that are probably wrong: which ones, and how many at most, by a model that never saw the entity."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ds_pipeline.errors import EvaluationError, TrainingError
from ds_pipeline.evaluation.checks.fits import FitPredict, folds_of, sampled, scores_of
from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.measure.measurement import gauge
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.use_case.features import LABEL

GATE, RANDOM = "estimated_label_errors", "random_label_errors"
FOLDS = 3
END = 0.05  # of the rows, at either end of the scores


class LabelErrors(Record):
    """What out-of-fold scores say of the labels.

    Attributes:
        rows: training rows that were looked at.
        positive_threshold, negative_threshold: mean score of the label that a row has, over the rows with it.
        doubted_positives, doubted_negatives: rows with that label which look like the other one.
        share: of the rows, those that are doubted (0..1).
        random: of the labels, the most that can be turned at random, in either direction (0..1).
        problem: why nothing was estimated.
    """

    rows: int
    positive_threshold: float | None = None
    negative_threshold: float | None = None
    doubted_positives: int | None = None
    doubted_negatives: int | None = None
    share: float | None = None
    random: float | None = None
    problem: str | None = None


def check_label_errors(of: Material) -> Checked:
    """The share of the labels that out-of-fold scores contradict, and the share that can be turned at random.

    A row belongs to a class with confidence if its score for the class is at least the mean score of the rows with that
    label; of two such classes, to the one with the higher score. It is doubted if that is not its label. What cannot be
    foreseen is doubted as well, so the share of a sound use case is not 0: limits come from what it is.

    Errors at random raise that share little where much cannot be foreseen. They do raise the share of positives among
    the lowest-scored rows, which cannot be below the share of negatives that were turned, and that of negatives among
    the highest: the lower of the two is the most that can have been turned in both directions. Positives that were
    recorded as negatives and nothing else are not told from people who are hard to foresee.

    At most 20,000 rows are drawn, and divided into three folds of whole entities.

    Source: C. Northcutt, L. Jiang and I. Chuang, Confident learning: estimating uncertainty in dataset labels, Journal
    of Artificial Intelligence Research 70 (2021), 1373-1411, section 3.1. T. Liu and D. Tao, Classification with noisy
    labels by importance reweighting, IEEE TPAMI 38 (2016), 447-461: the bound by the least probability.
    """
    limits = of.requirements.label_quality
    asked = {GATE: limits and limits.max_estimated_errors, RANDOM: limits and limits.max_random_errors}
    gates = [gate for gate, limit in asked.items() if limit is not None]
    if not gates:
        return Checked()
    seed = of.requirements.bootstrap.seed
    drawn = sampled(of.trained_on, seed=seed)
    try:
        label, score = drawn[LABEL].to_numpy(dtype="int64"), _out_of_fold(drawn, of.entity, seed, of.quick_fit)
    except (EvaluationError, TrainingError) as error:
        problem = f"label errors cannot be estimated: {error}"
        return Checked({"errors": LabelErrors(rows=len(drawn), problem=problem)}, gauge(*gates, problem=problem))
    threshold = np.array([1 - score[label == 0].mean(), score[label == 1].mean()])
    looks = confident_class(score, threshold)
    positives, negatives = (int(np.count_nonzero((label == one) & (looks == 1 - one))) for one in (1, 0))
    share = (positives + negatives) / len(drawn)
    doubted = LabelErrors(
        rows=len(drawn),
        positive_threshold=float(threshold[1]),
        negative_threshold=float(threshold[0]),
        doubted_positives=positives,
        doubted_negatives=negatives,
        share=share,
        random=most_random(label, score),
    )
    note = f"{positives:,} positives and {negatives:,} negatives of {len(drawn):,} rows."
    measured = gauge(GATE, value=share, note=note) | gauge(RANDOM, value=doubted.random)
    return Checked({"errors": doubted}, {gate: measured[gate] for gate in gates})


def most_random(label: NDArray[np.int64], score: NDArray[np.float64]) -> float:
    """The positives among the lowest-scored rows or the negatives among the highest, as shares, whichever is lower."""
    ranked = label[np.argsort(score, kind="stable")]
    end = max(1, int(END * len(ranked)))
    return float(min(ranked[:end].mean(), 1 - ranked[-end:].mean()))


def confident_class(score: NDArray[np.float64], threshold: NDArray[np.float64]) -> NDArray[np.int64]:
    """The class that each row belongs to with confidence, 0 or 1; -1 where to none.

    Args:
        score: probability of class 1.
        threshold: of class 0 and of class 1.
    """
    both = np.column_stack([1 - score, score])
    confident = both >= threshold
    return np.where(confident.any(axis=1), np.where(confident, both, -1.0).argmax(axis=1), -1)


def _out_of_fold(rows: pd.DataFrame, entity: str, seed: int, fit_predict: FitPredict) -> NDArray[np.float64]:
    score = np.empty(len(rows))
    for fitted, left_out in folds_of(rows, entity=entity, folds=FOLDS, seed=seed):
        score[left_out] = scores_of(fit_predict, rows.iloc[fitted], rows.iloc[left_out])
    if not ((score >= 0) & (score <= 1)).all():
        raise EvaluationError("a fitted model gave a score that is no probability")
    return score
