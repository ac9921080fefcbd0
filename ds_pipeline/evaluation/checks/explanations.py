"""What a model looks at: how much worse it ranks when one input is shuffled.

Why one row has its score is another question, answered by ds_pipeline.contributions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.model.parts import Floats, TreeAnswers, column_inputs
from ds_pipeline.model.predict import inputs_of, predict
from ds_pipeline.use_case.features import LABEL, FeatureSet

MAX_ROWS = 5000
REPEATS = 5


class Importance(Record):
    """What shuffling an input takes from the average precision: mean and standard deviation of the repeats.

    Attributes:
        importance: below 0 where shuffling helps, by chance.
    """

    input: str
    meaning: str
    importance: float
    standard_deviation: float


class Explained(Record):
    """The importance of every input, the largest first. Inputs that tell the same hide each other.

    Attributes:
        average_precision: of the rows as they are.
    """

    rows: int
    positives: int
    average_precision: float
    inputs: list[Importance]


def explain(model: Any, rows: pd.DataFrame, *, features: FeatureSet, seed: int) -> Explained | None:
    """The permutation importance of each input; None where the sample has no positive or no negative row.

    Args:
        model: a pipeline of make_estimator that was not fitted on the rows.
        rows: labelled rows of the validation weeks; a seeded sample of at most MAX_ROWS is taken.

    Source: Breiman (2001), Random Forests; as sklearn.inspection.permutation_importance, and to the same figures.
    """
    from sklearn.metrics import average_precision_score

    sample = rows.sample(min(len(rows), MAX_ROWS), random_state=seed)
    label = sample[LABEL].to_numpy()
    if len(set(label)) != 2:
        return None
    names, columns = features.of_role("input"), np.array(column_inputs(features))
    with threadpool_limits(limits=1):
        matrix = np.asarray(model["columns"].transform(inputs_of(sample, features)), dtype=float)
        answers = TreeAnswers(model["boosting"], matrix)
        ranked_by_all = average_precision_score(label, answers.log_odds(matrix))
        orders = _orders(len(sample), seed)
        lost = ranked_by_all - np.array([_shuffled(answers, matrix, label, columns == name, orders) for name in names])
    means, deviations = lost.mean(axis=1), lost.std(axis=1)
    return Explained(
        rows=len(sample),
        positives=int(label.sum()),
        average_precision=float(average_precision_score(label, predict(model, sample, features))),
        inputs=[
            Importance(
                input=names[place],
                meaning=features.features[names[place]].meaning,
                importance=float(means[place]),
                standard_deviation=float(deviations[place]),
            )
            for place in np.argsort(-means, kind="stable")
        ],
    )


def _shuffled(
    answers: TreeAnswers, matrix: Floats, label: np.ndarray, columns: np.ndarray, orders: Sequence[np.ndarray]
) -> list[float]:
    """The average precision where the columns of one input are shuffled, in each of the orders."""
    from sklearn.metrics import average_precision_score

    found, beside = [], matrix.copy()
    for order in orders:
        beside[:, columns] = matrix[order][:, columns]
        found.append(float(average_precision_score(label, answers.log_odds(beside))))
    return found


def _orders(rows: int, seed: int) -> list[np.ndarray]:
    """The order of the rows in each repeat, as scikit-learn shuffles: each is the one before, shuffled again."""
    rng = np.random.RandomState(np.random.RandomState(seed).randint(2**31))
    step, found = np.arange(rows), [np.arange(rows)]
    for _ in range(REPEATS):
        rng.shuffle(step)
        found.append(found[-1][step])
    return found[1:]
