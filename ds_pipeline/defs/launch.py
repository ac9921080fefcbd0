"""Run a job of a use case in this process, on the user's Dagster instance, and say how it ended.

The runs are the same as those from the UI or the schedule and appear there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg

from ds_pipeline import errors
from ds_pipeline.defs.assemble import assets_of
from ds_pipeline.defs.assets.ingestion import NEW_KEY
from ds_pipeline.defs.assets.monitoring import STARTED_AT
from ds_pipeline.defs.event_log import kept_open
from ds_pipeline.defs.jobs import job_name, jobs_of
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.use_case.load import UseCase

RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        error: the message of the first failure that is not a failed check; None if there was none.
        failed_checks: names of the checks that failed.
        severe: those of them that are no warning.
    """

    succeeded: bool
    error: str | None = None
    failed_checks: list[str] = field(default_factory=list)
    severe: list[str] = field(default_factory=list)


def run_job(
    use_case: UseCase,
    job: str,
    days: Sequence[date],
    *,
    instance: dg.DagsterInstance,
    started_at: float,
    accepts_new_key: bool = False,
) -> Outcome:
    """Run history, training, scoring or weekly for one scoring date, or history for a range of them.

    Args:
        days: neighbouring scoring dates, oldest first.
        started_at: when the whole work began, for the time budget (seconds since 1970).
        accepts_new_key: tables that are stored under another pseudonym key do not stop the run.
    """
    definitions = dg.Definitions(
        assets=assets_of(use_case),
        jobs=jobs_of(use_case),
        resources={"project": ProjectResource()},
        executor=dg.in_process_executor,
    )
    tags = {STARTED_AT: str(started_at)} | ({NEW_KEY: "accepted"} if accepts_new_key else {})
    if len(days) > 1:
        tags |= dict(zip(RANGE_TAGS, (str(days[0]), str(days[-1])), strict=True))
    with kept_open(instance):
        result = definitions.resolve_job_def(job_name(use_case.name, job)).execute_in_process(
            instance=instance,
            partition_key=str(days[0]) if len(days) == 1 else None,
            tags=tags,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},  # the command line speaks
            raise_on_error=False,
        )
    return _outcome(result)


def _outcome(result: dg.ExecuteInProcessResult) -> Outcome:
    failed = [check for check in result.get_asset_check_evaluations() if not check.passed]
    failures = [event for event in result.all_events if event.is_step_failure]
    if any(_is_interruption(event) for event in failures):
        raise KeyboardInterrupt  # Dagster takes Ctrl-C for a failed step
    messages = [_message(event) for event in failures]
    shown = [message for message in messages if message is not None]
    return Outcome(
        result.success,
        shown[0] if shown else None,
        [check.check_name for check in failed],
        [check.check_name for check in failed if check.severity == dg.AssetCheckSeverity.ERROR],
    )


def _is_interruption(event: dg.DagsterEvent) -> bool:
    error: Any = event.step_failure_data.error
    while error is not None and error.cls_name != dg.DagsterExecutionInterruptedError.__name__:
        error = error.cause
    return error is not None


def _message(event: dg.DagsterEvent) -> str | None:
    """The message of the error behind a failed step; None for a failed check, which has a line of its own."""
    error: Any = event.step_failure_data.error
    while error is not None:
        if error.cls_name == "DagsterAssetCheckFailedError":
            return None
        _, _, message = error.message.strip().partition(f"{error.cls_name}: ")
        if hasattr(errors, error.cls_name or "") or error.cause is None:
            return (
                message if hasattr(errors, error.cls_name or "") else f"{event.step_key}: {error.cls_name}: {message}"
            )
        error = error.cause
    return f"{event.step_key} failed."
