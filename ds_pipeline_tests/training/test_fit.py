"""A candidate: the same bytes for the same rows, whoever makes it, and calibrated on folds of entities."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import TrainingError
from ds_pipeline.model.predict import predict
from ds_pipeline.training.fit import entity_folds, to_bytes, train_candidate
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.load import UseCase

ELSEWHERE = """
import os, pickle, sys
import joblib
import pyarrow.parquet as pq
from ds_pipeline.digests import digest_bytes
from ds_pipeline.training.fit import train_candidate
for folder in sys.argv[1:]:
    rows = pq.read_table(f"{folder}/rows.parquet").to_pandas()
    case = pickle.load(open(f"{folder}/case", "rb"))
    if os.path.exists(f"{folder}/model.joblib"):
        joblib.load(f"{folder}/model.joblib")
    print(digest_bytes(train_candidate(rows, case).content))
"""


def searching(case: UseCase, **changes: int) -> UseCase:
    return replace(case, training=case.training.model_copy(update=changes))


def test_a_candidate_says_what_it_was_trained_on(rows: pd.DataFrame, case: UseCase) -> None:
    candidate = train_candidate(rows, case)

    assert candidate.rows == 400
    assert candidate.positives == rows["label"].sum()
    assert candidate.weeks == sorted(set(rows["scoring_date"]))


def test_the_same_rows_give_the_same_bytes_and_another_seed_others(rows: pd.DataFrame, case: UseCase) -> None:
    first = train_candidate(rows, case).content
    other = searching(case, seed=8)

    assert train_candidate(rows.copy(), case).content == first
    assert train_candidate(rows, other).content != first


def test_another_process_gives_the_same_bytes_also_after_it_has_loaded_a_model(
    rows: pd.DataFrame, case: UseCase, tmp_path: Path
) -> None:
    """Another hash seed, with a text among the inputs: scikit-learn's vectorizer keeps a memory address, so every
    process made others. And whoever scored and then trained made others too: names of attributes were other objects.
    """
    text = {"dtype": "text", "unit": "words", "nullable": True, "meaning": "made up", "role": "input", "topics": 2}
    declared = case.features.model_dump()["features"] | {"last_ticket": text}
    with_text = replace(case, features=FeatureSet.model_validate({"features": declared}))
    texts = rows.assign(last_ticket=[f"word{number % 7} again" if number % 3 else None for number in range(len(rows))])
    content = train_candidate(rows, case).content
    for name, frame, given in (("fresh", texts, with_text), ("loaded", rows, case)):
        (tmp_path / name).mkdir()
        frame.to_parquet(tmp_path / name / "rows.parquet", index=False)
        (tmp_path / name / "case").write_bytes(pickle.dumps(given))
    (tmp_path / "loaded" / "model.joblib").write_bytes(content)

    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(tmp_path / "fresh"), str(tmp_path / "loaded")],
        env=os.environ | {"PYTHONHASHSEED": "4242"}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.split() == [digest_bytes(train_candidate(texts, with_text).content), digest_bytes(content)]


class Holder:
    def __init__(self, *names: str) -> None:
        self.names = names
        setattr(self, another(names[0]), 1)


def another(text: str) -> str:
    """An equal text, as another object."""
    return text[:1] + text[1:]


@pytest.mark.parametrize(
    "of",
    [
        pytest.param(lambda one, two: [one, two], id="list"),
        pytest.param(lambda one, two: {one: 1, "by": {two: one}}, id="keys"),
        pytest.param(lambda one, two: Holder(one, two), id="attributes"),
        pytest.param(lambda one, two: [one, np.array([two, None, 1.5, two, one], dtype=object)], id="array-of-objects"),
        pytest.param(lambda one, two: np.array([[one], [two]], dtype=object), id="table-of-objects"),
        pytest.param(lambda one, two: pd.Index([one, two]), id="index"),
    ],
)
def test_equal_texts_are_written_as_one(of: Callable[[str, str], Any]) -> None:
    """Rows and case out of one file gave other bytes than out of two: fewer names were one object."""
    name = "days_away"
    same, others = to_bytes(of(name, name)), to_bytes(of(another(name), another(name)))

    assert others == same
    assert pickle.dumps(of(name, name)) != pickle.dumps(of(another(name), another(name)))


@pytest.mark.parametrize("values", [[1.0, 2.0], [1, 2], [True, False], ["a", "b"], ["a", None]], ids=str)
def test_an_array_out_of_a_file_is_written_like_any_other(values: list[Any]) -> None:
    array = np.array(values, dtype=object if "a" in values else None)
    out_of_a_file = pickle.loads(pickle.dumps(array))

    assert to_bytes([array, out_of_a_file]) == to_bytes([out_of_a_file, array]) == to_bytes([array, array.copy()])
    assert to_bytes([array[0], array.dtype, array]) == to_bytes([out_of_a_file[0], out_of_a_file.dtype, out_of_a_file])


def test_what_was_written_is_what_is_read() -> None:
    array = np.array([["a", None], [1.5, "b"]], dtype=object)
    array[1, 0] = ["a", "b"]
    read = joblib.load(io.BytesIO(to_bytes({"array": array, "turned": np.asfortranarray(array), "empty": array[:0]})))

    assert read["array"].tolist() == read["turned"].tolist() == [["a", None], [["a", "b"], "b"]]
    assert read["empty"].shape == (0, 2)
    assert array[0, 0] == "a"


def test_the_order_of_rows_is_part_of_the_inputs(rows: pd.DataFrame, case: UseCase) -> None:
    """Which is why join_labels sorts: turned rows fall into other folds and give another, equally good model."""
    assert train_candidate(rows.iloc[::-1].reset_index(drop=True), case).content != train_candidate(rows, case).content


def test_columns_that_are_no_input_change_nothing(rows: pd.DataFrame, case: UseCase) -> None:
    turned = rows[rows.columns[::-1]].assign(region="south", surprise=1)

    assert train_candidate(turned, case).content == train_candidate(rows, case).content


def test_the_loaded_bytes_give_probabilities(rows: pd.DataFrame, case: UseCase) -> None:
    candidate = train_candidate(rows, case)

    scores = predict(candidate.model, rows, case.features)

    assert ((scores > 0) & (scores < 1)).all()
    assert abs(scores.mean() - rows["label"].mean()) < 0.05  # calibrated
    assert scores[rows["label"] == 1].mean() > scores[rows["label"] == 0].mean() + 0.1


def test_all_rows_of_an_entity_are_in_one_fold(rows: pd.DataFrame) -> None:
    folds = entity_folds(rows["label"], rows["customer_token"], count=4, seed=1)

    assert sorted(set(folds)) == [0, 1, 2, 3]
    assert (pd.Series(folds).groupby(rows["customer_token"]).nunique() == 1).all()
    shares = rows["label"].groupby(folds).mean()
    assert shares.max() - shares.min() < 0.15
    assert not np.array_equal(folds, entity_folds(rows["label"], rows["customer_token"], count=4, seed=2))


@pytest.mark.parametrize(
    ("weeks", "name"),
    [pytest.param(slice(0, 8), "fit", id="fit"), pytest.param(slice(8, 10), "validation", id="validation")],
)
def test_one_class_only_is_refused(rows: pd.DataFrame, case: UseCase, weeks: slice, name: str) -> None:
    inside = rows["scoring_date"].isin(sorted(set(rows["scoring_date"]))[weeks])

    with pytest.raises(TrainingError, match=f"The {name} weeks hold one class of label only"):
        train_candidate(rows.assign(label=rows["label"].mask(inside, 1)), case)


def test_an_input_without_any_value_is_refused_by_name(rows: pd.DataFrame, case: UseCase) -> None:
    """scikit-learn said that a window shape cannot be larger than something."""
    with pytest.raises(TrainingError, match=r"^days_away has no value in any of the \d+ rows of the training weeks"):
        train_candidate(rows.assign(days_away=float("nan"), region=None), case)


def test_no_rows_are_refused(rows: pd.DataFrame, case: UseCase) -> None:
    with pytest.raises(TrainingError, match="0 training weeks are too few"):
        train_candidate(rows.head(0), case)


def test_fewer_entities_than_folds_are_refused(rows: pd.DataFrame, case: UseCase) -> None:
    with pytest.raises(TrainingError, match="2 customer_token"):
        train_candidate(rows[rows["customer_token"] < "t02"], case)


def test_a_candidate_says_how_many_rows_it_was_not_trained_on(rows: pd.DataFrame, case: UseCase) -> None:
    fewer = searching(case, max_train_rows=300)

    candidate = train_candidate(rows, fewer)

    assert (candidate.rows, candidate.rows_there) == (300, 400)
    assert train_candidate(rows.copy(), fewer).content == candidate.content
