"""What a model looks at: how much worse it ranks when one input is shuffled.

Why one row has its score is another question, answered by ds_pipeline.contributions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ds_pipeline.evaluation.measure.record import Record
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
        model: one that was not fitted on the rows.
        rows: labelled rows of the validation weeks; a seeded sample of at most MAX_ROWS is taken.

    Source: Breiman (2001), Random Forests; as sklearn.inspection.permutation_importance, with few calls of the model.
    """
    from sklearn.metrics import average_precision_score

    sample = rows.sample(min(len(rows), MAX_ROWS), random_state=seed)
    label = sample[LABEL].to_numpy()
    if len(set(label)) != 2:
        return None
    names, inputs = features.of_role("input"), inputs_of(sample, features)
    with threadpool_limits(limits=1):
        ranked_by_all = average_precision_score(label, model.decision_function(inputs))
        lost = ranked_by_all - np.array([_shuffled(model, inputs, label, name, seed=seed) for name in names])
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


def _shuffled(model: Any, inputs: pd.DataFrame, label: np.ndarray, name: str, *, seed: int) -> list[float]:
    """The average precision where one input is shuffled, again and again, in the same ways for every input.

    The repeats are one frame: what a pipeline does before it reads the first row takes longer than some thousand rows.
    """
    from sklearn.metrics import average_precision_score

    order = np.arange(len(inputs))
    rows = np.tile(order, REPEATS)
    frame = inputs.iloc[rows].assign(**{name: inputs[name].to_numpy()[_orders(order, seed)]}).reset_index(drop=True)
    scores = model.decision_function(frame).reshape(REPEATS, len(inputs))
    return [float(average_precision_score(label, row)) for row in scores]


def _orders(order: np.ndarray, seed: int) -> np.ndarray:
    """The order of the rows in each repeat, as scikit-learn shuffles: each is the one before, shuffled again."""
    rng = np.random.RandomState(np.random.RandomState(seed).randint(2**31))
    step, found = order.copy(), [order]
    for _ in range(REPEATS):
        rng.shuffle(step)
        found.append(found[-1][step])
    return np.concatenate(found[1:])
