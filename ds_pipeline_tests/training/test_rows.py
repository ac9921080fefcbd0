"""Features and labels meet on entity and date, completely or not at all."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline.errors import TrainingError
from ds_pipeline.training.rows import join_labels

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
