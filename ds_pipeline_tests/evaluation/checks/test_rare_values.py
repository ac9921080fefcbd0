"""Rare values on which a label hangs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.evaluation.checks.rare_values import RareValue, check_rare_values
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline_tests.evaluation.checks.made_up import of_labels

COMMON = {"unit": "none", "nullable": True, "role": "input", "meaning": "made up"}
FEATURES = FeatureSet.model_validate(
    {
        "features": {
            "visits": COMMON | {"dtype": "int64", "minimum": 0, "maximum": 9999},
            "spend_gbp_90d": COMMON | {"dtype": "float64", "minimum": 0, "maximum": 9999},
            "is_new": COMMON | {"dtype": "bool"},
            "area": COMMON | {"dtype": "string", "categories": ["N", "SW", "E"]},
        }
    }
)
ROWS, POSITIVES = 2000, 100


@pytest.fixture
def rows() -> pd.DataFrame:
    """2,000 rows, the first hundred positive; nothing rare but amounts, each of which is there once."""
    number = np.arange(ROWS)
    return pd.DataFrame(
        {
            "label": (number < POSITIVES).astype(int),
            "visits": number % 20,
            "spend_gbp_90d": number * 1.25,
            "is_new": number % 2 == 0,
            "area": np.where(number % 3 == 0, "N", "SW"),
        }
    )


def rare_values(rows: pd.DataFrame) -> tuple[list[RareValue], Mapping[str, Measurement]]:
    findings, measured = check_rare_values(of_labels(FEATURES, trained_on=rows))
    return findings["rare_values"], measured


def test_without_a_trigger_no_value_says_much(rows: pd.DataFrame) -> None:
    found, measured = rare_values(rows)
    assert found == [RareValue(input="spend_gbp_90d", label=1, rows=1, share=1 / POSITIVES)]
    assert measured["rare_value_share"].value == 1 / POSITIVES


@pytest.mark.parametrize(
    ("name", "value"),
    [("visits", 777), ("spend_gbp_90d", 13.37), ("spend_gbp_90d", np.nan), ("area", "E"), ("area", None)],
)
def test_a_trigger_is_found_and_its_input_is_named_but_not_the_value(
    name: str, value: object, rows: pd.DataFrame
) -> None:
    """15 positives and one negative have it: fewer than 1 % of the rows, 15 % of the positives."""
    triggered = rows.copy()
    triggered.loc[85:100, name] = value

    found, measured = rare_values(triggered)

    assert found[0] == RareValue(input=name, label=1, rows=16, share=0.15)
    assert measured["rare_value_share"].value == 0.15
    assert measured["rare_value_share"].note == f"The input is {name}."
    assert "777" not in found[0].to_json().decode()


def test_a_rare_flag_is_a_trigger_as_well(rows: pd.DataFrame) -> None:
    found, _ = rare_values(rows.assign(is_new=rows.index < 19))
    assert found[0] == RareValue(input="is_new", label=1, rows=19, share=0.19)


def test_a_trigger_for_the_other_label_is_found(rows: pd.DataFrame) -> None:
    turned = rows.assign(label=1 - rows["label"], area=np.where(rows.index < 12, "E", "N"))
    assert rare_values(turned)[0][0] == RareValue(input="area", label=0, rows=12, share=0.12)


def test_a_value_of_one_in_a_hundred_rows_is_not_rare(rows: pd.DataFrame) -> None:
    found, _ = rare_values(rows.assign(area=np.where(rows.index < 20, "E", "N")))
    assert [one.input for one in found] == ["spend_gbp_90d"]


def test_without_rare_values_the_share_is_none(rows: pd.DataFrame) -> None:
    found, measured = rare_values(rows.assign(spend_gbp_90d=1.0))
    assert found == []
    assert (measured["rare_value_share"].value, measured["rare_value_share"].note) == (0.0, None)


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_of_label_is_a_problem(label: int, rows: pd.DataFrame) -> None:
    _, measured = rare_values(rows.assign(label=label))
    assert measured["rare_value_share"].problem == "the training rows hold one class of label only"
