"""How much each input moved a score: exact Shapley values of the boosted trees, under their calibration.

Own code: shap 0.51 reads a categorical split of HistGradientBoosting as a numeric one, without a word, and brings
210 MB. The game is that of TreeSHAP, path-dependent: where an input is left out, both branches of a split on it count
by their training rows. All topics of a text are one player, and so one contribution.

Sources: Lundberg et al. (2020), From local explanations to global understanding with explainable AI for trees, for the
game; Owen (1972), Multilinear extensions of games, for its solution as an integral, which Gauss-Legendre nodes give
exactly because the integrand is a polynomial.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ds_pipeline.model.parts import Floats, column_inputs, parts_of
from ds_pipeline.use_case.features import FeatureSet

EXPECTED = "expected"  # the column of what is predicted where nothing is known
ROWS_AT_ONCE = 4096

Bools = NDArray[np.bool_]


def contributions(model: Any, frame: pd.DataFrame, features: FeatureSet) -> pd.DataFrame:
    """The contribution of each input to the score of each row, in log odds before the calibration.

    A calibration keeps their signs and their order: it only rises.

    Args:
        model: a calibrated model over inputs_of(frame, features).

    Returns:
        The rows of frame, same order and index: one column per input and EXPECTED, the same for all. Together they
        are the log odds that the trees predict.
    """
    parts, inputs = parts_of(model), features.of_role("input")
    boosting = parts.boosting
    matrix = boosting._preprocess_X(parts.matrix(frame, features), reset=False)
    players = np.array([inputs.index(name) for name in column_inputs(features)])
    if (is_category := boosting.is_categorical_) is not None:  # the trees see these columns first
        players = np.concatenate([players[is_category], players[~is_category]])
    found = np.zeros((len(frame), len(inputs)))
    expected = float(np.ravel(boosting._baseline_prediction)[0])
    known, places = boosting._bin_mapper.make_known_categories_bitsets()
    for (tree,) in boosting._predictors:
        expected += _expected(tree.nodes)
        for start in range(0, len(frame), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            went_left = _went_left(tree, matrix[part], known, places)
            _add_tree(found[part], tree.nodes, went_left, players)
    return pd.DataFrame(found, index=frame.index, columns=inputs).assign(**{EXPECTED: expected})


def _expected(nodes: np.ndarray) -> float:
    leaves = nodes[nodes["is_leaf"] == 1]
    return float((leaves["value"] * leaves["count"]).sum() / nodes["count"][0])


def _went_left(tree: Any, matrix: Floats, known: np.ndarray, places: np.ndarray) -> Bools:
    """Nodes x rows: which way the split of each node sends each row, as TreePredictor.predict decides."""
    went = np.zeros((len(tree.nodes), len(matrix)), dtype=bool)
    for number, node in enumerate(tree.nodes):
        if node["is_leaf"]:
            continue
        values = matrix[:, node["feature_idx"]]
        if node["is_categorical"]:
            left = _is_in(tree.raw_left_cat_bitsets[node["bitset_idx"]], values)
            is_known = left | _is_in(known[places[node["feature_idx"]]], values)
        else:
            left, is_known = values <= node["num_threshold"], ~np.isnan(values)
        went[number] = np.where(is_known, left, bool(node["missing_go_to_left"]))
    return went


def _is_in(bitset: np.ndarray, values: Floats) -> Bools:
    """Whether each category code is in a set of 256 bits."""
    bits = np.unpackbits(bitset.astype("<u4").view("uint8"), bitorder="little").astype(bool)
    is_code = (values >= 0) & (values < len(bits))
    return is_code & bits[np.where(is_code, values, 0).astype(int)]


def _add_tree(found: Floats, nodes: np.ndarray, went_left: Bools, players: NDArray[np.int_]) -> None:
    """Add the contributions of one tree, leaf by leaf."""

    def walk(number: int, passed: dict[int, tuple[Bools, float]]) -> None:
        """Passed: per player on the path, whether each row goes along, and the share of training rows that do."""
        node = nodes[number]
        if node["is_leaf"]:
            if passed:
                found[:, list(passed)] += node["value"] * _shapley(
                    np.array([rows for rows, _ in passed.values()]), np.array([share for _, share in passed.values()])
                )
            return
        player = int(players[node["feature_idx"]])
        rows, share = passed.get(player, (np.ones(len(found), dtype=bool), 1.0))
        for child, goes in ((node["left"], went_left[number]), (node["right"], ~went_left[number])):
            of_training = share * float(nodes["count"][child]) / float(node["count"])
            walk(int(child), passed | {player: (rows & goes, of_training)})

    walk(0, {})


def _shapley(passed: Bools, shares: Floats) -> Floats:
    """Rows x players: the Shapley values of reaching one leaf, which is a product over its players.

    Args:
        passed: players x rows, whether the row goes towards the leaf at every split of the player.
        shares: of training rows that do (0..1).
    """
    count, rows = passed.shape
    bits = 1 << np.arange(count)
    if 2**count < rows:  # fewer ways to pass or not than rows: each way once
        ways = (np.arange(2**count)[:, None] & bits) > 0
        return _integral(ways, shares)[bits @ passed]
    return _integral(passed.T, shares)


def _integral(passed: Bools, shares: Floats) -> Floats:
    """Ways x players: of (passed - share) times the product over the other players of t passed + (1 - t) share."""
    at, weight = _nodes(len(shares))
    factors = at[:, None, None] * passed + (1 - at)[:, None, None] * shares  # nodes x ways x players; never 0
    others = factors.prod(axis=2, keepdims=True) / factors
    return (passed - shares) * np.tensordot(weight, others, axes=1)


@cache
def _nodes(players: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes and weights on 0..1 that integrate a polynomial of degree players - 1 exactly."""
    at, weight = np.polynomial.legendre.leggauss((players + 1) // 2)
    return (at + 1) / 2, weight / 2
