"""leak_scan: what a weekly run has written, Dagster's log of it included, searched once more when all is done."""

import dagster as dg

from ds_pipeline.boundary.written_files import WeekScan, scan_week
from ds_pipeline.defs.partitions import Check, days_of, weekly_asset
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.progress import say
from ds_pipeline.use_case.load import UseCase

CHECK = "no_identifier_written"
LAST = {"dagster/priority": "-40"}


def leak_scan_asset(use_case: UseCase) -> dg.AssetsDefinition:
    """The scan at the end of a weekly run."""

    @weekly_asset(
        use_case,
        "leak_scan",
        after=["campaign_list", "drift", "realized_quality"],
        description=(
            "Tables, documents, report and list of the scoring date, and the log of the run itself, searched for "
            "identifiers by pattern and by the values of the sources. Everything older: ds-pipeline scan."
        ),
        group="monitoring",
        kinds={"python"},
        checks=[
            Check(CHECK, "No identifier stands in anything that this run has written.", is_blocking=False),
        ],
        op_tags=LAST,
    )
    def leak_scan(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        bench = project.open(use_case)
        # The log is asked for, not read from its file: it may lie in a database elsewhere.
        log = [str(entry) for entry in context.instance.all_logs(context.run_id)]
        scan = scan_week(bench, days_of(context)[0], run=context.run_id, log=log)
        say("leak_scan", scan.in_words())
        return _result(scan)

    return leak_scan


def _result(scan: WeekScan) -> dg.MaterializeResult:
    findings = scan.findings
    check = dg.AssetCheckResult(
        check_name=CHECK,
        passed=not findings,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={place.place: place.found for place in scan.places} | ({"found": findings} if findings else {}),
    )
    return dg.MaterializeResult(
        metadata={"files": sum(place.files for place in scan.places), "cells_and_texts": scan.cells},
        check_results=[check],
    )
