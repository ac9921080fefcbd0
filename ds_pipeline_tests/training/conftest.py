"""Ten weeks of forty customers with made-up features, and a search that takes a moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.clock import Clock
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.training import Training

WEEKS = [date(2011, 3, 7) + timedelta(weeks=week) for week in range(10)]
NUMBER = {"unit": "x", "nullable": True, "meaning": "made up", "role": "input"}


@pytest.fixture
def clock() -> Clock:
    """A lag of one week."""
    return Clock("Europe/London", WEEKS[0], None, horizon_days=7, settle_days=0, holdout_weeks=2)


@pytest.fixture
def case(retail_lapse: UseCase, features: FeatureSet, training: Training) -> UseCase:
    """A use case with that clock, these features and this search."""
    requirements = retail_lapse.requirements
    return replace(
        retail_lapse,
        problem=retail_lapse.problem.model_copy(update={"horizon_days": 7, "settle_days": 0}),
        requirements=requirements.model_copy(
            update={"holdout": requirements.holdout.model_copy(update={"weeks": 2}), "leakage": None}
        ),
        features=features,
        training=training,
    )


@pytest.fixture
def features() -> FeatureSet:
    return FeatureSet.model_validate(
        {
            "features": {
                "days_away": NUMBER | {"dtype": "int64", "minimum": 0, "maximum": 90},
                "plan": NUMBER | {"dtype": "string", "categories": ["gold", "basic"]},
                "is_new": NUMBER | {"dtype": "bool"},
                "region": NUMBER | {"dtype": "string", "role": "slice"},
            }
        }
    )


@pytest.fixture
def training() -> Training:
    space = {
        "learning_rate": {"low": 0.05, "high": 0.2, "log": True},
        "max_iter": {"low": 3, "high": 8},
        "max_leaf_nodes": {"low": 3, "high": 6},
        "min_samples_leaf": {"low": 5, "high": 20},
        "l2_regularization": {"low": 0.1, "high": 1.0},
        "max_features": {"low": 0.5, "high": 1.0},
    }
    return Training.model_validate(
        {
            "estimator": "hist_gradient_boosting",
            "seed": 7,
            "trials": 3,
            "validation_weeks": 2,
            "search_space": space,
            "calibration": {"method": "sigmoid", "folds": 3},
        }
    )


@pytest.fixture
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        [(week, f"t{number:02d}") for week in WEEKS for number in range(40)],
        columns=["scoring_date", "customer_token"],
    )
    frame["days_away"] = rng.integers(0, 91, len(frame))
    frame["plan"] = rng.choice(np.array(["gold", "basic", None], dtype=object), len(frame))
    frame["is_new"] = rng.random(len(frame)) < 0.3
    frame["region"] = "north"
    frame["label"] = (rng.random(len(frame)) * 90 < frame["days_away"]).astype("int64")
    return frame
