"""All checks of labels together: what the requirements ask for, and nothing else."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.evaluation.checks.label_quality import LabelFindings, check_labels
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.requirements import Requirements
from ds_pipeline_tests.evaluation.checks.made_up import material

COMMON = {"unit": "none", "nullable": True, "meaning": "made up"}
FEATURES = FeatureSet.model_validate(
    {
        "features": {
            "visits": COMMON | {"dtype": "int64", "role": "input", "minimum": 0, "maximum": 9999},
            "region": COMMON | {"dtype": "string", "role": "slice"},
            "age_band": COMMON | {"dtype": "string", "role": "protected"},
        }
    }
)
LIMITS = {
    "max_rate_shift": "label_rate_shift",
    "max_conflicting_duplicates": "conflicting_duplicates",
    "max_rare_value_share": "rare_value_share",
    "max_estimated_errors": "estimated_label_errors",
    "max_random_errors": "random_label_errors",
}


def rows_of(day: date) -> pd.DataFrame:
    number = np.arange(400)
    return pd.DataFrame(
        {
            "scoring_date": day,
            "token": [f"t{one}" for one in number],
            "visits": number,
            "region": "N",
            "age_band": np.where(number % 2, "0-29", "70+"),
            "label": number % 2,
        }
    )


def run(asked: dict[str, Any], label_quality: dict[str, Any] | None) -> tuple[LabelFindings, dict[str, Any]]:
    requirements = Requirements.model_validate(
        asked | ({"label_quality": label_quality} if label_quality is not None else {})
    )
    training = rows_of(date(2024, 1, 1))
    use_case = SimpleNamespace(requirements=requirements, features=FEATURES, problem=SimpleNamespace(entity="token"))
    checked = check_labels(
        material(
            use_case=use_case,
            trained_on=training,
            labelled=training,
            holdout=rows_of(date(2024, 4, 1)),
            quick_fit=lambda fit, left_out: np.full(len(left_out), 0.5),
        )
    )
    return checked.findings["labels"], dict(checked.measurements)


def test_everything_that_is_asked_for_is_measured(asked: dict[str, Any]) -> None:
    found, measured = run(asked, {"max_undecided_share": 0.1, "owner": "ds"} | dict.fromkeys(LIMITS, 0.1))

    assert {name: one.metric for name, one in measured.items()} == {name: name for name in LIMITS.values()}
    assert all(one.value is not None for one in measured.values())
    assert [(one.by, one.group) for one in found.rate_shifts] == [
        ("scoring_date", "2024-04-01"), ("region", "N"), ("age_band", "0-29"), ("age_band", "70+"),
    ]  # fmt: skip
    assert found.duplicates is not None
    assert found.errors is not None
    assert [one.input for one in found.rare_values] == ["visits"]
    assert LabelFindings.from_json(found.to_json()) == found


@pytest.mark.parametrize("limit", list(LIMITS))
def test_only_what_is_asked_for_is_measured(limit: str, asked: dict[str, Any]) -> None:
    _, measured = run(asked, {"max_undecided_share": 0.1, "owner": "ds", limit: 0.1})
    assert list(measured) == [LIMITS[limit]]


@pytest.mark.parametrize("label_quality", [None, {"max_undecided_share": 0.1, "owner": "ds"}])
def test_nothing_asked_for_nothing_measured(label_quality: dict[str, Any] | None, asked: dict[str, Any]) -> None:
    assert run(asked, label_quality) == (LabelFindings(), {})
