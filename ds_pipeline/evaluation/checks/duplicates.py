"""Near-duplicates with opposite labels: rows of different entities that say the same and ended differently.

Few rows of many inputs agree by chance. Rows that were copied with another label, to teach a model the wrong thing, or
a join that multiplied rows agree in all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.measure.measurement import gauge
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.use_case.features import LABEL, FeatureSet

GATE = "conflicting_duplicates"
DIGITS = 2  # that numbers are compared in
Floats = NDArray[np.float64]


class Duplicates(Record):
    """Training rows that agree with one of another entity in all inputs.

    Attributes:
        duplicated: rows for which there is another one, whatever its label.
        conflicting: rows for which there is another one with the opposite label.
    """

    rows: int
    duplicated: int
    conflicting: int


def check_duplicates(of: Material) -> Checked:
    """The training rows that are nearly the same as one of another entity; the gate is on those with opposite labels.

    Nearly the same: the same flags and categories, and numbers with the same first two significant digits; a missing
    value equals another one. Texts are not compared. Rows of one entity in neighbouring weeks are alike by nature, and
    so are not compared with each other.
    """
    limits = of.requirements.label_quality
    if limits is None or limits.max_conflicting_duplicates is None:
        return Checked()
    rows = of.trained_on
    group = _groups(rows, of.features)
    who = pd.factorize(rows[of.entity])[0].astype("int64")
    label = rows[LABEL].to_numpy(dtype="int64")
    others = _count(group) - _count(group, who)
    others_alike = _count(group, label) - _count(group, who, label)
    counted = Duplicates(
        rows=len(rows),
        duplicated=int(np.count_nonzero(others)),
        conflicting=int(np.count_nonzero(others - others_alike)),
    )
    if not len(rows):
        return Checked({"duplicates": counted}, gauge(GATE, problem="there are no training rows to compare"))
    return Checked({"duplicates": counted}, gauge(GATE, value=counted.conflicting / len(rows)))


def significant(values: Floats, *, digits: int = DIGITS) -> Floats:
    """Numbers rounded to their first significant digits; 0, missing and infinite ones stay what they are."""
    scaled = np.isfinite(values) & (values != 0)
    unit = np.ones_like(values)
    unit[scaled] = 10.0 ** (np.floor(np.log10(np.abs(values[scaled]))) - (digits - 1))
    return np.where(scaled, np.round(values / unit) * unit, values)


def _groups(rows: pd.DataFrame, features: FeatureSet) -> NDArray[np.int64]:
    """A number for each row; rows that are nearly the same have the same."""
    numbers, others = features.inputs_of("int64", "float64"), features.inputs_of("bool", "string")
    columns: dict[str, NDArray[Any]] = {
        name: significant(rows[name].to_numpy(dtype="float64", na_value=np.nan)) for name in numbers
    }
    columns |= {name: pd.factorize(rows[name], sort=True)[0] for name in others}
    hashes = pd.util.hash_pandas_object(pd.DataFrame(columns, index=rows.index), index=False)
    return pd.factorize(hashes)[0].astype("int64")


def _count(*codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row, the rows with the same combination of codes."""
    combined = codes[0]
    for more in codes[1:]:
        combined = combined * (more.max(initial=0) + 1) + more
    _, place, counts = np.unique(combined, return_inverse=True, return_counts=True)
    return counts[place].astype("int64")
