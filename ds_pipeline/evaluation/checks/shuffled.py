"""Shuffled labels: a pipeline that learns from labels without meaning must be no better than chance on later weeks.

Where it is, something other than the fitted rows tells it the labels it is judged on: an encoder, a scaler or a
selection of features that was fitted on the validation rows as well, or these rows themselves.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ds_pipeline.errors import EvaluationError, TrainingError
from ds_pipeline.evaluation.checks.fits import sampled, scores_of
from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.measure.measurement import gauge
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.use_case.features import LABEL, SCORING_DATE

CHANCE = 0.5
GATE = "shuffled_labels"


class ShuffledFits(Record):
    """Fits on permuted labels, judged on the true labels of the validation weeks.

    Attributes:
        mean_auc, standard_deviation: of the area under the ROC curve over the permutations (sample, n - 1).
        deviations: between the mean and 0.5, as a multiple of the standard deviation; that of a random ranking of the
            same rows is the least that is divided by.
        problem: why nothing was measured; the figures are then None.
    """

    permutations: int
    fit_rows: int
    validation_rows: int
    mean_auc: float | None = None
    standard_deviation: float | None = None
    deviations: float | None = None
    problem: str | None = None


def check_shuffled_labels(of: Material) -> Checked:
    """How far fits on permuted labels are from chance.

    Labels are permuted within each scoring date, so that each week keeps its share of positives, one generator per
    permutation. A model fitted on them still ranks by something, and as inputs hang together, all of its ranking may
    by chance point with the outcome or against it: one permutation may well have 0.6. The distribution of these areas
    is centred at 0.5 and its standard deviation is what honest chance amounts to; the mean of the permutations of an
    honest pipeline lies a fraction of it away from 0.5, that of a leaking one many times. Deviations are therefore
    counted in standard deviations of single permutations, not of their mean, which would also count what seasons do: a
    model learns the shares of weeks, which a permutation within weeks leaves in place.

    At most 20,000 rows are drawn to fit on. The validation weeks come with their true labels: a pipeline that looks at
    them is to be found out.

    Source: M. Ojala and G. C. Garriga, Permutation tests for studying classifier performance, Journal of Machine
    Learning Research 11 (2010), 1833-1863: test 1, within strata. H. B. Mann and D. R. Whitney, Annals of Mathematical
    Statistics 18 (1947), 50-60: the variance of a random ranking, (P + N + 1) / (12 P N).
    """
    from sklearn.metrics import roc_auc_score

    settings = of.requirements.leakage.shuffled_labels if of.requirements.leakage else None
    if settings is None:
        return Checked()
    drawn, validate = sampled(of.fit, seed=settings.seed), of.validate
    truth = validate[LABEL].to_numpy()
    made = ShuffledFits(permutations=settings.permutations, fit_rows=len(drawn), validation_rows=len(validate))
    problem, areas = _one_class(drawn, validate), []
    try:
        for number in range(0 if problem else settings.permutations):
            rng = np.random.default_rng([settings.seed, number])
            shuffled = drawn.assign(**{LABEL: permuted(drawn[LABEL].to_numpy(), drawn[SCORING_DATE], rng)})
            areas.append(roc_auc_score(truth, scores_of(of.quick_fit, shuffled, validate)))
    except (EvaluationError, TrainingError) as error:
        problem = f"shuffled labels cannot be fitted: {error}"
    if problem:
        return Checked({"shuffled": made.model_copy(update={"problem": problem})}, gauge(GATE, problem=problem))
    mean, spread = float(np.mean(areas)), float(np.std(areas, ddof=1))
    positives = int(truth.sum())
    negatives = len(truth) - positives
    of_random_ranking = float(np.sqrt((positives + negatives + 1) / (12 * positives * negatives)))
    deviations = abs(mean - CHANCE) / max(spread, of_random_ranking)
    made = made.model_copy(update={"mean_auc": mean, "standard_deviation": spread, "deviations": deviations})
    note = f"AUC {mean:.3f} on average over {settings.permutations} permutations, standard deviation {spread:.3f}."
    return Checked({"shuffled": made}, gauge(GATE, value=deviations, note=note))


def permuted(
    label: NDArray[np.int64], dates: pd.Series | NDArray[np.object_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """The labels, dealt out again among the rows of the same scoring date."""
    week = pd.factorize(dates, sort=True)[0]
    order = rng.permutation(len(label))
    result = np.empty_like(label)
    result[np.argsort(week, kind="stable")] = label[order[np.argsort(week[order], kind="stable")]]
    return result


def _one_class(fit: pd.DataFrame, validate: pd.DataFrame) -> str | None:
    """Why nothing can be ranked or learned."""
    for name, rows in (("fit", fit), ("validation", validate)):
        if rows[LABEL].nunique() != 2:
            return f"the {name} weeks hold one class of label only ({len(rows):,} rows)"
    return None
