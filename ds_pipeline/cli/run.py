"""The commands that run jobs: progress per stage while they run, and a summary a person wants to read."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from rich.table import Table

from ds_pipeline.boundary.freshness import missing_history
from ds_pipeline.boundary.suppress import at_work, require_finished
from ds_pipeline.check.dry_run import DryRun, TableFacts, dry_run
from ds_pipeline.cli.printing import complaints, console, plain, table_of
from ds_pipeline.defs.assets.monitoring import REALIZED, STABILITY
from ds_pipeline.defs.instance import dagster_instance
from ds_pipeline.defs.launch import Outcome, run_job
from ds_pipeline.evaluation.gates.decision import Decision, what_to_change
from ds_pipeline.evaluation.measure.walk_forward import Step
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.figures import aligned, counted
from ds_pipeline.progress import log
from ds_pipeline.promotion.backtest import backtest, show_backtest, write_backtest
from ds_pipeline.promotion.holdout_ledger import record_rebuild
from ds_pipeline.promotion.report import row_counts, rows_to_come
from ds_pipeline.promotion.supersede import supersede
from ds_pipeline.registry.verdicts import WORDS, Verdict
from ds_pipeline.scoring.lists import require_contract
from ds_pipeline.scoring.serve import require_version
from ds_pipeline.simulation.files import make_files, missing_files, require_made, simulation_of
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.use_case.sources import Simulation
from ds_pipeline.workbench import Workbench, now

DONE, REFUSED, WRONG = 0, 1, 2
STYLES: dict[Verdict, str] = {"pass": "green", "refused": "bold red", "not_applicable": "dim"}
MONITORS = {STABILITY: "drift", REALIZED: "realized_quality"}  # by the check that fails
SIMULATION_LINES = 5  # of progress
STAGE_WIDTH = 20  # of a progress line, unless a table has a longer name


class Session:
    """One command at work: its clock, its Dagster instance, and the lines it prints.

    Attributes:
        error: what went wrong, for people; it is said once, as the last thing.
        refusals: what was refused and what to do about it.
    """

    def __init__(self, bench: Workbench, day: date) -> None:
        require_finished(bench)
        self.bench, self.day = bench, day
        self.started_at = time.time()
        self.code = DONE
        self.error: str | None = None
        self.refusals: list[str] = []

    def job(self, job: str, days: list[date], *, accepts_new_key: bool = False) -> Outcome:
        """Run one job and print its progress; what goes wrong is remembered, with its exit code."""
        handler = _ProgressLines(self.started_at, stage_width=_stage_width(self.bench))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        try:
            with dagster_instance(self.bench.project) as instance:
                outcome = run_job(
                    self.bench.use_case,
                    job,
                    days,
                    instance=instance,
                    started_at=self.started_at,
                    accepts_new_key=accepts_new_key,
                )
        finally:
            log.removeHandler(handler)
        if outcome.error is not None:
            self.fail(f"{job} stopped. {outcome.error}")
        elif not outcome.succeeded and not outcome.failed_checks:
            self.fail(f"{job} stopped. The log of its run in the Dagster UI says why.")
        return outcome

    def fail(self, error: str) -> None:
        self.error, self.code = error, WRONG

    def refuse(self, refusal: str) -> None:
        self.refusals.append(refusal)
        self.code = max(self.code, REFUSED)

    def end(self) -> int:
        """Say what was refused or went wrong, if anything. The exit code."""
        for refusal in self.refusals:
            console.print(f"\n{refusal}")
        if self.error is not None:
            console.print()
            complaints.print(f"ds-pipeline: {plain(self.error)}")
        return self.code


class _ProgressLines(logging.Handler):
    """Each progress line with the seconds since the command began."""

    def __init__(self, started_at: float, *, stage_width: int) -> None:
        super().__init__(logging.INFO)
        self._started_at, self._stage_width = started_at, stage_width

    def emit(self, record: logging.LogRecord) -> None:
        stage, _, text = record.getMessage().partition(": ")
        console.print(_progress(time.time() - self._started_at, stage, text, width=self._stage_width))


def _progress(seconds: float, stage: str, text: str, *, width: int = STAGE_WIDTH) -> str:
    return f"  [dim]{seconds:5.0f} s[/]  {stage:<{width}} {plain(text)}"


def _stage_width(bench: Workbench) -> int:
    return max(STAGE_WIDTH, *(len(f"masked_{name}") for name in bench.use_case.sources.tables))


def run_everything(bench: Workbench, day: date) -> int:
    """Simulated files and history where they are missing, training, scoring; then the summary. The exit code."""
    _simulate_missing(bench)
    session = Session(bench, day)
    require_contract(bench, day)
    _headline(session)
    _history(session, rebuild=False, title="1/3 History")
    if session.code != WRONG:
        _training(session, title="2/3 Training and gates")
    if session.code != WRONG:
        _scoring(session, title="3/3 Scoring")
        _summary(session)  # not after an earlier stop: it would tell of another run as if it were this one
    return session.end()


def simulate_sources(bench: Workbench, sizes: Mapping[str, int], *, force: bool) -> None:
    """Make the files of a synthetic use case and say what is in them.

    Args:
        sizes: users, weeks and seed, where they are not those of sources.yaml.
        force: replace files that are there.
    """
    simulation = simulation_of(bench.use_case).model_copy(update=dict(sizes))
    _simulate(bench, simulation, replace=force, started_at=time.time())


def build_history(bench: Workbench, day: date, *, rebuild: bool) -> int:
    """Every week that is missing, or every week."""
    session = Session(bench, day)
    _history(session, rebuild=rebuild, title="History")
    return session.end()


def train_candidate(bench: Workbench, day: date) -> int:
    """Train, evaluate, decide."""
    session = Session(bench, day)
    _training(session, title="Training and gates")
    if session.code != WRONG:
        _show_gates(session)
        _show_files(session.bench, [session.bench.report_path(day)])
    return session.end()


def score_week(bench: Workbench, day: date, *, strict: bool, supersede_because: str | None = None) -> int:
    """Score one week with the version in force; where it is strict, a monitor that fails is a refusal.

    Args:
        supersede_because: why scores that are recorded are replaced first; None where they stay.
    """
    session = Session(bench, day)
    if supersede_because is not None:
        with at_work(bench):
            replaced = supersede(bench, day, actor=bench.keys.holder(), reason=supersede_because)
        console.print(replaced.summary)
    outcome = _scoring(session, title="Scoring")
    failing = [monitor for check, monitor in MONITORS.items() if outcome is not None and check in outcome.severe]
    if strict and failing:
        session.refuse(
            f"[bold red]{' and '.join(failing)} fail{'s' if len(failing) == 1 else ''}.[/] See above, and: "
            f"ds-pipeline status {bench.use_case.name}. What was scored and delivered stays."
        )
    return session.end()


def run_backtest(
    bench: Workbench, day: date, *, weeks: int, every: int, trials: int | None, spend_a_look: bool
) -> None:
    """Walk forward over past weeks, with a line per model; then the table and where the report is."""
    started_at = time.time()

    def on_step(step: Step, rows: int) -> None:
        served = f"serves {step.serves[0]} to {step.serves[-1]}"
        text = f"trained on {rows:,} rows of weeks up to {step.training[-1]}; {served}"
        console.print(_progress(time.time() - started_at, f"model of {step.day}", text))

    with at_work(bench):
        require_finished(bench)
        found = backtest(
            bench, day, weeks=weeks, every=every, trials=trials, spend_a_look=spend_a_look, on_step=on_step
        )
        paths = write_backtest(bench, day, found)
    console.print()
    for line in show_backtest(found):
        console.print(plain(line))
    for path in paths:
        console.print(f"{'Report' if path.suffix == '.html' else 'Table':<10}{bench.project.shown(path)}")
    console.print(f"Time      {time.time() - started_at:.0f} s")


def check_sources(bench: Workbench) -> None:
    """Try all in memory, up to features and labels of some weeks, and say what was found; warnings come last."""
    newest = bench.use_case.clock.newest(now())
    require_contract(bench, newest)
    require_made(bench.use_case, bench.project.root)
    console.print(f"configs/{bench.use_case.name}: all files are valid.")
    found = dry_run(bench, newest, on_table=_show_source)
    _show_treated(found)
    _show_rates(found)
    _show_features(found)
    minutes = found.seconds / 60
    takes = f"{minutes:,.0f} minutes" if minutes >= 2 else f"{10 * math.ceil(found.seconds / 10):.0f} seconds"
    console.print(f"\nA full run will take about {takes} on this machine, judged by these weeks.")
    for warning in found.warnings:
        console.print(f"[bold yellow]WARNING[/] {plain(warning)}")
    warned = counted(len(found.warnings), "warning") if found.warnings else "No warning"
    console.print(f"{warned}. Nothing was written. Next: ds-pipeline run {bench.use_case.name}")


def _show_source(one: TableFacts) -> None:
    left_out = f", {one.suppressed:,} left out of people who were erased" if one.suppressed else ""
    fewest, most = one.per_week
    console.print(
        f"{one.name}: {one.read:,} rows read, {one.kept:,} usable and masked, {one.quarantined:,} would be "
        f"quarantined{left_out}; {fewest:,} to {most:,} rows a week."
    )
    for line in one.cells:
        console.print(f"  {plain(line[:1].upper() + line[1:])}.")
    if one.to_come:
        console.print(
            f"  {one.to_come:,} further rows of {one.name} became known on or after the newest date and are not used."
        )


def _show_treated(found: DryRun) -> None:
    table = table_of("PII at the boundary", "what", "cells", right=slice(2, None))
    table.columns[0].overflow = "fold"
    for one in found.treated:
        table.add_row(f"{one.table}.{one.column}", one.what, f"{one.cells:,}")
    console.print()
    console.print(table)


def _show_rates(found: DryRun) -> None:
    table = table_of("scoring date", "in scope", "positives", "undecided", "base rate", right=slice(1, None))
    for one in found.rates:
        table.add_row(str(one.day), f"{one.rows:,}", f"{one.positives:,}", f"{one.undecided:,}", f"{one.rate:.1%}")
    table.add_row(str(found.newest[0]), f"{found.newest[1]:,}", "", "", "to come")
    rates = [one.rate for one in found.rates if not math.isnan(one.rate)]
    console.print()
    console.print(table)
    console.print(
        f"Base rate: first {rates[0]:.1%}, last {rates[-1]:.1%}, lowest {min(rates):.1%}, highest {max(rates):.1%}."
    )


def _show_features(found: DryRun) -> None:
    table = table_of("feature", "role", "null", "ROC AUC alone", right=slice(2, None))
    table.columns[0].overflow = "fold"
    for one in found.facts:
        table.add_row(one.name, one.role, f"{one.null_share:.1%}", "-" if one.auc is None else f"{one.auc:.2f}")
    console.print()
    console.print(table)


def _simulate_missing(bench: Workbench) -> None:
    missing = missing_files(bench.use_case, bench.project.root)
    if missing:
        console.print(f"No file of {bench.use_case.name} is there yet; sources.yaml says how to simulate them.")
        _simulate(bench, simulation_of(bench.use_case), replace=False, started_at=time.time())
        console.print()


def _simulate(bench: Workbench, simulation: Simulation, *, replace: bool, started_at: float) -> None:
    every = max(1, simulation.users // SIMULATION_LINES)
    said = 0

    def on_users(done: int) -> None:
        nonlocal said
        if done >= said + every or done == simulation.users:
            said = done
            console.print(_progress(time.time() - started_at, "simulate", f"{done:,} of {simulation.users:,} users"))

    made = make_files(bench.use_case, bench.project.root, simulation, replace=replace, on_users=on_users)
    table = table_of("simulated", "rows", right=slice(1, None))
    for name, rows in made.rows.items():
        table.add_row(name, f"{rows:,}")
    console.print(table)
    console.print(
        f"{made.users:,} users, {made.weeks} weeks from {made.first}, seed {made.seed}: {made.megabytes:.0f} MB. "
        f"Nobody in them exists. Of those in scope {made.base_rate:.1%} cancel within 30 days; the price rises on "
        f"{' and '.join(str(day) for day in made.price_rises)}."
    )


def _headline(session: Session) -> None:
    case, day = session.bench.use_case, session.day
    training, holdout = case.clock.training(day), case.clock.holdout(day)
    console.print(f"[bold]{case.name}[/] at {day}: {plain(case.problem.title)}")
    console.print(
        f"  trained on {training[0]} to {training[-1]}, judged on {holdout[0]} to {holdout[-1]}, "
        f"{case.clock.lag_weeks} weeks apart"
    )


def _history(session: Session, *, rebuild: bool, title: str) -> None:
    clock = session.bench.use_case.clock
    days = clock.dates_until(session.day)
    require_made(session.bench.use_case, session.bench.project.root)
    if rebuild:
        record_rebuild(session.bench, session.day)
    missing = days if rebuild else missing_history(session.bench, session.day)
    if not missing:
        console.print(f"\n[bold]{title}[/]: all {len(days)} weeks are there")
        return
    wanted = [day for day in days if day >= missing[0]]
    there = session.bench.datasets.store.partitions(session.bench.datasets.features)
    changed = "; sources, treatments or code have changed since they were built, or people were erased"
    why = changed if str(wanted[0]) in there else ""
    console.print(f"\n[bold]{title}[/]: {len(wanted)} of {len(days)} weeks to build{'' if rebuild else why}")
    outcome = session.job("history", wanted, accepts_new_key=rebuild)
    if outcome.failed_checks and not outcome.succeeded and outcome.error is None:
        session.fail(f"history stopped. Failed: {', '.join(outcome.failed_checks)}.")


def _training(session: Session, *, title: str) -> None:
    console.print(f"\n[bold]{title}[/]")
    outcome = session.job("training", [session.day])
    if "is_in_force" in outcome.failed_checks:
        session.refuse(
            "[bold red]Not promoted.[/] All gates passed; the line of promotion above says why it still does not "
            f"serve; {_what_serves(session.bench)}."
        )
    elif outcome.failed_checks:
        session.refuse(
            f"[bold red]Refused.[/] Nothing was promoted; {_what_serves(session.bench)}. "
            f"{_way_on(session.bench, session.day)} and run again; the thresholds are the stakeholder's."
        )


def _what_serves(bench: Workbench) -> str:
    """What a refusal leaves in force."""
    champion = bench.registry.champion()
    return "no version is in force yet" if champion is None else f"{champion.version} goes on serving"


def _way_on(bench: Workbench, day: date) -> str:
    """What to change after the refusal of a date, as the start of a sentence."""
    document = bench.documents.find(kind="evaluation", day=day)
    if document is None:
        return "Change features or training.yaml"
    decision = Decision.from_json(document.files["decision.json"])
    evaluation = Evaluation.from_json(document.files["evaluation.json"])
    return what_to_change(decision, evaluation, bench.use_case.requirements)


def _scoring(session: Session, *, title: str) -> Outcome | None:
    """How the job ended; None where nothing could be scored."""
    bench = session.bench
    console.print(f"\n[bold]{title}[/]")
    if session.code == REFUSED and bench.registry.champion(session.day) is None:
        console.print("  Not scored: the candidate was refused and no earlier version is in force.")
        return None
    require_version(bench, session.day)
    outcome = session.job("scoring", [session.day])
    if "no_identifier_written" in outcome.failed_checks:
        session.fail(
            "An identifier was written; the check of leak_scan says where. Use nothing of this week. "
            f"Look at everything with: ds-pipeline scan {bench.use_case.name}"
        )
    if "budgets" in outcome.failed_checks:
        session.refuse("[bold red]Over budget.[/] See run_costs above, and budgets in requirements.yaml.")
    return outcome


def _summary(session: Session) -> None:
    bench, day = session.bench, session.day
    console.print("\n[bold]Summary[/]")
    console.print(_rows_table(bench, day))
    for name, rows in rows_to_come(bench, day).items():
        if rows:
            console.print(
                f"  {name}: {rows:,} further rows of the source became known on or after {day} and are not used"
            )
    console.print()
    _show_gates(session)
    console.print()
    champion = bench.registry.champion()
    if champion is None:
        console.print("Champion  none yet")
    else:
        console.print(f"Champion  [bold]{champion.version}[/], trained as of {champion.as_of}, signed")
    logged = bench.datasets.store.find(SCORES, str(day))
    if logged is not None:
        console.print(f"Scores    {logged.rows:,} customers for {day}, by {logged.info['model_version']}")
    _show_files(bench, [*bench.delivery_paths(day), bench.report_path(day)])
    console.print(f"Time      {time.time() - session.started_at:.0f} s")


def _show_gates(session: Session) -> None:
    document = session.bench.documents.find(kind="evaluation", day=session.day)
    if document is None:
        return
    decision = Decision.from_json(document.files["decision.json"])
    table = table_of("gate", "value", "bound", "asked", "verdict", right=slice(1, 4))
    for gate in decision.gates:
        verdict = f"[{STYLES[gate.verdict]}]{WORDS[gate.verdict]}[/]"
        asked = f"{gate.comparison} {aligned(gate.threshold)}"
        table.add_row(gate.name, aligned(gate.value, "-"), aligned(gate.bound, "-"), asked, verdict)
    console.print(table)
    for gate in decision.gates:
        if not gate.passed:
            console.print(f"  [bold red]{gate.name}[/]: {plain(gate.reason)}")


def _show_files(bench: Workbench, paths: Sequence[Path]) -> None:
    for path in paths:
        if path.is_file():
            console.print(f"{'Report' if path.suffix == '.html' else 'List':<10}{bench.project.shown(path)}")


def _rows_table(bench: Workbench, day: date) -> Table:
    tables, quarantine = row_counts(bench, day)
    why_aside = "why (first reason of each row)"
    table = table_of("table", "rows read", "masked", "quarantined", why_aside, right=slice(1, 4))
    for one in tables:
        why = "\n".join(f"{row['reason']} {row['rows']:,}" for row in quarantine if row["table"] == one["table"])
        aside = one["read"] - one["kept"] - one["suppressed"]
        if one["suppressed"]:
            why += f"{chr(10) if why else ''}and {one['suppressed']:,} left out of people who were erased"
        table.add_row(one["table"], f"{one['read']:,}", f"{one['kept']:,}", f"{aside:,}", why)
    return table
