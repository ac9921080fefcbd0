"""Every way to ask less of a model than before is told, with its owner; asking more, or of nobody, is not."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from ds_pipeline.use_case.eased import eased
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.readers import Limit, keys
from ds_pipeline.use_case.requirements import Requirements


@pytest.fixture
def told(retail_lapse: UseCase) -> Callable[..., list[str]]:
    """What is told of a change of the file, given as a path and a value; None: the key is gone."""

    def tell(*changes: tuple[str, Any]) -> list[str]:
        before = retail_lapse.requirements.model_dump(mode="json")
        after = deepcopy(before)
        for path, value in changes:
            *parts, key = path.split(".")
            part = after
            for name in parts:
                part = part[name]
            part[key] = value
            if value is None:
                del part[key]
        found = eased(Requirements.model_validate(before), Requirements.model_validate(after))
        assert eased(Requirements.model_validate(before), Requirements.model_validate(before)) == []
        return [f"{change.words} ({change.owner})" for change in found]

    return tell


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("acceptance.precision_in_top_decile.minimum", 0.5, "at least 0.6 becomes at least 0.5 (crm-analytics)"),
        ("acceptance.calibration.maximum", 0.2, "at most 0.1 becomes at most 0.2 (data-science)"),
        ("acceptance.no_worse_than_champion.minimum", -0.5, "at least -0.02 becomes at least -0.5 (crm-analytics)"),
        ("acceptance.precision_at_recall_60.recall", 0.1, "0.6 becomes 0.1 (crm-analytics)"),
        ("acceptance.gain_over_recency_rule.over", "prior", "baseline becomes prior (data-science)"),
        ("acceptance.calibration.bins", 20, "10 becomes 20 (data-science)"),
        ("data_minimums.training_rows", 10, "at least 5000 becomes at least 10 (data-science)"),
        ("baseline.higher_means_more_likely", False, "True becomes False (data-science)"),
        ("holdout.weeks", 2, "8 becomes 2 (data-science)"),
        ("holdout.min_rows", 1, "1000 becomes 1 (data-science)"),
        ("holdout.max_configurations", None, "at most 10 is gone (data-science)"),
        ("bootstrap.resamples", 100, "2000 becomes 100 (data-science)"),
        ("bootstrap.confidence", 0.6, "0.95 becomes 0.6 (data-science)"),
        ("bootstrap.seed", 1, "20111205 becomes 1 (data-science)"),
        ("slices.min_support", 5000, "200 becomes 5000 (data-science)"),
        ("cost.value_saved", 80, "8.0 becomes 80.0 (crm-analytics)"),
        ("leakage.shuffled_labels.permutations", 5, "10 becomes 5 (data-science)"),
        ("label_quality.max_rate_shift", None, "at most 0.1 is gone (data-science)"),
        ("stability.perturbation", 0.001, "0.01 becomes 0.001 (data-science)"),
    ],
)
def test_what_is_eased_is_told_with_its_owner(told: Callable[..., list[str]], key: str, value: Any, said: str) -> None:
    assert told((key, value)) == [f"{key}: {said}"]


def test_a_gate_or_a_section_that_is_gone_is_told_by_its_limits(told: Callable[..., list[str]]) -> None:
    assert told(("acceptance.calibration", None)) == [
        "acceptance.calibration.maximum: at most 0.1 is gone (data-science)"
    ]
    assert told(("stability", None)) == [
        "stability.distinct_refits: at most 1 is gone (data-science)",
        "stability.reload_difference: at most 0 is gone (data-science)",
        "stability.max_standard_deviation: at most 0.02 is gone (data-science)",
        "stability.max_score_change: at most 0.25 is gone (data-science)",
    ]


def test_a_choice_that_a_gate_may_do_without_is_another_question_when_it_comes_or_goes(
    told: Callable[..., list[str]], retail_lapse: UseCase
) -> None:
    """Without its share a saving is that of acting on everybody from a score on, which asks far less of a model."""
    before = retail_lapse.requirements
    after = before.model_copy(update={"acceptance": dict(before.acceptance)})
    after.acceptance["saving"] = before.acceptance["saving"].model_copy(update={"share": None})

    assert told(("acceptance.saving.share", None)) == ["acceptance.saving.share: 0.1 is gone (crm-analytics)"]
    assert [change.words for change in eased(after, before)] == ["acceptance.saving.share: nothing becomes 0.1"]
    assert told(("acceptance.saving", None)) == ["acceptance.saving.minimum: at least 150 is gone (crm-analytics)"]


def test_another_metric_under_the_same_name_is_told(told: Callable[..., list[str]]) -> None:
    another = {"metric": "expected_calibration_error", "bins": 2, "maximum": 0.9, "bound": "point", "owner": "me"}
    assert told(("acceptance.precision_in_top_decile", another)) == [
        f"acceptance.precision_in_top_decile.{said} (crm-analytics)"
        for said in (
            "metric: precision_at_top becomes expected_calibration_error",
            "minimum: at least 0.6 is gone",
            "bound: lower becomes point",
        )
    ]


@pytest.mark.parametrize(
    "change",
    [
        ("acceptance.precision_in_top_decile.minimum", 0.7),
        ("acceptance.calibration.maximum", 0.05),
        ("acceptance.calibration.owner", "crm-analytics"),
        ("holdout.min_rows", 2000),
        ("holdout.max_configurations", 5),
        ("bootstrap.resamples", 5000),
        ("stability.seeds", 5),
        ("monitoring.psi.act", 0.9),
        ("budgets.run_minutes", 100),
        ("cross_validation", {"folds": 5, "below_rows": 10, "seed": 1}),
    ],
)
def test_asking_more_or_what_refuses_no_model_is_not_told(
    told: Callable[..., list[str]], change: tuple[str, Any]
) -> None:
    assert told(change) == []


def test_of_every_limit_the_easier_direction_follows_from_its_comparison() -> None:
    limits = [read for _, read in keys(Requirements) if isinstance(read, Limit)]
    assert {(limit.comparison, limit.eased_by) for limit in limits} == {(">=", "less"), ("<=", "more")}
    assert all(limit.refuses for limit in limits)


def test_the_floor_is_a_ranking_at_a_bound_that_a_first_model_is_held_to(retail_lapse: UseCase) -> None:
    asked = retail_lapse.requirements
    floors = {
        name: asked.model_copy(update={"acceptance": {name: gate}}).asks_for_ranking
        for name, gate in asked.acceptance.items()
    }
    assert floors == {
        "precision_at_recall_60": True, "precision_in_top_decile": True, "gain_over_recency_rule": True,
        "gain_for_new_customers": False, "no_worse_than_champion": False, "saving": False, "calibration": False,
        "false_positives_by_age": False, "parity_by_age": False, "odds_by_age": False, "calibration_by_age": False,
    }  # fmt: skip
