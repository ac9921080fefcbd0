"""Thresholds as they may be declared: each metric has its own keys, and a limit that makes no sense is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.requirements import (
    FIXED_GATES,
    AveragePrecisionGain,
    Bootstrap,
    PsiLimits,
    RealizedQualityLimits,
    Requirements,
)

GAIN = {"metric": "average_precision_gain", "bound": "lower", "owner": "ds"}
TOP = {"metric": "precision_at_top", "share": 0.1, "minimum": 0.5, "bound": "lower", "owner": "crm"}
QUALITY = {"metric": "precision_at_top", "share": 0.1, "warn": 0.4, "critical": 0.3}


def asked(retail_lapse: UseCase, **changes: Any) -> Requirements:
    return Requirements.model_validate(retail_lapse.requirements.model_dump() | changes)


@pytest.mark.parametrize("over", ["baseline", "prior", "logistic_regression"])
@pytest.mark.parametrize("minimum", [0, -0.01])
def test_a_gain_is_above_nought(over: str, minimum: float) -> None:
    with pytest.raises(ValidationError, match=r"minimum must be above 0, found .*only the champion has a tolerance"):
        AveragePrecisionGain.model_validate(GAIN | {"over": over, "minimum": minimum})


@pytest.mark.parametrize("minimum", [-0.02, 0, 0.01])
def test_the_champion_has_a_tolerance(minimum: float) -> None:
    assert AveragePrecisionGain.model_validate(GAIN | {"over": "champion", "minimum": minimum}).minimum == minimum


def test_a_gain_is_over_the_baseline_unless_it_says_so() -> None:
    assert AveragePrecisionGain.model_validate(GAIN | {"minimum": 0.05}).over == "baseline"


@pytest.mark.parametrize(
    "threshold",
    [
        pytest.param(TOP | {"share": 0}, id="share-of-nobody"),
        pytest.param(TOP | {"share": 1}, id="share-of-all"),
        pytest.param(TOP | {"minimum": 1}, id="certainty"),
        pytest.param(TOP | {"bound": "point"}, id="point-where-the-bound-is-asked"),
        pytest.param(TOP | {"recall": 0.5}, id="key-of-another-metric"),
        pytest.param(TOP | {"owner": " "}, id="nobody-owns-it"),
        pytest.param(TOP | {"metric": "accuracy"}, id="unknown-metric"),
        pytest.param({key: value for key, value in TOP.items() if key != "share"}, id="missing-key"),
    ],
)
def test_a_threshold_has_the_keys_of_its_metric_and_no_others(retail_lapse: UseCase, threshold: dict[str, Any]) -> None:
    assert asked(retail_lapse, acceptance={"at_top": TOP}).acceptance["at_top"].metric == "precision_at_top"

    with pytest.raises(ValidationError):
        asked(retail_lapse, acceptance={"at_top": threshold})


@pytest.mark.parametrize(
    "acceptance", [pytest.param({}, id="none"), pytest.param({"At top": TOP}, id="a-name-no-asset-can-have")]
)
def test_there_is_at_least_one_threshold_with_a_plain_name(retail_lapse: UseCase, acceptance: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="acceptance"):
        asked(retail_lapse, acceptance=acceptance)


@pytest.mark.parametrize(("warn", "act"), [(0.2, 0.1), (0.2, 0.2)])
def test_to_act_takes_more_drift_than_to_warn(warn: float, act: float) -> None:
    with pytest.raises(ValidationError, match=r"act \(.*\) must be above warn"):
        PsiLimits(warn=warn, act=act)

    assert PsiLimits(warn=0.1, act=0.2).retrain_within_hours is None


@pytest.mark.parametrize(("warn", "critical"), [(0.3, 0.4), (0.3, 0.3)])
def test_critical_quality_is_below_that_of_a_warning(warn: float, critical: float) -> None:
    with pytest.raises(ValidationError, match=r"critical \(.*\) must be below warn"):
        RealizedQualityLimits.model_validate(QUALITY | {"warn": warn, "critical": critical})

    assert RealizedQualityLimits.model_validate(QUALITY).min_weeks == 1


@pytest.mark.parametrize(
    "changes", [{"resamples": 99}, {"confidence": 0.5}, {"confidence": 1}, {"seed": -1}, {"seed": 2**32}], ids=str
)
def test_a_bound_is_made_of_enough_resamples_on_the_right_side(changes: dict[str, Any]) -> None:
    fine = {"resamples": 100, "confidence": 0.95, "seed": 0}
    assert Bootstrap.model_validate(fine).resamples == 100

    with pytest.raises(ValidationError):
        Bootstrap.model_validate(fine | changes)


def test_what_is_not_asked_for_is_not_there(retail_lapse: UseCase) -> None:
    needed = {
        name: value for name, value in retail_lapse.requirements.model_dump().items()
        if Requirements.model_fields[name].is_required()
    }  # fmt: skip

    least = Requirements.model_validate(needed)

    assert [name for name in Requirements.model_fields if getattr(least, name) is None] == [
        "cost", "leakage", "label_quality", "stability", "matured_fit", "operations", "cross_validation",
    ]  # fmt: skip


def test_every_fixed_gate_belongs_to_a_part_of_the_file() -> None:
    assert set(FIXED_GATES.values()) <= set(Requirements.model_fields)
