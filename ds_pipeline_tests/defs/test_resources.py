"""A run holds its use case until it ends, and then lets go of it."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from ds_pipeline.boundary.suppress import alone
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.errors import ErasureRefused
from ds_pipeline.use_case.load import UseCase


@pytest.fixture
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DS_PIPELINE_PROJECT", str(tmp_path))
    return tmp_path


def may_erase(shop: UseCase) -> bool:
    other = ProjectResource()
    bench = other.open(shop)
    other.teardown_after_execution(dg.build_init_resource_context())
    try:
        with alone(bench):
            return True
    except ErasureRefused:
        return False


def test_nobody_is_erased_while_a_run_is_at_work(in_project: Path, shop: UseCase) -> None:
    with dg.build_resources({"project": ProjectResource()}) as resources:
        resources.project.open(shop)
        resources.project.open(shop)  # each asset of a run opens it
        assert not may_erase(shop)
    assert may_erase(shop)


def test_the_evaluation_of_a_schedule_lets_go_as_well(in_project: Path, shop: UseCase) -> None:
    """The daemon lives on between two Mondays; what it held would refuse every erasure."""
    seen: list[bool] = []

    @dg.schedule(cron_schedule="0 6 * * 1", job_name="made_up")
    def every_monday(context: dg.ScheduleEvaluationContext, project: ProjectResource) -> dg.SkipReason:
        project.open(shop)
        seen.append(may_erase(shop))
        return dg.SkipReason("looked only")

    with dg.build_schedule_context(resources={"project": ProjectResource()}) as context:
        every_monday.evaluate_tick(context)
    assert seen == [False]
    assert may_erase(shop)
