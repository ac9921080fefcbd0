"""Proxies: how much the inputs of a model tell of attributes it is not given, such as age.

A model that never sees a protected attribute can still act on it through an input that stands in for it, as the area of
a postcode may for an origin. Nothing is refused here; the strength is reported, for people to judge.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.evaluation.measure.slices import pooled_groups

ALL_INPUTS = "all inputs together"
CRAMERS_V, AUC = "Cramer's V", "AUC"
BINS = 10
MIN_GROUP = 5 * BINS  # five people expected in a cell of evenly filled bins, the usual least for chi-squared
QUARTERS = 4  # of a protected number: enough people in each
FOLDS = 3
DEPTH = 4

Codes = NDArray[np.int64]


class Proxy(Record):
    """How much of a protected attribute an input, or all of them together, tells; None where it cannot be told.

    Attributes:
        measure: what strength is; proxies.py says how it is measured.
        people: how many it was measured on, each once.
        groups: of the attribute that were large enough.
    """

    protected: str
    input: str
    measure: str
    strength: float | None
    people: int
    groups: int


def check_proxies(of: Material) -> Checked:
    """For each protected attribute: all inputs together, then each input, the strongest first; texts are left out.

    Every person counts once, with the newest row: rows of one person in many weeks are not independent, and would pass
    chance for an association. Inputs that are numbers are taken in ten bins of equal size, a protected number in four;
    a missing value is a value. Groups of fewer than 50 people pool into "other"; if that is smaller it is left out.

    A single input: Cramer's V with Bergsma's correction, 0 (says nothing) to 1 (determines it). All together: the area
    under the ROC curve, mean of each group against the rest, of a decision tree of depth 4 on people it was not fitted
    on; 0.5 is chance. Strength is None where fewer than two groups are large enough.

    Source: W. Bergsma, A bias-correction for Cramer's V and Tschuprow's T, Journal of the Korean Statistical Society
    42 (2013), 323-328.
    """
    in_order = of.labelled.sort_values(["scoring_date", of.entity], kind="stable")
    people = in_order.drop_duplicates(of.entity, keep="last")
    bins = {name: _codes(people[name]) for name in of.features.inputs_of("int64", "float64", "bool", "string")}
    protected = of.features.of_role("protected")
    return Checked({"proxies": [proxy for name in protected for proxy in _proxies_of(name, people[name], bins)]})


def _proxies_of(protected: str, values: pd.Series, bins: dict[str, Codes]) -> list[Proxy]:
    groups = pooled_groups(pd.Series(_codes(values, bins=QUARTERS)) if _is_number(values) else values, MIN_GROUP)
    large = groups.map(groups.value_counts()).astype("int64").to_numpy() >= MIN_GROUP
    group_of = _dense(groups[large].cat.codes.to_numpy().astype("int64"))
    inputs = {name: _dense(codes[large]) for name, codes in bins.items()}
    count = int(group_of.max()) + 1 if len(group_of) else 0

    def proxy(name: str, measure: str, strength: float | None) -> Proxy:
        return Proxy(
            protected=protected, input=name, measure=measure, strength=strength, people=len(group_of), groups=count
        )

    if count < 2:
        return [proxy(ALL_INPUTS, AUC, None), *(proxy(name, CRAMERS_V, None) for name in inputs)]
    alone = {name: cramers_v(group_of, codes) for name, codes in inputs.items()}
    strongest_first = sorted(alone, key=lambda name: (-alone[name], name))
    together = _auc_of_tree(np.column_stack(list(inputs.values())), group_of)
    return [proxy(ALL_INPUTS, AUC, together), *(proxy(name, CRAMERS_V, alone[name]) for name in strongest_first)]


def cramers_v(left: Codes, right: Codes) -> float:
    """Cramer's V with Bergsma's correction: 0 no association, 1 one determines the other.

    Args:
        left, right: the category of each person, numbered from 0 without gaps.
    """
    n, rows, columns = len(left), int(left.max()) + 1, int(right.max()) + 1
    if min(rows, columns) < 2:
        return 0.0  # what is the same for all tells nothing
    seen = np.bincount(left * columns + right, minlength=rows * columns).reshape(rows, columns)
    expected = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / n
    phi_squared = float(((seen - expected) ** 2 / expected).sum()) / n
    by_chance = (rows - 1) * (columns - 1) / (n - 1)
    shrunk = min(size - (size - 1) ** 2 / (n - 1) for size in (rows, columns)) - 1
    return min(1.0, float(np.sqrt(max(0.0, phi_squared - by_chance) / shrunk)))


def _auc_of_tree(inputs: Codes, group_of: Codes) -> float:
    """Mean over folds and groups of the area under the ROC curve, on people that the tree was not fitted on."""
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=MIN_GROUP // FOLDS, random_state=0)
    areas = []
    for fitted, held_out in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(inputs, group_of):
        chance = tree.fit(inputs[fitted], group_of[fitted]).predict_proba(inputs[held_out])
        truth = group_of[held_out]
        areas += [roc_auc_score(truth == group, chance[:, group]) for group in range(chance.shape[1])]
    return float(np.mean(areas))


def _codes(values: pd.Series, *, bins: int = BINS) -> Codes:
    """A number for each value: its bin by quantiles if it is a number itself; missing ones have one of their own."""
    if not _is_number(values):
        return pd.factorize(values, sort=True)[0].astype("int64") + 1
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    known = numbers[~np.isnan(numbers)]
    edges = np.unique(np.quantile(known, np.arange(1, bins) / bins)) if len(known) else np.array([])
    return np.where(np.isnan(numbers), bins, np.searchsorted(edges, numbers, side="left")).astype("int64")


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _dense(codes: Codes) -> Codes:
    """The same categories, numbered from 0 without gaps."""
    return np.unique(codes, return_inverse=True)[1].astype("int64")
