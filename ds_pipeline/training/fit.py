"""Train a candidate: search on inner weeks, then one fit on all training weeks, calibrated on folds of entities."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import IO, Any

import numpy as np
import pandas as pd
from joblib.numpy_pickle import NumpyPickler
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from ds_pipeline.errors import TrainingError
from ds_pipeline.model.estimator import Parameters, calibrate, make_estimator
from ds_pipeline.model.predict import inputs_of
from ds_pipeline.training.rows import require_people, require_values, rows_to_train_on
from ds_pipeline.training.search import SearchResult, search_parameters
from ds_pipeline.training.split import inner_parts
from ds_pipeline.use_case.features import LABEL, SCORING_DATE
from ds_pipeline.use_case.load import UseCase


@dataclass(frozen=True)
class Candidate:
    """A trained model and what it was trained on.

    Attributes:
        model: the fitted, calibrated scikit-learn object.
        content: its joblib bytes; the same inputs give the same bytes.
        rows, positives: what it was trained on.
        rows_there: the labelled rows of its weeks; more than rows where training.yaml leaves some out.
    """

    model: Any
    content: bytes
    search: SearchResult
    rows: int
    positives: int
    rows_there: int
    weeks: list[date]


def train_candidate(
    rows: pd.DataFrame, use_case: UseCase, *, on_trial: Callable[[int], None] = lambda _: None
) -> Candidate:
    """Train on matured weeks.

    Args:
        rows: scoring_date, the entity, the features, the label and is_treated, in a stable order; no row of the
            holdout. Those that training.yaml leaves out are left out here.

    Raises:
        TrainingError: no rows, one class only, one class of one entity only, or too few weeks or entities.
    """
    there, features = len(rows), use_case.features
    rows = rows_to_train_on(rows, use_case)
    fit, validate = inner_parts(rows, use_case)
    for name, part in (("fit", fit), ("validation", validate)):
        if part[LABEL].nunique() != 2:
            raise TrainingError(
                f"The {name} weeks hold one class of label only ({len(part):,} rows). "
                "Check label.sql and the dates: a model needs both outcomes."
            )
    require_values(fit, features, of="the training weeks")
    require_people(rows, use_case, of="the training weeks")
    # One thread: on weeks of this size OpenMP's waiting costs more than it gains (10 times on a busy machine), and the
    # result cannot depend on the number of cores.
    with threadpool_limits(limits=1):
        search = search_parameters(fit, validate, features=features, training=use_case.training, on_trial=on_trial)
    model = fit_calibrated(rows, search.parameters, use_case)
    return Candidate(
        model=model,
        content=to_bytes(model),
        search=search,
        rows=len(rows),
        positives=int(rows[LABEL].sum()),
        rows_there=there,
        weeks=sorted(set(rows[SCORING_DATE])),
    )


def fit_calibrated(rows: pd.DataFrame, parameters: Parameters, use_case: UseCase) -> CalibratedClassifierCV:
    """A model with given hyperparameters on labelled rows, calibrated on folds of entities.

    Raises:
        TrainingError: too few entities for the folds.
    """
    features, training, entities = use_case.features, use_case.training, rows[use_case.problem.entity]
    folds = entity_folds(rows[LABEL], entities, count=training.calibration.folds, seed=training.seed)
    estimator = make_estimator(features, parameters, seed=training.seed)
    model = calibrate(estimator, method=training.calibration.method, folds=folds)
    with threadpool_limits(limits=1):
        return model.fit(inputs_of(rows, features), rows[LABEL])


def entity_folds(label: pd.Series, entities: pd.Series, *, count: int, seed: int) -> np.ndarray:
    """The fold of each row, 0..count-1: balanced by label, with all rows of an entity in one fold."""
    if entities.nunique() < count:
        raise TrainingError(
            f"{entities.nunique()} {entities.name} are too few for {count} folds of calibration. "
            "Build more history, or lower folds in training.yaml."
        )
    folds = np.full(len(label), -1)
    splitter = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
    for number, (_, rows) in enumerate(splitter.split(np.zeros(len(label)), label, entities)):
        folds[rows] = number
    if any(label[folds != number].nunique() < 2 for number in range(count)):
        raise TrainingError(
            f"Without one of {count} folds of calibration no positive, or nothing else, is left. "
            "Build more history, or lower folds in training.yaml."
        )
    return folds


class _Pickler(NumpyPickler):  # type: ignore[misc]  # joblib has no types
    """joblib's, by which equal texts are one object, and equal dtypes, whoever made them.

    What stands twice is written once if it is one object. Texts and dtypes that have come another way, such as out of a
    file, are other objects: the same model would have other bytes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self._first: dict[tuple[type, Any], Any] = {}

    def save(self, obj: Any, *more: Any, **named: Any) -> None:
        super().save(self._one(obj), *more, **named)

    def _one(self, value: Any) -> Any:
        """The first of all texts or dtypes that are equal; an array of objects with those; else the value itself."""
        if type(value) is str or isinstance(value, np.dtype):
            return self._first.setdefault((type(value), value), value)
        if type(value) is np.ndarray and value.dtype == object:  # another pickler writes what is in it
            array = np.empty_like(value)
            for place in np.ndindex(value.shape):
                array[place] = self._one(value[place])
            return array
        return value


def to_bytes(model: Any) -> bytes:
    """The joblib bytes of a fitted model; the same, whatever way its inputs have come."""
    buffer = io.BytesIO()
    _Pickler(buffer).dump(model)
    return buffer.getvalue()
