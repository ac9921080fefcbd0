"""Shapley values of boosted trees, against their definition: every subset of inputs, on trees small enough for it."""

from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.model.contributions import EXPECTED, contributions
from ds_pipeline.model.estimator import calibrate, make_estimator
from ds_pipeline.model.parts import column_inputs, parts_of
from ds_pipeline.model.predict import inputs_of, predict
from ds_pipeline.use_case.features import FeatureSet

COMMON = {"unit": "x", "nullable": True, "meaning": "made up", "role": "input"}
FEATURES = FeatureSet.model_validate(
    {
        "features": {
            "plan": COMMON | {"dtype": "string", "categories": ["gold", "basic", "free", "trial"]},
            "days": COMMON | {"dtype": "int64", "minimum": 0, "maximum": 90},
            "note": COMMON | {"dtype": "text", "topics": 3},
            "region": COMMON | {"dtype": "string", "role": "slice"},
            "is_new": COMMON | {"dtype": "bool"},
            "spend": COMMON | {"dtype": "float64", "minimum": 0, "maximum": 900},
        }
    }
)
PARAMETERS = {"learning_rate": 0.3, "max_iter": 6, "max_leaf_nodes": 9, "min_samples_leaf": 10}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    count = 600
    frame = pd.DataFrame({"days": rng.integers(0, 90, count).astype(float), "spend": rng.exponential(100, count)})
    frame["plan"] = rng.choice(np.array(["gold", "basic", "free", "trial", None], dtype=object), count)
    frame["is_new"] = rng.choice(np.array([True, False, None], dtype=object), count)
    frame["note"] = rng.choice(np.array(["too dear now", "all fine", "app is slow again", None], dtype=object), count)
    frame.loc[rng.random(count) < 0.2, "days"] = np.nan
    drawn = frame["days"].fillna(60) / 30 + frame["plan"].isin(["basic", "trial"]) * 2 + (frame["note"] == "all fine")
    frame["label"] = (drawn + rng.normal(0, 1, count) > 3).astype(int)
    return frame


@pytest.fixture(scope="module")
def model(rows: pd.DataFrame) -> Any:
    estimator = make_estimator(FEATURES, PARAMETERS, seed=1)
    model = calibrate(estimator, method="sigmoid", folds=np.arange(len(rows)) % 2)
    return model.fit(inputs_of(rows, FEATURES), rows["label"])


def by_definition(model: Any, row: pd.DataFrame) -> dict[str, float]:
    """The average over all orders of what an input adds, with both branches of a split on an unknown one by rows."""
    parts = parts_of(model)
    boosting, matrix = parts.boosting, parts.matrix(row, FEATURES)
    names = np.array(column_inputs(FEATURES))
    is_category = boosting.is_categorical_
    names = np.concatenate([names[is_category], names[~is_category]])
    (values,) = boosting._preprocess_X(matrix, reset=False)

    def value(nodes: np.ndarray, sets: np.ndarray, number: int, known: frozenset[str]) -> float:
        node = nodes[number]
        if node["is_leaf"]:
            return float(node["value"])
        children = [int(node["left"]), int(node["right"])]
        if names[node["feature_idx"]] in known:
            found = values[node["feature_idx"]]
            if np.isnan(found):
                left = bool(node["missing_go_to_left"])
            elif node["is_categorical"]:
                left = bool(int(sets[node["bitset_idx"]][0]) >> int(found) & 1)  # fewer than 32 categories
            else:
                left = found <= node["num_threshold"]
            return value(nodes, sets, children[0] if left else children[1], known)
        parts_of_rows = [float(nodes["count"][child]) / float(node["count"]) for child in children]
        return sum(
            share * value(nodes, sets, child, known) for share, child in zip(parts_of_rows, children, strict=True)
        )

    def worth(known: frozenset[str]) -> float:
        return sum(value(tree.nodes, tree.raw_left_cat_bitsets, 0, known) for (tree,) in boosting._predictors)

    players = FEATURES.of_role("input")
    count = len(players)
    found = {}
    for player in players:
        others = [one for one in players if one != player]
        found[player] = sum(
            factorial(size) * factorial(count - size - 1) / factorial(count)
            * (worth(frozenset(chosen) | {player}) - worth(frozenset(chosen)))
            for size in range(count)
            for chosen in combinations(others, size)
        )  # fmt: skip
    return found


def test_a_contribution_is_the_shapley_value_with_all_topics_of_a_text_as_one_player(
    model: Any, rows: pd.DataFrame
) -> None:
    some = rows.iloc[[0, 1, 2, 3, 4]]
    assert any(node["is_categorical"] for (tree,) in parts_of(model).boosting._predictors for node in tree.nodes)

    found = contributions(model, some, FEATURES)

    assert list(found) == ["plan", "days", "note", "is_new", "spend", EXPECTED]
    for place in range(len(some)):
        expected = by_definition(model, some.iloc[[place]])
        assert found.iloc[place][list(expected)].to_dict() == pytest.approx(expected, abs=1e-12)


def test_the_contributions_of_a_row_add_up_to_the_log_odds_of_the_trees(model: Any, rows: pd.DataFrame) -> None:
    """With few rows and with many, which are computed in two ways; with a category that nobody declared, too."""
    strange = pd.concat([rows, rows.assign(plan="platinum")], ignore_index=True)
    parts = parts_of(model)
    expected = parts.boosting.decision_function(parts.matrix(strange, FEATURES))

    whole = contributions(model, strange, FEATURES)

    np.testing.assert_allclose(whole.sum(axis=1), expected, atol=1e-9)
    pd.testing.assert_frame_equal(contributions(model, strange.iloc[:2], FEATURES), whole.iloc[:2], rtol=0, atol=1e-12)
    assert whole.index.equals(strange.index)


def test_what_is_expected_of_nobody_in_particular_is_the_mean_over_the_training_rows(
    model: Any, rows: pd.DataFrame
) -> None:
    found = contributions(model, rows, FEATURES)

    assert found[EXPECTED].nunique() == 1
    assert found[EXPECTED].iloc[0] == pytest.approx(found.sum(axis=1).mean(), abs=1e-9)


def test_an_input_that_no_tree_asks_for_contributes_nothing(rows: pd.DataFrame) -> None:
    same = rows.assign(spend=5.0)
    estimator = make_estimator(FEATURES, PARAMETERS, seed=1)
    model = calibrate(estimator, method="isotonic", folds=np.arange(len(same)) % 2)
    model.fit(inputs_of(same, FEATURES), same["label"])

    assert (contributions(model, same, FEATURES)["spend"] == 0).all()


def test_the_parts_of_a_model_give_the_scores_of_the_whole(model: Any, rows: pd.DataFrame) -> None:
    parts = parts_of(model)

    assert parts.scores(parts.matrix(rows, FEATURES)).tolist() == predict(model, rows, FEATURES).tolist()
