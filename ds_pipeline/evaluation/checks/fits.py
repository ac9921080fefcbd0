"""Models that the evaluation has fitted to check the data: on how many rows, and whether their scores can be used."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ds_pipeline.errors import EvaluationError
from ds_pipeline.use_case.features import LABEL

MOST_ROWS = 20_000  # for each fit: what is looked for shows in them, and ten fits stay below a minute
FitPredict = Callable[[pd.DataFrame, pd.DataFrame], NDArray[np.float64]]


def sampled(rows: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """At most 20,000 of the rows, drawn at random, in the order they came in."""
    if len(rows) <= MOST_ROWS:
        return rows.reset_index(drop=True)
    drawn = np.random.default_rng(seed).choice(len(rows), MOST_ROWS, replace=False)
    return rows.iloc[np.sort(drawn)].reset_index(drop=True)


def folds_of(rows: pd.DataFrame, *, entity: str, folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions to fit on and those left out, for each fold; all rows of an entity are in one, labels in all alike.

    Raises:
        EvaluationError: fewer entities than folds have a positive row, or a negative one.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    for kind, label in (("positive", 1), ("negative", 0)):
        entities = rows.loc[rows[LABEL] == label, entity].nunique()
        if entities < folds:
            raise EvaluationError(f"{entities:,} entities have a {kind} row, too few for {folds} folds")
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(rows)), rows[LABEL], rows[entity]))


def scores_of(fit_predict: FitPredict, fit: pd.DataFrame, left_out: pd.DataFrame) -> NDArray[np.float64]:
    """The scores of the second frame by a model that was fitted on the first, one for each row.

    Raises:
        EvaluationError: they are not one number for each row.
    """
    scores = np.asarray(fit_predict(fit, left_out), dtype="float64")
    if scores.shape != (len(left_out),) or not np.isfinite(scores).all():
        raise EvaluationError("a fitted model did not give one number for each row")
    return scores
