"""What a model looks at: the input that it ranks by takes everything with it when it is shuffled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from ds_pipeline.evaluation.checks.explanations import explain
from ds_pipeline.model.predict import inputs_of
from ds_pipeline.use_case.features import FeatureSet

COMMON = {"unit": "x", "nullable": False, "role": "input", "dtype": "int64", "minimum": 0, "maximum": 99}
FEATURES = FeatureSet.model_validate(
    {"features": {"idle": COMMON | {"meaning": "says nothing"}, "visits": COMMON | {"meaning": "decides"}}}
)


@pytest.fixture
def rows() -> pd.DataFrame:
    visits = np.arange(200) % 100
    return pd.DataFrame({"idle": 0, "visits": visits, "label": (visits < 25).astype(int)})


def test_the_input_that_decides_comes_first_with_its_meaning(rows: pd.DataFrame) -> None:
    model = LogisticRegression().fit(inputs_of(rows, FEATURES), rows["label"])

    found = explain(model, rows, features=FEATURES, seed=1)

    assert found is not None
    assert (found.rows, found.positives, found.average_precision) == (200, 50, pytest.approx(1.0))
    decides, idle = found.inputs
    assert (decides.input, decides.meaning) == ("visits", "decides")
    assert 0.5 < decides.importance <= 0.85  # from 1 down to about the share of positives, a quarter
    assert (idle.input, idle.importance, idle.standard_deviation) == ("idle", 0.0, 0.0)
    assert explain(model, rows, features=FEATURES, seed=1) == found


def test_rows_of_one_class_explain_nothing(rows: pd.DataFrame) -> None:
    model = LogisticRegression().fit(inputs_of(rows, FEATURES), rows["label"])

    assert explain(model, rows[rows["label"] == 0], features=FEATURES, seed=1) is None
    assert explain(model, rows.head(0), features=FEATURES, seed=1) is None
