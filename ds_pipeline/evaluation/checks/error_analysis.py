"""Whom does the campaign reach in vain, and whom does it miss? The errors of the holdout, grouped by their traits.

Of those selected, the false positives are told from the hits; of the positives, those missed from the hits; each by a
small decision tree on the inputs. A leaf of it is a group in words, large enough that it says nothing of one person.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.model.top_share import in_top_share
from ds_pipeline.use_case.features import LABEL, Feature, FeatureSet

MAX_DEPTH = 3
FLAGS = {"bool": ("no", "yes"), "text": ("none", "given")}
ErrorKind = Literal["false positives among the selected", "false negatives among the positives"]


class ErrorGroup(Record):
    """Rows with the same traits.

    Attributes:
        traits: conditions in the words of features.yaml; empty where nothing tells errors from hits.
        error_rate: errors of rows (0..1).
        share_of_errors: of all errors of this kind (0..1).
    """

    traits: list[str]
    rows: int
    errors: int
    error_rate: float
    share_of_errors: float


class ErrorAnalysis(Record):
    """One kind of error at the campaign's selection; no groups, with the problem, where too few rows can be looked at.

    Attributes:
        rows: of the holdout that were selected, or that are positive.
        groups: the highest error rate first.
    """

    kind: ErrorKind
    rows: int
    errors: int
    error_rate: float | None
    groups: list[ErrorGroup]
    problem: str | None = None


def check_errors(of: Material) -> Checked:
    """The errors of the campaign's selection on the holdout: false positives, then false negatives."""
    analysed = errors_with_rows(
        of.holdout,
        entity=of.entity,
        features=of.features,
        share=of.use_case.contract.top_share,
        min_support=of.requirements.slices.min_support,
        seed=of.requirements.bootstrap.seed,
    )
    return Checked({"errors": [analysis for analysis, _ in analysed]})


def errors_with_rows(
    rows: pd.DataFrame, *, entity: str, features: FeatureSet, share: float, min_support: int, seed: int
) -> list[tuple[ErrorAnalysis, list[np.ndarray]]]:
    """False positives, then false negatives.

    Args:
        rows: the holdout: scoring_date, the entity, the inputs, label (0/1) and score (0..1).
        share: the highest-scored share of each scoring date is selected, rounded up, ties by entity, as delivered.
        min_support: no group is smaller.

    Returns:
        Each kind, and for each of its groups the positions of its errors in the rows: for a person, never stored.
    """
    selected, label = in_top_share(rows, entity=entity, share=share), rows[LABEL].to_numpy() == 1
    kinds: dict[ErrorKind, tuple[np.ndarray, np.ndarray]] = {
        "false positives among the selected": (selected, ~label),
        "false negatives among the positives": (label, ~selected),
    }
    found = []
    for kind, (looked_at, is_error) in kinds.items():
        analysis, groups = _analyse(
            kind, rows[looked_at], is_error[looked_at], features=features, min_support=min_support, seed=seed
        )
        found.append((analysis, [np.flatnonzero(looked_at)[errors] for errors in groups]))
    return found


def _analyse(
    kind: ErrorKind, rows: pd.DataFrame, is_error: np.ndarray, *, features: FeatureSet, min_support: int, seed: int
) -> tuple[ErrorAnalysis, list[np.ndarray]]:
    """The groups, and for each of them which rows are its errors."""
    from sklearn.tree import DecisionTreeClassifier

    errors = int(is_error.sum())
    if len(rows) < min_support:
        problem = f"{len(rows):,} rows are fewer than the {min_support:,} that a group needs"
        return ErrorAnalysis(kind=kind, rows=len(rows), errors=errors, error_rate=None, groups=[], problem=problem), []
    traits = _traits(rows, features)
    tree = DecisionTreeClassifier(max_depth=MAX_DEPTH, min_samples_leaf=min_support, random_state=seed)
    leaves = tree.fit(traits, is_error).apply(traits)
    groups = []
    for leaf, bounds in _leaves(tree, traits):
        is_here = leaves == leaf
        here = int(is_error[is_here].sum())
        group = ErrorGroup(
            traits=[_in_words(name, features, bound) for name, bound in bounds.items()],
            rows=int(is_here.sum()),
            errors=here,
            error_rate=here / int(is_here.sum()),
            share_of_errors=here / errors if errors else 0.0,
        )
        groups.append((group, np.flatnonzero(is_here & is_error)))
    groups.sort(key=lambda one: (-one[0].error_rate, one[0].traits))
    analysis = ErrorAnalysis(
        kind=kind,
        rows=len(rows),
        errors=errors,
        error_rate=errors / len(rows),
        groups=[group for group, _ in groups],
    )
    return analysis, [there for _, there in groups]


def _traits(rows: pd.DataFrame, features: FeatureSet) -> pd.DataFrame:
    """The inputs as numbers: "name" or "name=category"; of a text only whether there is one."""
    columns: dict[str, pd.Series] = {}
    for name in features.of_role("input"):
        feature, values = features.features[name], rows[name]
        if feature.dtype == "string":
            columns |= {f"{name}={one}": (values == one).astype(float) for one in feature.categories or []}
        elif feature.dtype == "text":
            columns[name] = values.fillna("").ne("").astype(float)
        else:
            columns[name] = values.astype("float64")
    return pd.DataFrame(columns)


class Bound(NamedTuple):
    """What a path asks of one trait, and whether rows that lack it go along."""

    above: float
    most: float
    missing: bool


def _leaves(tree: Any, traits: pd.DataFrame) -> Iterator[tuple[int, dict[str, Bound]]]:
    """Each leaf with what bounds it, per trait that its path asks for."""
    nodes, names, has_missing = tree.tree_, list(traits.columns), traits.isna().any().to_dict()
    open_ends: list[tuple[int, dict[str, Bound]]] = [(0, {})]
    while open_ends:
        node, bounds = open_ends.pop()
        if nodes.children_left[node] == nodes.children_right[node]:
            yield node, bounds
            continue
        name, threshold = names[nodes.feature[node]], float(nodes.threshold[node])
        bound = bounds.get(name, Bound(-np.inf, np.inf, has_missing[name]))
        to_left = bool(nodes.missing_go_to_left[node])
        left = Bound(bound.above, min(bound.most, threshold), bound.missing and to_left)
        right = Bound(max(bound.above, threshold), bound.most, bound.missing and not to_left)
        open_ends += [
            (int(nodes.children_left[node]), bounds | {name: left}),
            (int(nodes.children_right[node]), bounds | {name: right}),
        ]


def _in_words(name: str, features: FeatureSet, bound: Bound) -> str:
    column, _, category = name.partition("=")
    feature = features.features[column]
    if bound.above == np.inf:  # scikit-learn's split between what is there and what is missing
        return f"{feature.meaning}: missing"
    if category:
        said = category if bound.above > 0 else f"not {category}"
    elif feature.dtype in FLAGS:
        said = FLAGS[feature.dtype][bound.above > 0]
    else:
        above = f"above {_number(bound.above, feature)}" if bound.above > -np.inf else ""
        most = f"at most {_number(bound.most, feature)}" if bound.most < np.inf else ""
        said = " and ".join(filter(None, [above, most])) or "known"
    return f"{feature.meaning}: {said}{' or missing' if bound.missing else ''}"


def _number(value: float, feature: Feature) -> str:
    """A bound with its unit; between whole numbers the lower one."""
    number = f"{np.floor(value):g}" if feature.dtype == "int64" else f"{value:.3g}"
    return number if feature.unit == "ratio" else f"{number} {feature.unit}"
