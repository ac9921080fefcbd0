"""The scan at the end of a weekly run: its check fails on a leak in what the run wrote, and in its own log."""

import dagster as dg
import pytest

from ds_pipeline.defs.assets.leaks import leak_scan_asset
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.store.snapshots import make_folder, write_file
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import CUSTOMERS, TEST_SECRET

DAY = "2011-03-07"


@pytest.fixture
def scan_week(bench: Workbench, monkeypatch: pytest.MonkeyPatch):
    """Runs the asset after another one that logs a line; returns its check."""
    monkeypatch.setenv("DS_PIPELINE_PROJECT", str(bench.project.root))
    monkeypatch.setenv("DS_PIPELINE_PSEUDONYM_KEY", TEST_SECRET)
    make_folder(bench.datasets.root)

    def run(line: str = "fine") -> dg.AssetCheckEvaluation:
        @dg.asset(
            key_prefix=["shop"],
            name="drift",
            partitions_def=leak_scan.partitions_def,
            backfill_policy=dg.BackfillPolicy.multi_run(1),
        )
        def talker(context: dg.AssetExecutionContext) -> None:
            context.log.info(line)

        assets = [talker, leak_scan]
        done = dg.materialize(assets, resources={"project": ProjectResource()}, partition_key=DAY)
        (check,) = done.get_asset_check_evaluations()
        return check

    leak_scan = leak_scan_asset(bench.use_case)
    return run


def test_a_clean_week_passes(scan_week) -> None:
    check = scan_week()

    assert check.passed
    assert check.metadata["log of this run"].value == 0


def test_a_leak_in_the_log_of_the_run_fails_the_check(scan_week) -> None:
    check = scan_week(f"could not place {CUSTOMERS[0]}")

    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert check.metadata["log of this run"].value == 1
    assert CUSTOMERS[0] not in str(check.metadata)


def test_a_leak_in_a_file_of_the_week_fails_the_check_and_one_of_another_week_does_not(
    bench: Workbench, scan_week
) -> None:
    page = f"<p>{CUSTOMERS[0]}</p>".encode()
    folder = bench.project.reports / "shop"
    write_file(folder / "2011-02-28" / "evaluation.html", page, replace=True)
    assert scan_week().passed

    write_file(folder / DAY / "evaluation.html", page, replace=True)
    check = scan_week()

    assert not check.passed
    assert check.metadata["reports"].value > 0
