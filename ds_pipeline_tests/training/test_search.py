"""The search looks inside the declared space, and at later weeks only to judge."""

from __future__ import annotations

import pandas as pd

from ds_pipeline.training.search import search_parameters
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.training import Training


def test_the_best_of_all_trials_is_taken_from_the_declared_space(
    rows: pd.DataFrame, features: FeatureSet, training: Training
) -> None:
    done: list[int] = []

    found = search_parameters(
        rows.head(200), rows.tail(100), features=features, training=training, on_trial=done.append
    )

    assert done == [1, 2, 3]
    assert len(found.trials) == 3
    assert found.average_precision == max(found.trials)
    for name, interval in training.search_space:
        assert interval.low <= found.parameters[name] <= interval.high
    assert isinstance(found.parameters["max_iter"], int)


def test_the_same_seed_tries_the_same(rows: pd.DataFrame, features: FeatureSet, training: Training) -> None:
    first, again = (
        search_parameters(rows.head(200), rows.tail(100), features=features, training=training) for _ in range(2)
    )

    assert first == again
