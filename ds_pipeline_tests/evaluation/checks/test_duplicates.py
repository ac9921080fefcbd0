"""Near-duplicates of different entities with opposite labels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.evaluation.checks.duplicates import Duplicates, check_duplicates, significant
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline_tests.evaluation.checks.made_up import of_labels

COMMON = {"unit": "none", "nullable": True, "role": "input", "meaning": "made up"}
NUMBER = COMMON | {"minimum": 0, "maximum": 1}
FEATURES = FeatureSet.model_validate(
    {
        "features": {
            "spend_gbp_90d": NUMBER | {"dtype": "float64"},
            "visits": NUMBER | {"dtype": "int64"},
            "is_new": COMMON | {"dtype": "bool"},
            "area": COMMON | {"dtype": "string", "categories": ["N", "SW"]},
            "words": COMMON | {"dtype": "text", "topics": 2},
            "age_band": COMMON | {"dtype": "string", "role": "protected"},
        }
    }
)
ROW = {
    "token": "a", "label": 0, "spend_gbp_90d": 123.4, "visits": 7, "is_new": False, "area": "N", "words": "hello",
    "age_band": "0-29",
}  # fmt: skip


def conflicting_duplicates(rows: pd.DataFrame) -> tuple[Duplicates, Mapping[str, Measurement]]:
    findings, measured = check_duplicates(of_labels(FEATURES, trained_on=rows))
    return findings["duplicates"], measured


def count(*rows: dict[str, object]) -> tuple[int, int, int]:
    frame = pd.DataFrame([ROW | row for row in rows]).astype({"visits": "Int64", "spend_gbp_90d": "float64"})
    found, measured = conflicting_duplicates(frame)
    assert measured["conflicting_duplicates"].value == found.conflicting / len(rows)
    return found.rows, found.duplicated, found.conflicting


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="the-same"),
        pytest.param({"spend_gbp_90d": 121.0}, id="same-two-digits"),
        pytest.param({"words": "another text"}, id="another-text"),
        pytest.param({"age_band": "70+"}, id="another-protected-value"),
    ],
)
def test_a_row_of_another_entity_with_the_opposite_label_conflicts(change: dict[str, object]) -> None:
    assert count({}, {"token": "b", "label": 1} | change) == (2, 2, 2)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"spend_gbp_90d": 131.0}, id="other-digits"),
        pytest.param({"spend_gbp_90d": 1234.0}, id="other-magnitude"),
        pytest.param({"spend_gbp_90d": -123.4}, id="other-sign"),
        pytest.param({"spend_gbp_90d": None}, id="missing-number"),
        pytest.param({"visits": 8}, id="another-count"),
        pytest.param({"visits": None}, id="missing-count"),
        pytest.param({"is_new": True}, id="another-flag"),
        pytest.param({"area": "SW"}, id="another-category"),
        pytest.param({"area": None}, id="missing-category"),
    ],
)
def test_one_other_input_makes_another_row(change: dict[str, object]) -> None:
    assert count({}, {"token": "b", "label": 1} | change) == (2, 0, 0)


def test_rows_of_one_entity_are_not_compared() -> None:
    assert count({}, {"label": 1}) == (2, 0, 0)


def test_the_same_label_is_no_conflict() -> None:
    assert count({}, {"token": "b"}, {"token": "c"}) == (3, 3, 0)


def test_each_row_counts_that_has_an_opposite_one_of_another_entity() -> None:
    """a has both labels; b agrees with one of its rows and conflicts with the other; c stands alone."""
    assert count({}, {"label": 1}, {"token": "b"}, {"token": "c", "visits": 1}) == (4, 3, 2)


def test_missing_values_are_the_same() -> None:
    missing = {"spend_gbp_90d": None, "visits": None, "area": None}
    assert count(missing, missing | {"token": "b", "label": 1}) == (2, 2, 2)


def test_copied_rows_with_turned_labels_are_all_found_among_many() -> None:
    number = np.arange(1000)
    rows = pd.DataFrame(
        {
            "token": [f"t{one}" for one in number],
            "label": number % 3 == 0,
            "spend_gbp_90d": 10.0 ** (number // 100),
            "visits": number % 100,
            "is_new": False,
            "area": "N",
        }
    )
    copies = rows.head(50).assign(token="poison", label=~rows["label"].head(50))

    found, measured = conflicting_duplicates(pd.concat([rows, copies]))

    assert conflicting_duplicates(rows)[0].conflicting == 0
    assert (found.rows, found.conflicting) == (1050, 100)
    assert measured["conflicting_duplicates"].value == 100 / 1050


def test_no_rows_are_a_problem() -> None:
    found, measured = conflicting_duplicates(pd.DataFrame([ROW]).iloc[:0])
    assert found == Duplicates(rows=0, duplicated=0, conflicting=0)
    assert measured["conflicting_duplicates"].problem == "there are no training rows to compare"


def test_significant_digits_by_hand() -> None:
    values = np.array([0.0, 7.0, 99.4, 99.6, 123.4, -0.01268, 15_700.0])
    assert significant(values) == pytest.approx([0.0, 7.0, 99.0, 100.0, 120.0, -0.013, 16_000.0])
    assert np.isnan(significant(np.array([np.nan]))).all()
