"""Text by distinct value: what is called how often, and what becomes of nulls, order and index."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.errors import SourceError
from ds_pipeline.masking.columns.uniques import map_unique, map_uniques


def test_a_value_that_repeats_is_computed_once() -> None:
    asked: list[str] = []

    def upper(value: str) -> str:
        asked.append(value)
        return value.upper()

    texts = map_unique(pd.Series(["b", "a", "b", "b", "a"]), upper)

    assert texts.tolist() == ["B", "A", "B", "B", "A"]
    assert sorted(asked) == ["a", "b"]


def test_nulls_of_every_kind_stay_null_and_are_not_asked() -> None:
    values = pd.Series([None, "a", np.nan, pd.NA, pd.NaT], dtype=object)

    assert map_unique(values, str.upper).tolist() == [pd.NA, "A", pd.NA, pd.NA, pd.NA]


def test_an_answer_of_none_is_a_null() -> None:
    texts = map_unique(pd.Series([1, 2, 1]), lambda value: None if value == 1 else "two")

    assert texts.tolist() == [pd.NA, "two", pd.NA]


def test_index_and_name_stay_and_the_column_is_text() -> None:
    values = pd.Series([7, 8], index=[5, 5], name="age")

    texts = map_unique(values, str)

    assert (texts.index.tolist(), texts.name, texts.dtype) == ([5, 5], "age", "string")
    assert values.tolist() == [7, 8]


def test_a_column_of_nulls_or_of_nothing_asks_nothing() -> None:
    def refuse(value: object) -> str:
        raise AssertionError(value)

    assert map_unique(pd.Series([None, None], dtype=object), refuse).isna().tolist() == [True, True]
    assert map_unique(pd.Series([], dtype=object), refuse).tolist() == []


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(pd.Series(["a", None, "b", "a"], dtype="category"), id="categories"),
        pytest.param(pd.Series([dt.date(2020, 1, 1), None, dt.date(2021, 1, 1)] * 2, dtype=object), id="dates"),
        pytest.param(pd.Series([1.5, np.nan, -0.0, 0.0]), id="numbers"),
    ],
)
def test_any_kind_of_column_gives_what_each_cell_alone_would(values: pd.Series) -> None:
    alone = [pd.NA if pd.isna(value) else f"<{value == values.iloc[0]}>" for value in values]

    assert map_unique(values, lambda value: f"<{value == values.iloc[0]}>").tolist() == alone


def test_a_function_of_all_values_sees_each_once_without_nulls() -> None:
    seen: list[list[str]] = []

    def number(uniques: pd.Index) -> list[str]:
        seen.append(list(uniques))
        return [str(place) for place in range(len(uniques))]

    assert map_uniques(pd.Series(["x", None, "y", "x"]), number).tolist() == ["0", pd.NA, "1", "0"]
    assert seen == [["x", "y"]]


def test_a_column_of_lists_is_refused_without_its_values() -> None:
    with pytest.raises(SourceError, match=r"Column 'tags': expected one value per cell.*'drop'") as refusal:
        map_unique(pd.Series([["jane"], ["joe"]], name="tags"), str)

    assert "jane" not in str(refusal.value)
