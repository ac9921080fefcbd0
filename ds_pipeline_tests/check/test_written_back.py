"""Signs that the past was written back: one version of each, rows of leavers that are gone, gaps that tell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ds_pipeline.check.written_back import deleted_rows, single_versions, telling_gaps
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.load import UseCase

MakeShop = Callable[..., UseCase]
DAYS = [date(2011, 3, 7) + timedelta(weeks=week) for week in range(20)]
PEOPLE = [f"t{number:03d}" for number in range(100)]
COUNT = {"dtype": "int64", "unit": "x", "nullable": True, "role": "input", "minimum": 0, "maximum": 99, "meaning": "m"}
PLAN = {"dtype": "string", "unit": "c", "nullable": True, "role": "input", "categories": ["gold"], "meaning": "m"}


def versions(second: int) -> pd.DataFrame:
    """A version of each of a hundred people, and of some a second one."""
    return pd.DataFrame({"customer_token": [*PEOPLE, *PEOPLE[:second]]})


@pytest.mark.parametrize(
    ("second", "plan", "warns"),
    [
        pytest.param(0, PLAN, True, id="nobody-has-two"),
        pytest.param(1, PLAN, True, id="one-of-a-hundred-has"),
        pytest.param(2, PLAN, False, id="two-of-a-hundred-have"),
        pytest.param(0, PLAN | {"role": "slice"}, False, id="the-model-does-not-see-it"),
    ],
)
def test_one_version_of_each_whose_columns_are_inputs_is_a_warning(
    make_shop: MakeShop, second: int, plan: dict[str, Any], warns: bool
) -> None:
    """A column as of the day of the extract, with the day the row was made as known_at, passed every gate."""
    shop = make_shop(features={"visits_seen": COUNT, "plan": plan})

    found = single_versions(shop, "plans", versions(second))

    assert len(found) == warns
    if warns:
        assert found[0].startswith(
            "plans: hardly any customer_token has more than one version, so nothing says when plan"
        )
        assert "features/plans.sql makes inputs of it" in found[0]


def test_what_was_fixed_once_or_nobody_reads_is_none(make_shop: MakeShop) -> None:
    shop = make_shop(
        features={"visits_seen": COUNT},
        feature_sql={
            "features/x.sql": "select customer_token, count(*) as visits_seen from visits group by all -- plans"
        },
    )

    assert single_versions(shop, "plans", versions(0)) == []
    assert single_versions(make_shop(), "visits", versions(0)) == []


def visits(last: dict[str, int]) -> dict[date, pa.Table]:
    """A visit each week until the last one of each person."""
    return {
        day: pa.table({"customer_token": pa.array([one for one in PEOPLE if last[one] >= week], pa.string())})
        for week, day in enumerate(DAYS)
    }


@pytest.mark.parametrize(
    ("deleted", "warns"),
    [
        pytest.param(PEOPLE[:30], True, id="leavers"),
        pytest.param(PEOPLE[::3], False, id="anybody"),
        pytest.param(PEOPLE[:2], False, id="too-few-to-tell"),
        pytest.param(PEOPLE[60:], False, id="who-is-still-there"),
        pytest.param([], False, id="nobody"),
    ],
)
def test_rows_of_leavers_that_are_gone_are_a_warning(shop: UseCase, deleted: list[str], warns: bool) -> None:
    """Of fifty people the last visit is ten weeks ago; the horizon is 30 days."""
    last = {one: 9 if number < 50 else 19 for number, one in enumerate(PEOPLE)}
    kept = pa.chunked_array([pa.array(sorted(set(PEOPLE) - set(deleted)), pa.string())])

    found = deleted_rows(shop, "visits", visits(last), lambda *_: kept)

    assert len(found) == warns
    if warns:
        said = "plans has no row of 30 of the 50 people whose last row in visits is more than 30 days back, and of 0 of"
        assert found[0].startswith(said)


@pytest.mark.parametrize(
    ("positive", "warns"),
    [
        pytest.param((45, 20), True, id="forty-five-and-ten-percent"),  # 0.9 of 50 against 0.1 of 200
        pytest.param((15, 20), False, id="thirty-and-ten-percent"),
        pytest.param((0, 90), True, id="none-and-forty-five-percent"),
    ],
)
def test_gaps_that_tell_the_outcome_are_a_warning(positive: tuple[int, int], warns: bool) -> None:
    label = [1] * positive[0] + [0] * (50 - positive[0]) + [1] * positive[1] + [0] * (200 - positive[1])
    rows = pd.DataFrame({"tenure": [np.nan] * 50 + [3.0] * 200, "whole": 1.0, "label": pd.array(label, "Int8")})
    number = COUNT | {"dtype": "float64"}
    features = FeatureSet.model_validate({"features": {"tenure": number, "whole": number}})

    found = telling_gaps(rows, features)

    assert len(found) == warns
    if positive == (45, 20):
        assert found[0].startswith("tenure: 90% are positive where it is missing and 10% where it is not (50 rows")


def test_undecided_rows_and_a_few_gaps_tell_nothing() -> None:
    label = pd.array([1] * 19 + [0] * 81 + [pd.NA] * 40, "Int8")
    rows = pd.DataFrame({"tenure": [np.nan] * 19 + [3.0] * 81 + [np.nan] * 40, "label": label})
    features = FeatureSet.model_validate({"features": {"tenure": COUNT | {"dtype": "float64"}}})

    assert telling_gaps(rows, features) == []
