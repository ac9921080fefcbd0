"""The estimator takes declared inputs alone, and codes categories in their declared order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.model.estimator import make_estimator, make_logistic_regression
from ds_pipeline.model.predict import inputs_of, predict
from ds_pipeline.training.fit import to_bytes
from ds_pipeline.use_case.features import FeatureSet

PARAMETERS = {"max_iter": 3, "min_samples_leaf": 5}


def test_categories_become_their_declared_position_and_the_unknown_is_missing(
    rows: pd.DataFrame, features: FeatureSet
) -> None:
    columns = make_estimator(features, PARAMETERS, seed=1).fit(inputs_of(rows, features), rows["label"])["columns"]

    coded = columns.transform(
        pd.DataFrame({"days_away": [1.0, 2.0, 3.0, 4.0], "plan": ["gold", "basic", None, "new"], "is_new": [0.0] * 4})
    )

    # numbers first, then categories
    assert coded[:, 0].tolist() == [1, 2, 3, 4]
    assert coded[:, 2].tolist()[:2] == [0, 1]
    assert np.isnan(coded[2:, 2]).all()


def test_a_category_that_training_has_not_seen_can_be_scored(rows: pd.DataFrame, features: FeatureSet) -> None:
    known = rows[rows["plan"] != "basic"]
    model = make_estimator(features, PARAMETERS, seed=1).fit(inputs_of(known, features), known["label"])

    scores = predict(model, rows, features)

    assert np.isfinite(scores).all()


def test_numbers_alone_are_enough(rows: pd.DataFrame, features: FeatureSet) -> None:
    numbers = FeatureSet.model_validate({"features": {"days_away": features.features["days_away"]}})

    model = make_estimator(numbers, PARAMETERS, seed=1).fit(inputs_of(rows, numbers), rows["label"])

    assert predict(model, rows.head(2), numbers).shape == (2,)


def test_categories_are_split_as_categories_and_not_by_their_order(features: FeatureSet) -> None:
    assert make_estimator(features, PARAMETERS, seed=1)["boosting"].categorical_features == [2]


WORDS = ["please cancel my plan", "cancel the plan, please", "the page is slow", "slow page today", "", None]


@pytest.fixture
def with_text(features: FeatureSet) -> FeatureSet:
    text = {"dtype": "text", "unit": "words", "nullable": True, "meaning": "made up", "role": "input", "topics": 2}
    return FeatureSet.model_validate({"features": {**features.model_dump()["features"], "last_ticket": text}})


def written(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(last_ticket=[WORDS[number % len(WORDS)] for number in range(len(rows))])


def test_a_text_becomes_topics_behind_the_other_inputs(rows: pd.DataFrame, with_text: FeatureSet) -> None:
    inputs = inputs_of(written(rows), with_text)
    model = make_estimator(with_text, PARAMETERS, seed=1).fit(inputs, rows["label"])

    topics = model["columns"].transform(inputs.head(6))[:, 3:]

    assert topics.shape == (6, 2)
    assert model["boosting"].categorical_features == [2]
    assert topics[4:].tolist() == [[0, 0], [0, 0]]  # empty and missing
    cancel, slow = topics[:2].mean(axis=0), topics[2:4].mean(axis=0)
    assert np.abs(cancel - slow).max() > 0.5  # they do not share a word but one
    assert np.abs(topics[0] - topics[1]).max() < 0.3


def test_a_word_that_training_has_not_seen_can_be_scored(rows: pd.DataFrame, with_text: FeatureSet) -> None:
    model = make_estimator(with_text, PARAMETERS, seed=1).fit(inputs_of(written(rows), with_text), rows["label"])

    scores = predict(model, rows.head(2).assign(last_ticket=["zebra", "zebra crossing"]), with_text)

    assert np.isfinite(scores).all()


@pytest.mark.filterwarnings("ignore:invalid value encountered in divide")  # a share of no variance
def test_training_without_any_text_gives_no_topics(rows: pd.DataFrame, with_text: FeatureSet) -> None:
    silent = rows.assign(last_ticket=None)

    model = make_estimator(with_text, PARAMETERS, seed=1).fit(inputs_of(silent, with_text), rows["label"])

    assert np.isfinite(predict(model, written(rows).head(6), with_text)).all()


def test_no_word_of_a_text_is_kept_in_the_model(rows: pd.DataFrame, with_text: FeatureSet) -> None:
    model = make_estimator(with_text, PARAMETERS, seed=1).fit(inputs_of(written(rows), with_text), rows["label"])

    assert not [word for word in (b"cancel", b"slow", b"today") if word in to_bytes(model)]


def test_the_same_texts_give_the_same_bytes_and_another_seed_others(rows: pd.DataFrame, with_text: FeatureSet) -> None:
    def fitted(seed: int) -> bytes:
        inputs = inputs_of(written(rows), with_text)
        return to_bytes(make_estimator(with_text, PARAMETERS, seed=seed).fit(inputs, rows["label"])["columns"])

    first = fitted(1)

    assert fitted(1) == first
    assert fitted(2) != first


# The logistic regression to beat


def test_a_logistic_regression_gives_each_category_a_column_and_missing_numbers_an_indicator(
    rows: pd.DataFrame, features: FeatureSet
) -> None:
    known = rows.assign(days_away=rows["days_away"].where(rows.index % 2 == 0, np.nan), is_new=True)
    columns = make_logistic_regression(features, seed=1).fit(inputs_of(known, features), known["label"])["columns"]

    coded = columns.transform(
        pd.DataFrame({"days_away": [1.0, np.nan, 3.0], "plan": ["gold", None, "new"], "is_new": [1.0] * 3})
    )

    median = known["days_away"].median()
    # days_away, is_new, days_away is missing, gold, basic
    assert coded.tolist() == [[1, 1, 0, 1, 0], [median, 1, 1, 0, 0], [3, 1, 0, 0, 0]]


def test_a_logistic_regression_ranks_and_scores_what_training_has_not_seen(
    rows: pd.DataFrame, features: FeatureSet
) -> None:
    known = rows[rows["plan"] != "basic"]
    model = make_logistic_regression(features, seed=1).fit(inputs_of(known, features), known["label"])

    strange = rows.head(4).assign(days_away=[1, 30, 60, 90], plan=["basic", "basic", "new", None], is_new=False)
    scores = predict(model, strange, features)

    assert ((scores > 0) & (scores < 1)).all()
    assert np.diff(scores[[0, 1]]) > 0  # the longer away, the more likely


def test_a_logistic_regression_of_inputs_that_are_all_missing_is_the_prior(
    rows: pd.DataFrame, features: FeatureSet
) -> None:
    empty = rows.assign(days_away=np.nan, plan=None, is_new=np.nan)
    model = make_logistic_regression(features, seed=1).fit(inputs_of(empty, features), empty["label"])

    assert predict(model, empty.head(2), features) == pytest.approx(rows["label"].mean(), abs=1e-3)


def test_a_logistic_regression_is_given_the_topics_of_texts_and_no_word(
    rows: pd.DataFrame, with_text: FeatureSet
) -> None:
    def fitted(seed: int) -> bytes:
        model = make_logistic_regression(with_text, seed=seed)
        return to_bytes(model.fit(inputs_of(written(rows), with_text), rows["label"]))

    first = fitted(1)

    assert fitted(1) == first
    assert fitted(2) != first
    assert b"cancel" not in fitted(1)
