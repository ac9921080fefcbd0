"""The schema of a features partition: what it refuses, and that it says where without saying what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest

from ds_pipeline.errors import FeatureError
from ds_pipeline.features.schema import features_frame_schema, require_valid
from ds_pipeline.use_case.load import UseCase

NUMBER = {"unit": "x", "role": "input", "minimum": 0, "maximum": 10}
SECRET = 4929.25


@pytest.fixture
def schema(make_shop: Callable[..., UseCase]) -> pa.DataFrameSchema:
    features = {
        "visits": NUMBER | {"dtype": "int64", "nullable": False},
        "refunds": NUMBER | {"dtype": "int64", "nullable": True},
        "share": NUMBER | {"dtype": "float64", "nullable": False},
        "is_new": {"dtype": "bool", "nullable": True, "unit": "flag", "role": "input"},
        "plan": {"dtype": "string", "nullable": True, "unit": "c", "role": "slice", "categories": ["basic", "gold"]},
        "ticket": {"dtype": "text", "nullable": True, "unit": "words", "role": "input", "topics": 2},
    }
    return features_frame_schema(make_shop(features=features))


def frame(**changes: Any) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "scoring_date": [date(2011, 3, 7)] * 2, "customer_token": ["a", "b"], "visits": [1, 2], "refunds": [3, 4],
        "share": [0.0, 10.0], "is_new": [True, False], "plan": ["gold", None], "ticket": ["a text", None],
    }  # fmt: skip
    return pd.DataFrame(columns | changes)


def refused(frame: pd.DataFrame, schema: pa.DataFrameSchema) -> str:
    with pytest.raises(FeatureError) as error:
        require_valid(frame, schema, where="features of 2011-03-07")
    assert error.value.__suppress_context__ or error.value.__context__ is None
    assert str(error.value).startswith("features of 2011-03-07: ")
    return str(error.value)


def test_what_fits_passes(schema: pa.DataFrameSchema) -> None:
    require_valid(frame(), schema, where="features")


def test_nulls_pass_where_they_are_declared(schema: pa.DataFrameSchema) -> None:
    """A nullable integer or boolean failed as soon as one was null: pandas changes the type then."""
    require_valid(frame(refunds=[3, None], is_new=[True, None]), schema, where="features")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        pytest.param({"visits": [1, 4929]}, "  - visits: in_range(0.0, 10.0): 1 rows", id="beyond"),
        pytest.param({"share": [-0.1, SECRET]}, "  - share: in_range(0.0, 10.0): 2 rows", id="both-sides"),
        pytest.param({"share": [0.0, float("inf")]}, "  - share: in_range(0.0, 10.0): 1 rows", id="infinite"),
        pytest.param({"visits": [1, None]}, "  - visits: not_nullable: 1 rows", id="null"),
        pytest.param({"share": [0.5, None]}, "  - share: not_nullable: 1 rows", id="nan"),
        pytest.param({"visits": [1.0, 2.0]}, "  - visits: dtype('int64')", id="type"),
        pytest.param({"refunds": [1.5, None]}, "  - refunds: is_whole: 1 rows", id="fraction"),
        pytest.param({"refunds": ["4929", None]}, "  - refunds: ", id="text-for-a-number"),
        pytest.param({"is_new": ["4929", None]}, "  - is_new: isin([True, False]): 1 rows", id="text-for-a-flag"),
        pytest.param({"plan": ["gold", "4929"]}, "  - plan: isin(['basic', 'gold']): 1 rows", id="category"),
        pytest.param({"customer_token": ["a", "a"]}, "  - customer_token: multiple_fields_uniqueness: 2 rows", id="2"),
        pytest.param({"customer_token": ["a", ""]}, "  - customer_token: str_length(1, None): 1 rows", id="no-token"),
        pytest.param({"surprise": [1, 2]}, "  - surprise: column_in_schema: 1 rows", id="extra-column"),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_column_check_and_count(
    schema: pa.DataFrameSchema, changes: dict[str, Any], line: str
) -> None:
    """A column too many, too few or out of order was reported as "nan"."""
    message = refused(frame(**changes), schema)

    assert line in message
    assert "4929" not in message


def test_every_fault_is_listed(schema: pa.DataFrameSchema) -> None:
    message = refused(frame(visits=[-1, -2], plan=["x", "y"]), schema)

    assert "  - plan: isin(['basic', 'gold']): 2 rows\n  - visits: in_range(0.0, 10.0): 2 rows\n" in message


def test_a_missing_column_is_named(schema: pa.DataFrameSchema) -> None:
    assert "  - share: column_in_dataframe" in refused(frame().drop(columns="share"), schema)


def test_another_order_is_refused(schema: pa.DataFrameSchema) -> None:
    turned = frame()[["scoring_date", "customer_token", "visits", "refunds", "is_new", "share", "plan"]]

    assert "  - share: column_ordered" in refused(turned, schema)


def test_the_column_of_an_identifier_is_refused_by_its_name(schema: pa.DataFrameSchema) -> None:
    message = refused(frame(customer_email=["x", "y"], postcode_area=["AB", "CD"]), schema)

    assert "identifier columns found: customer_email. Remove them from the SQL" in message


def test_one_entity_may_be_in_many_weeks(schema: pa.DataFrameSchema) -> None:
    weeks = pd.concat([frame(), frame(scoring_date=[date(2011, 3, 14)] * 2)], ignore_index=True)

    require_valid(weeks, schema, where="features")
