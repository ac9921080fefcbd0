"""What is in force, why, and what it last did: for people and, as JSON, for programs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from ds_pipeline.boundary.suppress import erasures_of, pending_file
from ds_pipeline.erasure.exposure import retraining_is_due
from ds_pipeline.errors import RegistryError
from ds_pipeline.evaluation.checks.matured_fit import MaturedFit
from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.gates.verdicts import GateResult
from ds_pipeline.figures import aligned
from ds_pipeline.monitoring.week import read_monitors
from ds_pipeline.promotion.holdout_ledger import verify_ledger
from ds_pipeline.promotion.report import row_counts
from ds_pipeline.promotion.supersede import still_out
from ds_pipeline.registry.bundle import MATURED_FIT
from ds_pipeline.registry.registry import OK
from ds_pipeline.registry.verdicts import WORDS
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.workbench import Workbench

MONITOR_WORDS = {"ok": "ok", "watch": "worth a look", "fails": "FAILS", "unknown": "unknown"}


def read_status(bench: Workbench) -> dict[str, Any]:
    """The state of a use case.

    Returns:
        champion: version, as_of, decision, bundle (ok or what is wrong), refit (what serves in the place of the judged
            model, or None), in_force_since, by, reason; None before the first promotion.
        evaluation: as_of and passed of the newest evaluation; gates: its gates (name, value, bound, comparison,
            threshold, passed, verdict: pass, refused or not_applicable).
        erasures: finished (how many), people, rows, unfinished (one was interrupted), retraining (why it is due, or
            None).
        monitors: of the newest scores: name, status (ok, watch, fails, unknown), says.
        ledger: ok, or what is wrong with it.
        still_out: scoring date to version, of scores by a version that was rolled back from.
        latest_scores: scoring_date, rows, model_version; tables: table, read, kept; quarantine: table, reason, rows.
    """
    store = bench.datasets.store
    evaluated = bench.documents.days("evaluation")
    decision = None
    if evaluated:
        document = bench.documents.get(kind="evaluation", day=evaluated[-1])
        decision = Decision.from_json(document.files["decision.json"])
    scored = store.partitions(SCORES)
    latest = store.get(SCORES, scored[-1]) if scored else None
    days = store.partitions(bench.datasets.masked(next(iter(bench.use_case.sources.tables))))
    tables, quarantine = row_counts(bench, bench.use_case.clock.first.fromisoformat(days[-1])) if days else ([], [])
    return {
        "use_case": bench.use_case.name,
        "champion": _champion(bench),
        "evaluation": {"as_of": str(decision.as_of), "passed": decision.passed} if decision else None,
        "erasures": _erasures(bench),
        "gates": [_gate(one) for one in (decision.gates if decision else [])],
        "latest_scores": {
            "scoring_date": latest.partition,
            "rows": latest.rows,
            "model_version": latest.info["model_version"],
        }
        if latest
        else None,
        "ledger": verify_ledger(bench).status,
        "still_out": {str(day): version for day, version in still_out(bench).items()},
        "monitors": [asdict(one) for one in read_monitors(bench, date.fromisoformat(scored[-1]))] if scored else [],
        "tables": [dict(one) for one in tables],
        "quarantine": [{"table": one["table"], "reason": one["reason"], "rows": one["rows"]} for one in quarantine],
    }


def show_status(found: dict[str, Any]) -> str:
    """The state as text."""
    champion, evaluation, scores = found["champion"], found["evaluation"], found["latest_scores"]
    lines = [f"{found['use_case']}"]
    if champion:
        lines.append(f"  champion   {champion['version']}, as of {champion['as_of']}, bundle {champion['bundle']}")
        if champion["refit"]:
            lines.append(f"  serves     {champion['refit']}")
    else:
        lines.append(f"  champion   none yet; make one with: ds-pipeline run {found['use_case']}")
    if evaluation:
        lines.append(f"  evaluated  as of {evaluation['as_of']}: {'passed' if evaluation['passed'] else 'refused'}")
    erasures = found["erasures"]
    if erasures["finished"]:
        lines.append(f"  erased     {erasures['people']:,} people, {erasures['rows']:,} rows in all")
    if erasures["unfinished"]:
        lines.append(f"  erasure    UNFINISHED; finish it with: ds-pipeline erase {found['use_case']} --resume")
    if erasures["retraining"]:
        lines.append(f"  {erasures['retraining']}")
    width = max((len(gate["name"]) for gate in found["gates"]), default=0)
    for gate in found["gates"]:
        bound = "" if gate["bound"] is None else f", bound {aligned(gate['bound'])}"
        verdict = "REFUSED" if gate["verdict"] == "refused" else WORDS[gate["verdict"]]
        asked = f"{gate['comparison']} {aligned(gate['threshold'])}"
        lines.append(f"    {gate['name']:<{width}} {aligned(gate['value'])}{bound}, asked {asked}: {verdict}")
    if scores:
        lines.append(f"  scored     {scores['rows']:,} for {scores['scoring_date']} by {scores['model_version']}")
    if found["ledger"] != OK:
        lines.append(f"  ledger     {found['ledger']}")
    lines += [f"  STILL OUT  the list of {day} by {version}" for day, version in found["still_out"].items()]
    lines += [f"  {one['name']:<16} {MONITOR_WORDS[one['status']]}: {one['says']}" for one in found["monitors"]]
    width = max((len(one["table"]) for one in found["tables"]), default=0)
    for one in found["tables"]:
        lines.append(f"  {one['table']:<{width}} {one['read']:,} rows read, {one['kept']:,} kept")
    lines += [f"    quarantine {one['table']} {one['reason']}: {one['rows']:,}" for one in found["quarantine"]]
    return "\n".join(lines)


def _gate(one: GateResult) -> dict[str, Any]:
    shown = one.model_dump(include={"name", "value", "bound", "comparison", "threshold", "passed"})
    return shown | {"verdict": one.verdict}


def _erasures(bench: Workbench) -> dict[str, Any]:
    done = erasures_of(bench).read()
    return {
        "finished": len(done),
        "people": sum(one.people for one in done),
        "rows": sum(one.rows for one in done),
        "unfinished": pending_file(bench).find() is not None,
        "retraining": retraining_is_due(bench),
    }


def _champion(bench: Workbench) -> dict[str, Any] | None:
    event = bench.registry.champion()
    if event is None:
        return None
    try:
        bundle = bench.registry.open(event.version)
        state, decision = "ok", Decision.from_json(bundle.read("decision.json"))
        refit = MaturedFit.from_json(bundle.read(MATURED_FIT)).in_words if MATURED_FIT in bundle.files else None
    except RegistryError as error:
        state, decision, refit = str(error), None, None
    return {
        "version": event.version,
        "as_of": str(event.as_of),
        "decision": ("passed" if decision.passed else "refused") if decision else "unknown",
        "bundle": state,
        "refit": refit,
        "in_force_since": event.at.isoformat(timespec="seconds"),
        "by": event.actor,
        "reason": event.reason,
    }
