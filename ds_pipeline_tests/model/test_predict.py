"""The model sees its inputs, in declared order, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ds_pipeline.model.predict import inputs_of, predict
from ds_pipeline.use_case.features import FeatureSet

GIVEN: dict[str, Any] = {"unit": "x", "nullable": True, "meaning": "made up", "role": "input"}
FEATURES = FeatureSet.model_validate(
    {
        "features": {
            "visits": GIVEN | {"dtype": "int64", "minimum": 0, "maximum": 9},
            "region": GIVEN | {"dtype": "string", "role": "slice"},
            "is_new": GIVEN | {"dtype": "bool"},
            "plan": GIVEN | {"dtype": "string", "categories": ["gold"]},
        }
    }
)
FRAME = pd.DataFrame(
    {"plan": ["gold", None], "region": ["n", "s"], "is_new": [True, None], "visits": [3, None], "label": [1, 0]}
)


class Recorder:
    """A model that keeps what it is given."""

    def predict_proba(self, inputs: pd.DataFrame) -> np.ndarray:
        self.inputs = inputs
        return np.array([[0.25, 0.75], [0.5, 0.5]])


def test_the_model_gets_its_inputs_in_declared_order_as_numbers_and_text() -> None:
    model = Recorder()

    scores = predict(model, FRAME, FEATURES)

    assert scores.tolist() == [0.75, 0.5]
    assert model.inputs.dtypes.astype(str).to_dict() == {"visits": "float64", "is_new": "float64", "plan": "object"}
    assert model.inputs["is_new"].tolist()[0] == 1.0
    assert model.inputs[["visits", "is_new"]].isna().iloc[1].all()


def test_a_week_without_nulls_looks_the_same_to_the_model() -> None:
    whole = FRAME.head(1).astype({"visits": "int64", "is_new": "bool"})

    pd.testing.assert_frame_equal(inputs_of(whole, FEATURES), inputs_of(FRAME, FEATURES).head(1))


def test_a_missing_text_is_an_empty_one() -> None:
    text = {"last_ticket": GIVEN | {"dtype": "text", "topics": 2}}
    features = FeatureSet.model_validate({"features": FEATURES.model_dump()["features"] | text})

    given = inputs_of(FRAME.assign(last_ticket=["too dear", None]), features)

    assert given.columns.tolist() == ["visits", "is_new", "plan", "last_ticket"]
    assert given["last_ticket"].tolist() == ["too dear", ""]
    assert given["plan"].tolist() == ["gold", None]
