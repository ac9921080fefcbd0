"""Every Monday at the contract's time, for live use cases: the weeks that are not scored yet, oldest first."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from ds_pipeline.defs.jobs import job_name
from ds_pipeline.project import open_project
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench, open_workbench


def weekly_schedule(use_case: UseCase) -> dg.ScheduleDefinition:
    """The schedule of a live use case. Dagster has no catch-up: after three missed Mondays it runs the newest only."""
    hour, minute = use_case.contract.cadence.time.split(":")
    job = job_name(use_case.name, "weekly")

    @dg.schedule(
        name=f"{use_case.name}_every_monday",
        job_name=job,
        cron_schedule=f"{int(minute)} {int(hour)} * * 1",
        execution_timezone=use_case.problem.clock.time_zone,
        description="Scores this Monday, and first every earlier one that was missed since the champion was promoted.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def every_monday(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        tick = context.scheduled_execution_time
        bench = open_workbench(open_project(), use_case)  # only reads: an erasure need not wait for it
        for key in missing_weeks(bench, use_case.clock.newest(tick)):
            yield dg.RunRequest(run_key=f"{key}@{tick:%Y-%m-%d}", partition_key=key)

    return every_monday


def missing_weeks(bench: Workbench, newest: date) -> list[str]:
    """The scoring dates up to the newest that have no scores although a version was in force for them, oldest first."""
    done = set(bench.datasets.store.partitions(SCORES))
    days = bench.use_case.clock.dates_until(newest)
    return [str(day) for day in days if str(day) not in done and bench.registry.champion(day) is not None]
