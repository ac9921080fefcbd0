"""Fit the hyperparameters that a search chose once more: the same model again, and what another seed makes of them.

refit and average_precisions are made to be called in a fresh process (ds_pipeline.fresh). Rows come to them as Arrow
tables: a pickled frame has dtype objects of its own, which the bytes of a model then hold as well, and differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.metrics import average_precision_score
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from ds_pipeline.digests import digest_bytes
from ds_pipeline.model.estimator import Parameters, make_estimator
from ds_pipeline.model.predict import inputs_of, predict
from ds_pipeline.training.fit import fit_calibrated, to_bytes
from ds_pipeline.use_case.features import LABEL, FeatureSet
from ds_pipeline.use_case.load import UseCase


@dataclass(frozen=True)
class Refit:
    """A candidate made again.

    Attributes:
        digest: of its joblib bytes.
        scores: of the rows that were asked for, by the model in memory, before it was saved (0..1).
    """

    digest: str
    scores: np.ndarray


def as_table(rows: pd.DataFrame, use_case: UseCase) -> pa.Table:
    """The columns that a fit needs, to be sent to another process."""
    columns = [use_case.problem.entity, LABEL, *use_case.features.of_role("input")]
    return pa.Table.from_pandas(rows[columns], preserve_index=False)


def refit(rows: pa.Table, parameters: Parameters, scored: pa.Table, use_case: UseCase) -> Refit:
    """Fit the candidate again.

    Args:
        rows: as_table of the rows that the candidate was fitted on, in their order (rows_to_train_on).
        scored: as_table of other rows, to score before the model is saved.
    """
    model = fit_calibrated(rows.to_pandas(), parameters, use_case)
    return Refit(digest_bytes(to_bytes(model)), predict(model, scored.to_pandas(), use_case.features))


def fit_inner(rows: pd.DataFrame, parameters: Parameters, *, features: FeatureSet, seed: int) -> Pipeline:
    """The estimator of the search, not calibrated, on the inner weeks; it has not seen the validation weeks."""
    with threadpool_limits(limits=1):
        return make_estimator(features, parameters, seed=seed).fit(inputs_of(rows, features), rows[LABEL])


def average_precisions(
    fit: pa.Table, validate: pa.Table, parameters: Parameters, *, features: FeatureSet, seeds: Sequence[int]
) -> list[float]:
    """The average precision on the validation weeks, one per seed; the seed of training.yaml gives that of the search.

    Args:
        fit, validate: as_table of inner_parts.
    """
    fitted, left_out = fit.to_pandas(), validate.to_pandas()
    models = (fit_inner(fitted, parameters, features=features, seed=seed) for seed in seeds)
    return [float(average_precision_score(left_out[LABEL], predict(model, left_out, features))) for model in models]
