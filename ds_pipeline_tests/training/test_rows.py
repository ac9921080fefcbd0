"""Features and labels meet on entity and date, completely or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from ds_pipeline.errors import TrainingError
from ds_pipeline.training.rows import join_labels, rows_to_train_on
from ds_pipeline.use_case.load import UseCase

ONE, TWO = date(2011, 3, 7), date(2011, 3, 14)


def features(day: date, *tokens: str) -> pa.Table:
    days = pa.array([day] * len(tokens), pa.date32())
    return pa.table(
        {"scoring_date": days, "customer_token": tokens, "n": range(len(tokens)), "is_new": [True] * len(tokens)}
    )


def labels(day: date, *tokens: str) -> pa.Table:
    days = pa.array([day] * len(tokens), pa.date32())
    return pa.table({"scoring_date": days, "customer_token": tokens, "label": pa.array([1] * len(tokens), pa.int8())})


def test_rows_are_sorted_by_date_and_entity_and_keep_their_types() -> None:
    joined = join_labels(
        [features(TWO, "a", "b"), features(ONE, "b")],
        [labels(ONE, "b"), labels(TWO, "b", "a")],
        entity="customer_token",
    )

    assert joined["scoring_date"].tolist() == [ONE, TWO, TWO]
    assert joined["customer_token"].tolist() == ["b", "a", "b"]
    assert joined["n"].tolist() == [0, 0, 1]
    assert joined.dtypes.astype(str).to_dict() == {
        "scoring_date": "object", "customer_token": "object", "n": "int64", "is_new": "bool", "label": "int64"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param(features(ONE, "a", "b"), labels(ONE, "a"), id="no-label"),
        pytest.param(features(ONE, "a"), labels(ONE, "a", "b"), id="no-features"),
        pytest.param(features(ONE, "a", "b"), labels(TWO, "a", "b"), id="another-date"),
    ],
)
def test_a_row_without_its_counterpart_is_refused(left: Any, right: Any) -> None:
    with pytest.raises(TrainingError, match="rows have features without a label or a label without features"):
        join_labels([left], [right], entity="customer_token")


def test_undecided_rows_are_left_out() -> None:
    known = labels(ONE, "a", "b", "c").set_column(2, "label", pa.array([1, None, 0], pa.int8()))

    joined = join_labels([features(ONE, "a", "b", "c")], [known], entity="customer_token")

    assert joined["customer_token"].tolist() == ["a", "c"]
    assert joined["label"].tolist() == [1, 0]
    assert joined["label"].dtype == "int64"


def people(*tokens: str, treated: tuple[str, ...] = ()) -> pd.DataFrame:
    return pd.DataFrame(
        {"scoring_date": ONE, "customer_token": tokens, "is_treated": [token in treated for token in tokens]}
    )


TOKENS = [f"t{number:04d}" for number in range(1000)]


def sample(rows: pd.DataFrame, case: UseCase, **changed: object) -> list[str]:
    asked = replace(case, training=case.training.model_copy(update=changed))
    return list(rows_to_train_on(rows, asked)["customer_token"])


def test_a_sample_of_rows_depends_on_entity_date_and_seed_alone(case: UseCase) -> None:
    rows = people(*TOKENS)

    found = sample(rows, case, max_train_rows=100)

    assert len(found) == 100
    assert found == sorted(found)  # in the order they came in
    assert set(sample(rows[::-1], case, max_train_rows=100)) == set(found)
    assert set(sample(rows, case, max_train_rows=100, seed=8)) != set(found)
    assert set(sample(rows.assign(scoring_date=TWO), case, max_train_rows=100)) != set(found)


def test_a_row_that_is_gone_makes_room_for_one_other(case: UseCase) -> None:
    found = sample(people(*TOKENS), case, max_train_rows=100)

    without = sample(people(*(token for token in TOKENS if token != found[0])), case, max_train_rows=100)

    assert len(set(without) - set(found)) == 1


def test_few_rows_are_all_trained_on(case: UseCase) -> None:
    assert sample(people("a", "b"), case, max_train_rows=100) == ["a", "b"]
    assert sample(people("a", "b"), case) == ["a", "b"]


def test_treated_rows_are_trained_on_unless_they_are_excluded(case: UseCase) -> None:
    rows = people("a", "b", "c", treated=("b",))

    assert sample(rows, case) == ["a", "b", "c"]
    assert sample(rows, case, treated="exclude") == ["a", "c"]
