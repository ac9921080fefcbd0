"""leak_scan: what a weekly run has written, Dagster's log of it included, searched once more when all is done."""

import dagster as dg

from ds_pipeline.boundary.leak_check import leaks_in_texts
from ds_pipeline.boundary.written_files import DAGSTER_DATABASES, PlaceScan, scan_written
from ds_pipeline.defs.partitions import check_spec, days_of, weekly_asset
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.progress import say
from ds_pipeline.use_case.load import UseCase

CHECK = "no_identifier_written"
RUN_LOG = "log of this run"
LAST = {"dagster/priority": "-40"}


def leak_scan_asset(use_case: UseCase) -> dg.AssetsDefinition:
    """The scan at the end of a weekly run."""
    key = dg.AssetKey([use_case.name, "leak_scan"])

    @dg.asset(
        name="leak_scan",
        deps=[dg.AssetKey([use_case.name, name]) for name in ("campaign_list", "drift", "realized_quality")],
        description=(
            "Tables, documents, report and list of the scoring date, and the log of the run itself, searched for "
            "identifiers by pattern and by the values of the sources. Everything older: ds-pipeline scan."
        ),
        check_specs=[
            check_spec(
                CHECK,
                key,
                use_case,
                blocking=False,
                description="No identifier stands in anything that this run has written.",
            )
        ],
        op_tags=LAST,
        **weekly_asset(use_case, group="monitoring", kinds={"python"}, owner=use_case.problem.owner),
    )
    def leak_scan(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        bench = project.open(use_case)
        marks = {str(days_of(context)[0]), context.run_id}
        scans = scan_written(bench, marked=lambda path: bool(marks & {*path.parts, path.stem}))
        # The log is asked for, not read from its file: it may lie in a database elsewhere.
        events = [str(entry) for entry in context.instance.all_logs(context.run_id)]
        log = PlaceScan(RUN_LOG, files=1, cells=len(events))
        log.findings = [(RUN_LOG, one) for one in leaks_in_texts(bench, events, place=RUN_LOG)]
        scans = [one for one in scans if one.place != DAGSTER_DATABASES] + [log]
        findings = [f"{file}: {one.kind} ({one.cells})" for scan in scans for file, one in scan.findings]
        looked = sum(scan.cells for scan in scans)
        say("leak_scan", f"{looked:,} cells and texts in {len(scans)} places: {len(findings) or 'no'} findings")
        return dg.MaterializeResult(
            metadata={"files": sum(scan.files for scan in scans), "cells_and_texts": looked},
            check_results=[
                dg.AssetCheckResult(
                    check_name=CHECK,
                    passed=not findings,
                    severity=dg.AssetCheckSeverity.ERROR,
                    metadata={
                        **{scan.place: sum(one.cells for _, one in scan.findings) for scan in scans},
                        **({"found": findings} if findings else {}),
                    },
                )
            ],
        )

    return leak_scan
