"""A model in a stored bundle names its classes by the module they once lay in; it must go on loading."""

from __future__ import annotations

import pickle

from sklearn.pipeline import Pipeline

from ds_pipeline.model.estimator import HashedWords


def test_a_model_is_pickled_under_the_name_that_stored_bundles_use() -> None:
    """The class moved, the bytes of a candidate with a text changed, and bundles of before could not be loaded."""
    pickled = pickle.dumps(Pipeline([("words", HashedWords(n_features=8))]))

    assert b"ds_pipeline.training.estimator" in pickled
    assert b"ds_pipeline.model" not in pickled


def test_a_model_that_was_pickled_before_the_class_moved_is_loaded() -> None:
    of_before = b"cds_pipeline.training.estimator\nHashedWords\n."

    assert pickle.loads(of_before) is HashedWords
