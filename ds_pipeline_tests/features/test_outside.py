"""A value that is not declared: taken inside and counted within the declared share, refused above it."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline.errors import FeatureError
from ds_pipeline.features.build import build_features
from ds_pipeline.features.outside import outside_of, say_outside, take_inside
from ds_pipeline.features.schema import features_frame_schema, require_valid
from ds_pipeline.store.asof import AsOfTables, ReadWeek
from ds_pipeline.store.snapshots import encode
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.load import UseCase

D = date(2011, 3, 7)
EARLY = datetime(2011, 3, 1, tzinfo=UTC)
NUMBER = {"unit": "x", "nullable": True, "role": "input", "minimum": 0, "maximum": 10, "meaning": "m"}
SUM, COUNT = NUMBER | {"dtype": "float64"}, NUMBER | {"dtype": "int64"}
COUNTRY = {"dtype": "string", "unit": "x", "nullable": True, "role": "input", "meaning": "m"} | {
    "categories": ["GB", "FR"]
}


def taken(values: pa.Array, feature: dict[str, Any], *, share: float = 0.5) -> pa.Table:
    features = FeatureSet.model_validate({"max_outside_share": share, "features": {"x": feature}})
    return take_inside(pa.table({"x": values}), features, day=D)


@pytest.mark.parametrize(
    ("values", "feature", "inside", "count"),
    [
        pytest.param(pa.array([-0.5, 3.0, 11.0, None]), SUM, [0.0, 3.0, 10.0, None], 2, id="sums"),
        pytest.param(pa.array([-1, 3, None]), COUNT, [0, 3, None], 1, id="counts"),
        pytest.param(pa.array([0, 9, 2]), COUNT | {"minimum": 0.5, "maximum": 8.5}, [1, 8, 2], 2, id="whole-limits"),
        pytest.param(pa.array([-1, 2**62]), COUNT | {"maximum": 1e20}, [0, 2**62], 1, id="a-limit-beyond-integers"),
        pytest.param(pa.array(["GB", "XY", None]), COUNTRY, ["GB", None, None], 1, id="a-new-country-is-missing"),
        pytest.param(pa.array(["GB", "XY", None]), COUNTRY | {"other": "FR"}, ["GB", "FR", None], 1, id="or-pooled"),
        pytest.param(pa.array(["GB", "gb"]), COUNTRY | {"nullable": False}, ["GB", "gb"], 0, id="or-stays"),
        pytest.param(pa.array([math.inf, 1.0]), SUM, [math.inf, 1.0], 0, id="infinity-is-a-fault"),
    ],
)
def test_a_value_outside_goes_to_what_is_declared_for_it(
    values: pa.Array, feature: dict[str, Any], inside: list[object], count: int
) -> None:
    made = taken(values, feature, share=0.9)

    assert made["x"].to_pylist() == inside
    assert outside_of(made) == ({"x": count} if count else {})


def test_nan_is_a_missing_value_and_not_outside() -> None:
    assert outside_of(taken(pa.array([math.nan, 1.0]), SUM)) == {}


@pytest.mark.parametrize(
    ("share", "outside", "stops"),
    [
        pytest.param(0.01, 2, False, id="two-of-two-hundred"),
        pytest.param(0.01, 3, True, id="three-are-too-many"),
        pytest.param(0.001, 1, False, id="one-never-stops-it"),
        pytest.param(0.001, 2, True, id="two-do"),
    ],
)
def test_only_the_declared_share_of_a_week_may_lie_outside(share: float, outside: int, stops: bool) -> None:
    values = pa.array(["XY"] * outside + ["GB"] * (200 - outside))

    if not stops:
        assert taken(values, COUNTRY, share=share)["x"].null_count == outside
        return
    with pytest.raises(FeatureError, match="features at 2011-03-07: of 200 rows at most ") as error:
        taken(values, COUNTRY, share=share)
    assert f"found x {outside}" in str(error.value)
    assert "XY" not in str(error.value)


def test_without_a_share_a_week_stays_as_it_is() -> None:
    """The schema refuses it then, and the bytes are those that they always were."""
    made = taken(pa.array(["XY", "GB"]), COUNTRY, share=0)

    assert made["x"].to_pylist() == ["XY", "GB"]
    assert made.schema.metadata is None
    assert taken(pa.array(["FR", "GB"]), COUNTRY).schema.metadata is None


def test_weeks_are_built_with_what_is_outside_taken_inside_and_say_so(
    make_shop: Callable[..., UseCase], weeks_of: Callable[..., ReadWeek]
) -> None:
    shop = make_shop()
    features = shop.features.model_copy(update={"max_outside_share": 0.5})
    case = UseCase(**{**vars(shop), "features": features})
    visits = [(token, 1, EARLY, EARLY) for token in "ab"]
    plans = [("a", "gold", EARLY, EARLY), ("b", "platinum", EARLY, EARLY)]
    read = weeks_of(visits, plans)

    with AsOfTables(case, read) as tables:
        made = build_features(tables, D)

    assert made["plan"].to_pylist() == ["gold", None]
    require_valid(made.to_pandas(), features_frame_schema(case), where="features")
    again = pa.concat_tables([made, made.replace_schema_metadata(None)])
    assert len(again) == 4
    assert say_outside([made, made]) == "2 values outside of features.yaml taken inside: plan 2"
    assert outside_of(pa.parquet.read_table(pa.BufferReader(encode(made)))) == {"plan": 1}


@pytest.mark.parametrize(
    "feature",
    [
        pytest.param(COUNTRY | {"other": "elsewhere"}, id="not-listed"),
        pytest.param(NUMBER | {"dtype": "int64", "other": "x"}, id="of-a-number"),
    ],
)
def test_other_is_one_of_the_categories(feature: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be one of the categories"):
        FeatureSet.model_validate({"features": {"x": feature}})
