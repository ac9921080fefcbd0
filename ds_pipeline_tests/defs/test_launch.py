"""How a run in this process ended, told from the events of real runs of small jobs."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from ds_pipeline.defs.launch import Outcome, _outcome
from ds_pipeline.errors import HistoryError


def ended(work: Callable[[], None], *, passed: bool = True) -> Outcome:
    """An asset does the work, has a blocking check, and another asset comes after it."""

    @dg.asset(check_specs=[dg.AssetCheckSpec("no_fault", asset="first", blocking=True)])
    def first() -> dg.MaterializeResult:
        work()
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(check_name="no_fault", passed=passed)])

    @dg.asset(deps=[first])
    def second() -> None:
        """Comes after it."""

    with dg.DagsterInstance.ephemeral() as instance:
        job = dg.Definitions(assets=[first, second], jobs=[dg.define_asset_job("all")]).resolve_job_def("all")
        return _outcome(
            job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        )


def nothing() -> None:
    pass


def ours() -> None:
    raise HistoryError("17 weeks are missing: build them.")


def ours_from_another() -> None:
    try:
        raise KeyError("2011-03-07")
    except KeyError as error:
        raise HistoryError("A week is missing.") from error


def theirs() -> None:
    raise ZeroDivisionError("division by zero")


def interrupted() -> None:
    raise dg.DagsterExecutionInterruptedError


def test_a_run_that_went_through_has_no_error() -> None:
    assert ended(nothing) == Outcome(succeeded=True)


def test_a_failed_check_is_named_and_is_no_error() -> None:
    assert ended(nothing, passed=False) == Outcome(
        succeeded=False, error=None, failed_checks=["no_fault"], severe=["no_fault"]
    )


@pytest.mark.parametrize(
    ("work", "error"),
    [
        pytest.param(ours, "17 weeks are missing: build them.", id="ours"),
        pytest.param(ours_from_another, "A week is missing.", id="ours-and-not-its-cause"),
        pytest.param(theirs, "first: ZeroDivisionError: division by zero", id="anybody-else's"),
    ],
)
def test_an_error_is_told_as_it_was_said(work: Callable[[], None], error: str) -> None:
    assert ended(work) == Outcome(succeeded=False, error=error)


def test_an_interruption_is_one_and_no_failed_step() -> None:
    with pytest.raises(KeyboardInterrupt):
        ended(interrupted)
