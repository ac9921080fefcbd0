"""A candidate: the same bytes for the same rows, whoever makes it, and calibrated on folds of entities."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import TrainingError
from ds_pipeline.model.predict import predict
from ds_pipeline.training.fit import entity_folds, train_candidate
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.load import UseCase

ELSEWHERE = """
import pickle, sys
import joblib
import pyarrow.parquet as pq
from ds_pipeline.digests import digest_bytes
from ds_pipeline.training.fit import train_candidate
rows = pq.read_table(sys.argv[1]).to_pandas()
case = pickle.load(open(sys.argv[2], "rb"))
for loaded_before in sys.argv[3:]:
    joblib.load(loaded_before)
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


def digest_elsewhere(rows: pd.DataFrame, case: UseCase, folder: Path, *loaded_before: Path) -> str:
    """The digest of the candidate that another process makes, with another hash seed, after it has loaded models."""
    stored, given = folder / "rows.parquet", folder / "case"
    rows.to_parquet(stored, index=False)
    given.write_bytes(pickle.dumps(case))
    return subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *map(str, (stored, given, *loaded_before))],
        env=os.environ | {"PYTHONHASHSEED": "4242"}, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


def test_another_process_with_another_hash_seed_gives_the_same_bytes(
    rows: pd.DataFrame, case: UseCase, tmp_path: Path
) -> None:
    """With a text among the inputs: scikit-learn's vectorizer keeps a memory address, so every process made others."""
    text = {"dtype": "text", "unit": "words", "nullable": True, "meaning": "made up", "role": "input", "topics": 2}
    declared = case.features.model_dump()["features"] | {"last_ticket": text}
    case = replace(case, features=FeatureSet.model_validate({"features": declared}))
    rows = rows.assign(last_ticket=[f"word{number % 7} again" if number % 3 else None for number in range(len(rows))])

    assert digest_elsewhere(rows, case, tmp_path) == digest_bytes(train_candidate(rows, case).content)


def test_a_process_that_has_loaded_a_model_before_gives_the_same_bytes(
    rows: pd.DataFrame, case: UseCase, tmp_path: Path
) -> None:
    """Whoever scored and then trained in one process made other bytes: names of attributes were other objects."""
    content = train_candidate(rows, case).content
    (tmp_path / "model.joblib").write_bytes(content)

    assert digest_elsewhere(rows, case, tmp_path, tmp_path / "model.joblib") == digest_bytes(content)


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
