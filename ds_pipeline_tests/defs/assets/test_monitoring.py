"""What the weekly monitors say in the UI: realized quality against its limits, and by when retraining is due."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from ds_pipeline.defs.assets import monitoring
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.monitoring import week
from ds_pipeline.use_case.requirements import Requirements
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import TEST_SECRET, matured_week

LIMITS = {"metric": "precision_at_top", "share": 0.5, "warn": 0.95, "critical": 0.3}
Materialize = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def asked(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Workbench]:
    """The workbench under other limits of the monitors."""
    monkeypatch.setenv("DS_PIPELINE_PROJECT", str(bench.project.root))
    monkeypatch.setenv("DS_PIPELINE_PSEUDONYM_KEY", TEST_SECRET)

    def make(**limits: Any) -> Workbench:
        declared = bench.use_case.requirements.model_dump(mode="json")
        requirements = Requirements.model_validate(declared | {"monitoring": declared["monitoring"] | limits})
        return replace(bench, use_case=replace(bench.use_case, requirements=requirements))

    return make


def materialize(bench: Workbench, name: str, day: date) -> dg.ExecuteInProcessResult:
    asset = next(made for made in monitoring.monitoring_assets(bench.use_case) if made.key.path[-1] == name)
    return dg.materialize([asset], resources={"project": ProjectResource()}, partition_key=str(day))


@pytest.mark.parametrize(
    ("labels", "passed", "severity"),
    [
        pytest.param([1, 1, 0, 0], True, None, id="above-warn"),
        pytest.param([1, 0, 0, 0], False, dg.AssetCheckSeverity.WARN, id="below-warn"),
        pytest.param([0, 0, 0, 0], False, dg.AssetCheckSeverity.ERROR, id="below-critical"),
    ],
)
def test_realized_quality_warns_and_fails_at_its_limits(
    asked: Callable[..., Workbench], labels: list[int], passed: bool, severity: dg.AssetCheckSeverity | None
) -> None:
    bench = asked(realized_quality=LIMITS)
    day = matured_week(bench, labels=labels, treated=[False] * 4)

    (check,) = materialize(bench, "realized_quality", day).get_asset_check_evaluations()

    assert check.passed is passed
    assert severity in (None, check.severity)
    assert check.metadata["precision"].value == sum(labels[:2]) / 2


def test_the_treated_stand_apart_in_the_figures_of_the_week(asked: Callable[..., Workbench]) -> None:
    """The campaign kept the first customer: with it half of the list came true, without it all."""
    bench = asked(realized_quality=LIMITS)
    day = matured_week(bench, labels=[0, 1, 0, None], treated=[True, False, False, False])

    done = materialize(bench, "realized_quality", day)

    (check,) = done.get_asset_check_evaluations()
    figures = done.asset_materializations_for_node("shop__realized_quality")[0].metadata
    assert check.passed
    assert (check.metadata["precision"].value, check.metadata["precision_of_everyone"].value) == (1.0, 0.5)
    assert (figures["treated"].value, figures["undecided"].value) == (1, 1)
    assert (figures["campaign_precision"].value, figures["campaign_precision_untreated"].value) == (0.5, 1.0)


def test_a_list_that_was_treated_as_a_whole_cannot_be_judged_and_says_so(asked: Callable[..., Workbench]) -> None:
    bench = asked(realized_quality=LIMITS)
    day = matured_week(bench, labels=[1, 1, 0, 0], treated=[True, True, False, False])

    (check,) = materialize(bench, "realized_quality", day).get_asset_check_evaluations()

    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert check.metadata["status"].value == "not_assessable"


@pytest.mark.parametrize("min_weeks", [1, 2])
def test_nothing_fails_before_enough_weeks_have_matured(asked: Callable[..., Workbench], min_weeks: int) -> None:
    bench = asked(realized_quality=LIMITS | {"min_weeks": min_weeks})
    day = (
        matured_week(bench, labels=[0, 0, 0, 0], treated=[False] * 4) if min_weeks == 2 else bench.use_case.clock.first
    )

    (check,) = materialize(bench, "realized_quality", day).get_asset_check_evaluations()

    assert check.passed
    assert check.metadata["status"].value == "not_judged"


@pytest.mark.parametrize(
    ("is_scored", "said"),
    [
        pytest.param(False, "nothing to judge yet: no scores as old as 2011-03-07", id="no-scores"),
        pytest.param(
            True, "nothing to judge: the scores of 2011-03-07 were logged under another pseudonym key", id="key"
        ),
    ],
)
def test_where_nothing_can_be_judged_it_says_why(
    asked: Callable[..., Workbench], caplog: pytest.LogCaptureFixture, is_scored: bool, said: str
) -> None:
    """Scores under another key stopped the monitor, and scores that were not there yet were told as those of a key."""
    bench = asked(realized_quality=LIMITS)
    day = bench.use_case.clock.first + bench.use_case.clock.lag
    if is_scored:
        matured_week(bench, labels=[1, 1, 0, 0], treated=[False] * 4, key="another")

    with caplog.at_level("INFO", logger="ds_pipeline.progress"):
        done = materialize(bench, "realized_quality", day)

    (check,) = done.get_asset_check_evaluations()
    assert check.metadata["status"].value == "not_judged"
    assert said in [one.getMessage().removeprefix("realized_quality: ") for one in caplog.records]


def test_without_limits_there_are_figures_and_no_check(asked: Callable[..., Workbench]) -> None:
    bench = asked()
    day = matured_week(bench, labels=[1, 0, 0, 0], treated=[False] * 4)

    done = materialize(bench, "realized_quality", day)

    assert done.get_asset_check_evaluations() == []
    assert done.asset_materializations_for_node("shop__realized_quality")[0].metadata["base_rate"].value == 0.25


@pytest.mark.parametrize(("psi", "due"), [(0.25, True), (0.15, False)])
def test_the_drift_check_says_by_when_retraining_is_due(
    asked: Callable[..., Workbench], monkeypatch: pytest.MonkeyPatch, psi: float, due: bool
) -> None:
    """The scoring date begins at midnight in London; two days later the new model is due."""
    bench = asked(psi={"warn": 0.1, "act": 0.2, "retrain_within_hours": 48})
    day = bench.use_case.clock.first
    table = pd.DataFrame({"name": ["visits_seen"], "psi": [psi], "chance": [0.01]})
    monkeypatch.setattr(
        week, "stability_of", lambda *_: (table, 500)
    )  # a bundle and a scored week would be another test

    checks = materialize(bench, "drift", day).get_asset_check_evaluations()

    (check,) = [one for one in checks if one.check_name == "population_stability"]
    assert not check.passed
    assert ("retraining_due_by" in check.metadata) is due
    if due:
        instant = bench.use_case.clock.instant(day) + timedelta(hours=48)
        assert check.metadata["retraining_due_by"].value == instant.timestamp()
        assert "retraining is due by 2011-03-09 00:00 UTC" in str(check.description)
