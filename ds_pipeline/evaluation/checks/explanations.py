"""What a model looks at: how much worse it ranks when one input is shuffled.

Why one row has its score is another question, answered by ds_pipeline.contributions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.inspection import permutation_importance
from sklearn.metrics import average_precision_score
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

    Source: Breiman (2001), Random Forests; sklearn.inspection.permutation_importance.
    """
    sample = rows.sample(min(len(rows), MAX_ROWS), random_state=seed)
    label = sample[LABEL].to_numpy()
    if len(set(label)) != 2:
        return None
    with threadpool_limits(limits=1):
        found = permutation_importance(
            model,
            inputs_of(sample, features),
            label,
            scoring="average_precision",
            n_repeats=REPEATS,
            random_state=seed,
        )
    names = features.of_role("input")
    return Explained(
        rows=len(sample),
        positives=int(label.sum()),
        average_precision=float(average_precision_score(label, predict(model, sample, features))),
        inputs=[
            Importance(
                input=names[place],
                meaning=features.features[names[place]].meaning,
                importance=float(found.importances_mean[place]),
                standard_deviation=float(found.importances_std[place]),
            )
            for place in np.argsort(-found.importances_mean, kind="stable")
        ],
    )
