"""Single inputs that know the outcome: how well each input alone ranks the training rows, and a stop where too well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ds_pipeline.errors import EvaluationError, TrainingError
from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.measure.measurement import Measurement, gauge
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.use_case.features import LABEL, FeatureSet
from ds_pipeline.use_case.requirements import Leakage

AUC_INPUTS = ("int64", "float64", "bool", "string")  # texts are left out
FOLDS = 5
MOST_BINS = 256  # of a number with many values: as many as the model itself tells apart
ROWS_PER_VALUE = 20  # on average; with fewer, a number is taken in bins
SMOOTHING = 20.0  # rows of the base rate that are added to a value's own, so that a few rows say little

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


class InputAuc(Record):
    """One input alone on the training rows, and on those of the holdout.

    Attributes:
        auc: area under the ROC curve, 0.5 (says nothing) to 1 (determines the label); None: one class of label only.
        holdout: the same on the rows of the holdout; None where it was not, or cannot be, measured.
    """

    input: str
    auc: float | None
    holdout: float | None = None


def check_inputs(of: Material) -> Checked:
    """Each input alone on the rows that the candidate was trained on, and on those of the holdout."""
    if of.requirements.leakage is None:
        return Checked()
    aucs = single_feature_aucs(of.trained_on, of.features, entity=of.entity)
    later = {one.input: one.auc for one in single_feature_aucs(of.holdout, of.features, entity=of.entity)}
    aucs = [one.model_copy(update={"holdout": later[one.input]}) for one in aucs]
    return Checked({"input_aucs": aucs}, single_feature_gate(aucs))


def single_feature_aucs(rows: pd.DataFrame, features: FeatureSet, *, entity: str) -> list[InputAuc]:
    """Each input alone, the strongest first, texts left out: the larger of two areas under the ROC curve.

    The first takes the values in their order, either way round, missing ones at the better end. The second ranks a row
    by the share of positives among the other entities with its value, numbers of many values in bins of equal size;
    that sees what has no order. It is made on five folds of entities and drawn towards the share of all, so that a
    value of a few rows, such as an identifier, gets nothing for being remembered.

    Not seen: a text, and a value of its own for each entity whose order says nothing, which no model can learn from
    either.

    Args:
        rows: rows with the entity, the inputs and the label (0/1).

    Raises:
        EvaluationError: a column is missing.

    Source: D. Micci-Barreca, A preprocessing scheme for high-cardinality categorical attributes, SIGKDD Explorations
    3 (2001), 27-32, for the smoothing.
    """
    inputs = features.inputs_of(*AUC_INPUTS)
    missing = [name for name in (entity, LABEL, *inputs) if name not in rows.columns]
    if missing:
        raise EvaluationError(f"labelled rows: the columns {', '.join(missing)} are missing. Build the features again.")
    label = rows[LABEL].to_numpy(dtype="int64")
    if not 0 < label.sum() < len(label):
        return [InputAuc(input=name, auc=None) for name in inputs]
    folds = folds_of(rows[entity])
    found = [InputAuc(input=name, auc=auc_alone(rows[name], label, folds)) for name in inputs]
    return sorted(found, key=lambda one: (-(one.auc or 0.0), one.input))


def single_feature_gate(aucs: Sequence[InputAuc]) -> dict[str, Measurement]:
    """What the gate single_feature_auc is judged on: the strongest input, which the note names."""
    name = "single_feature_auc"
    strongest = _strongest(aucs)
    if strongest is None:
        return gauge(name, problem="the training rows have no input that can be measured alone")
    later = max(((one.holdout, one.input) for one in aucs if one.holdout is not None), default=(0.0, ""))
    if later[0] > strongest[1]:
        return gauge(name, value=later[0], note=f"The strongest is {later[1]}, on the holdout.")
    return gauge(name, value=strongest[1], note=f"The strongest is {strongest[0]}.")


def require_no_leak(aucs: Sequence[InputAuc], leakage: Leakage) -> None:
    """Stop a training whose inputs know the outcome.

    Raises:
        TrainingError: an input alone ranks the training rows better than the limit, or none could be measured.
    """
    limit = leakage.max_single_feature_auc
    if _strongest(aucs) is None:
        raise TrainingError(
            "No input could be measured alone against the label, so a leak cannot be ruled out. "
            "A training needs both labels and an input that is not a text."
        )
    above = {one.input: one.auc for one in aucs if one.auc is not None and one.auc > limit}
    if above:
        named = ", ".join(f"{name} (AUC {auc:.3f})" for name, auc in above.items())
        raise TrainingError(
            f"features.yaml: no honest input tells the outcome alone, but on the training weeks {named} does; "
            f"requirements.yaml allows {limit:g} (leakage: max_single_feature_auc). Look in features/*.sql for what is "
            "written or changed only once the outcome is known, or is made from the label, and take it out. If it is "
            f"honest, agree another limit with {leakage.owner}."
        )


def _strongest(aucs: Sequence[InputAuc]) -> tuple[str, float] | None:
    measured: Mapping[str, float] = {one.input: one.auc for one in aucs if one.auc is not None}
    return max(measured.items(), key=lambda one: one[1]) if len(measured) == len(aucs) and measured else None


def auc_alone(values: pd.Series, label: Codes, folds: Codes) -> float:
    """One input alone on rows of both labels, as single_feature_aucs measures it."""
    codes, uniques = pd.factorize(values, sort=True)
    codes = np.where(codes < 0, len(uniques), codes).astype("int64")  # a missing value comes last
    ordered = _auc_in_order(codes, label, count=len(uniques))
    if pd.api.types.is_numeric_dtype(values) and len(uniques) > max(MOST_BINS, len(label) / ROWS_PER_VALUE):
        codes = _binned(codes)
    return max(ordered, _auc_of_rates(codes, label, folds))


def _auc_in_order(codes: Codes, label: Codes, *, count: int) -> float:
    """Either way round, with the missing values, which have the last code, first or last."""
    rows = np.bincount(codes, minlength=count + 1)
    positives = np.bincount(codes, weights=label, minlength=count + 1)
    order = np.arange(count + 1, dtype=float)
    areas = [_auc(np.where(order == count, place, order), positives, rows - positives) for place in (-1.0, count)]
    return max(max(area, 1 - area) for area in areas)


def _auc_of_rates(codes: Codes, label: Codes, folds: Codes) -> float:
    """Rows ranked by the smoothed share of positives of their value in the other folds."""
    size = int(codes.max()) + 1
    cells = folds * size + codes
    rows = np.bincount(cells, minlength=FOLDS * size).reshape(FOLDS, size)
    positives = np.bincount(cells, weights=label, minlength=FOLDS * size).reshape(FOLDS, size)
    elsewhere, positives_elsewhere = rows.sum(axis=0) - rows, positives.sum(axis=0) - positives
    rates = (positives_elsewhere + SMOOTHING * label.mean()) / (elsewhere + SMOOTHING)
    return _auc(rates.ravel(), positives.ravel(), (rows - positives).ravel())


def _auc(score: Floats, positives: NDArray[Any], negatives: NDArray[Any]) -> float:
    """Area under the ROC curve of groups of rows with the same score; a tie counts half."""
    _, place = np.unique(score, return_inverse=True)
    up, down = np.bincount(place, weights=positives), np.bincount(place, weights=negatives)
    return float((up * (np.cumsum(down) - down / 2)).sum() / (up.sum() * down.sum()))


def _binned(codes: Codes) -> Codes:
    """The codes in at most 256 bins of about equal size, in their order; equal codes stay together."""
    counts = np.bincount(codes)
    before = np.cumsum(counts) - counts
    bins = max(2, min(MOST_BINS, len(codes) // ROWS_PER_VALUE))
    return (before * bins // len(codes))[codes].astype("int64")


def folds_of(entities: pd.Series) -> Codes:
    """The fold of each row; all rows of an entity are in one, whatever the order of the rows."""
    codes, uniques = pd.factorize(entities, sort=True)
    drawn = np.random.default_rng(0).permutation(len(uniques)) % FOLDS
    return drawn[codes].astype("int64")
