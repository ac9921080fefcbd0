"""What a model looks at: the input that it ranks by takes everything with it when it is shuffled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import permutation_importance

from ds_pipeline.evaluation.checks.explanations import REPEATS, explain
from ds_pipeline.model.estimator import make_estimator
from ds_pipeline.model.predict import inputs_of
from ds_pipeline.use_case.features import FeatureSet

PARAMETERS = {"max_iter": 10, "max_leaf_nodes": 5, "min_samples_leaf": 3}
COMMON = {"unit": "x", "nullable": False, "role": "input", "dtype": "int64", "minimum": 0, "maximum": 99}
FEATURES = FeatureSet.model_validate(
    {"features": {"idle": COMMON | {"meaning": "says nothing"}, "visits": COMMON | {"meaning": "decides"}}}
)


@pytest.fixture
def rows() -> pd.DataFrame:
    visits = np.arange(200) % 100
    return pd.DataFrame({"idle": 0, "visits": visits, "label": (visits < 25).astype(int)})


def test_the_input_that_decides_comes_first_with_its_meaning(rows: pd.DataFrame) -> None:
    model = make_estimator(FEATURES, PARAMETERS, seed=0).fit(inputs_of(rows, FEATURES), rows["label"])

    found = explain(model, rows, features=FEATURES, seed=1)

    assert found is not None
    assert (found.rows, found.positives, found.average_precision) == (200, 50, pytest.approx(1.0))
    decides, idle = found.inputs
    assert (decides.input, decides.meaning) == ("visits", "decides")
    assert 0.5 < decides.importance <= 0.85  # from 1 down to about the share of positives, a quarter
    assert (idle.input, idle.importance, idle.standard_deviation) == ("idle", 0.0, 0.0)
    assert explain(model, rows, features=FEATURES, seed=1) == found


def test_the_figures_are_those_of_scikit_learn() -> None:
    """With a category, texts whose topics are several columns of the model, and missing values."""
    text = {"dtype": "text", "unit": "words", "role": "input", "nullable": True, "topics": 2}
    plan = {"dtype": "string", "unit": "category", "role": "input", "nullable": True, "categories": ["basic", "gold"]}
    declared = {"visits": COMMON | {"nullable": True}, "plan": plan, "note": text}
    features = FeatureSet.model_validate(
        {"features": {name: one | {"meaning": name} for name, one in declared.items()}}
    )
    rng = np.random.default_rng(0)
    visits = rng.integers(0, 99, 120)
    rows = pd.DataFrame(
        {
            "visits": np.where(visits % 7, visits, np.nan),
            "plan": rng.choice(["basic", "gold", None], 120),
            "note": rng.choice(["too dear", "all is well", "it broke again", None], 120),
            "label": (visits + rng.normal(0, 30, 120) < 40).astype(int),
        }
    )
    model = make_estimator(features, PARAMETERS, seed=0).fit(inputs_of(rows, features), rows["label"])

    found = explain(model, rows, features=features, seed=3)

    sample = rows.sample(len(rows), random_state=3)
    theirs = permutation_importance(
        model,
        inputs_of(sample, features),
        sample["label"],
        scoring="average_precision",
        n_repeats=REPEATS,
        random_state=3,
    )
    assert found is not None
    by_name = {one.input: (one.importance, one.standard_deviation) for one in found.inputs}
    assert [by_name[name] for name in features.of_role("input")] == list(
        zip(theirs.importances_mean, theirs.importances_std, strict=True)
    )
    assert all(importance for importance, _ in by_name.values())


def test_rows_of_one_class_explain_nothing(rows: pd.DataFrame) -> None:
    model = make_estimator(FEATURES, PARAMETERS, seed=0).fit(inputs_of(rows, FEATURES), rows["label"])

    assert explain(model, rows[rows["label"] == 0], features=FEATURES, seed=1) is None
    assert explain(model, rows.head(0), features=FEATURES, seed=1) is None
