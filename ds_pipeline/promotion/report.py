"""The HTML page of an evaluation, with the counts of the boundary and the lineage that belong to it."""

import json
from datetime import date
from typing import Any

import pandas as pd

from ds_pipeline.boundary.anonymity import anonymity_of
from ds_pipeline.boundary.leak_check import require_clean_files
from ds_pipeline.digests import SHORT
from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.measure.walk_forward import WEEK_COLUMNS
from ds_pipeline.evaluation.report.gallery import Picture, pictures_of
from ds_pipeline.evaluation.report.report import QuarantineCount, TableCount, promoted_as, render_report
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.store.snapshots import Snapshot, write_file
from ds_pipeline.workbench import Workbench


def write_report(bench: Workbench, day: date, evaluation: Evaluation, decision: Decision) -> list[Picture]:
    """Write the page and return its pictures; a promotion fills in the version it led to.

    Raises:
        LeakError: an identifier stands in it.
    """
    tables, quarantine = row_counts(bench, day)
    anonymity = {name: anonymity_of(bench, name, day) for name in bench.use_case.sources.tables}
    pictures = pictures_of(evaluation)
    page = render_report(
        evaluation,
        decision,
        bench.use_case,
        pictures=pictures,
        tables=tables,
        quarantine=quarantine,
        anonymity={name: measured for name, measured in anonymity.items() if measured is not None},
        lineage=_lineage(bench, decision),
        backtest=_backtest(bench, day),
    )
    _write(bench, day, page.encode())
    return pictures


def name_version(bench: Workbench, day: date, evaluation: Evaluation, decision: Decision, *, version: str) -> None:
    """Say on the page of a decision which version it led to; a page that is lost or of another one is made again.

    Raises:
        LeakError: an identifier stands in it.
    """
    path = bench.report_path(day)
    if not path.exists() or decision.digest not in path.read_bytes().decode():
        write_report(bench, day, evaluation, decision)
    _write(bench, day, promoted_as(path.read_bytes().decode(), decision, version).encode())


def _write(bench: Workbench, day: date, page: bytes) -> None:
    path = bench.report_path(day)
    require_clean_files(bench, {path.name: page}, where=f"report of {day}")
    write_file(path, page, replace=True)


def row_counts(bench: Workbench, until: date) -> tuple[list[TableCount], list[QuarantineCount]]:
    """Rows read, kept and set aside over all weeks up to D, by table and primary reason."""
    tables: list[TableCount] = []
    quarantine: list[QuarantineCount] = []
    for name in bench.use_case.sources.tables:
        snapshots = _masked_snapshots(bench, name, until)
        read = sum(snapshot.info["read"] for snapshot in snapshots)
        reasons: dict[str, int] = {}
        for snapshot in snapshots:
            for reason, rows in snapshot.info["quarantined"].items():
                reasons[reason] = reasons.get(reason, 0) + rows
        suppressed = sum(snapshot.info.get("suppressed", 0) for snapshot in snapshots)
        kept = sum(snapshot.rows for snapshot in snapshots)
        tables.append({"table": name, "read": read, "kept": kept, "suppressed": suppressed})
        ordered = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
        quarantine += [
            {"table": name, "reason": reason, "rows": rows, "share": rows / read} for reason, rows in ordered
        ]
    return tables, quarantine


def _backtest(bench: Workbench, day: date) -> pd.DataFrame | None:
    """The weeks of the backtest of the date, as ds-pipeline backtest wrote them; None where there are none to read."""
    path = bench.project.reports / bench.use_case.name / "backtest" / str(day) / "backtest.csv"
    try:
        weeks = pd.read_csv(path)
        weeks = weeks.assign(scoring_date=pd.to_datetime(weeks["scoring_date"]).dt.date)
    except (OSError, ValueError, KeyError):  # not made, or by somebody else: the report is not the place to fail
        return None
    return weeks if set(WEEK_COLUMNS) <= set(weeks.columns) else None


def rows_to_come(bench: Workbench, until: date) -> dict[str, int]:
    """By table, the rows of the source that become known only after D."""
    waiting = {}
    for name in bench.use_case.sources.tables:
        snapshots = _masked_snapshots(bench, name, until)
        if snapshots:
            waiting[name] = snapshots[-1].info["source_rows"] - sum(one.info["read"] for one in snapshots)
    return waiting


def _masked_snapshots(bench: Workbench, name: str, until: date) -> list[Snapshot]:
    store, dataset = bench.datasets.store, bench.datasets.masked(name)
    return [store.get(dataset, day) for day in store.partitions(dataset) if day <= str(until)]


def _lineage(bench: Workbench, decision: Decision) -> dict[str, Any]:
    """What the decision itself is not bound to by name."""
    made_by = json.loads(bench.lineage_of(decision.as_of, decision.bound_to.candidate).files["lineage.json"])
    return {
        "features (SQL and schema)": bench.use_case.features_digest[:SHORT],
        "seed": bench.use_case.training.seed,
        "git": (made_by["git"] or "no repository")[:SHORT],
        "uncommitted changes": made_by["tree_is_dirty"],
        "requirements.lock": (made_by["lock"] or "none")[:SHORT],
        "Python": made_by["python"],
        "platform": made_by["platform"],
        **{package: number for package, number in made_by["packages"].items()},
    }
