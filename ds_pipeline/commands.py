"""The commands that run jobs: progress per stage while they run, and a summary a person wants to read."""

from __future__ import annotations

import logging
import time
from datetime import date

from rich.console import Console
from rich.table import Table

from ds_pipeline.datasets import SCORES
from ds_pipeline.defs.anonymity import check_anonymity
from ds_pipeline.defs.boundary import masked_weeks
from ds_pipeline.defs.launch import Outcome, dagster_instance, run_job
from ds_pipeline.defs.progress import log
from ds_pipeline.defs.report import row_counts, rows_to_come
from ds_pipeline.defs.serving import require_contract, require_version
from ds_pipeline.defs.suppressing import require_finished
from ds_pipeline.defs.workbench import Workbench, now
from ds_pipeline.evaluation.decision import Decision

DONE, REFUSED, WRONG = 0, 1, 2
console = Console(highlight=False, soft_wrap=True)
complaints = Console(highlight=False, soft_wrap=True, stderr=True)


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
        handler = _ProgressLines(self.started_at)
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
            complaints.print(f"ds-pipeline: {_plain(self.error)}")
        return self.code


class _ProgressLines(logging.Handler):
    """Each progress line with the seconds since the command began."""

    def __init__(self, started_at: float) -> None:
        super().__init__(logging.INFO)
        self._started_at = started_at

    def emit(self, record: logging.LogRecord) -> None:
        stage, _, text = record.getMessage().partition(": ")
        console.print(f"  [dim]{time.time() - self._started_at:5.0f} s[/]  {stage:<20} {_plain(text)}")


def run_everything(bench: Workbench, day: date) -> int:
    """History where it is missing, training, scoring; then the summary. The exit code."""
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
    return session.end()


def score_week(bench: Workbench, day: date) -> int:
    """Score one week with the version in force."""
    session = Session(bench, day)
    _scoring(session, title="Scoring")
    return session.end()


def check_sources(bench: Workbench) -> None:
    """Read, validate, mask and scan every source in memory, and say what was found."""
    clock = bench.use_case.clock
    newest = clock.newest(now())
    require_contract(bench, newest)
    console.print(f"configs/{bench.use_case.name}: all files are valid.")
    days = clock.dates_until(newest)
    for name in bench.use_case.sources.tables:
        weeks = masked_weeks(bench, name, days)
        check_anonymity(bench, name, weeks)
        read, kept = sum(week.read for week in weeks), sum(week.kept.num_rows for week in weeks)
        aside, suppressed = sum(week.quarantined.num_rows for week in weeks), sum(week.suppressed for week in weeks)
        left_out = f", {suppressed:,} left out of people who were erased" if suppressed else ""
        console.print(
            f"{name}: {read:,} rows read, {kept:,} usable and masked, {aside:,} would be quarantined{left_out}."
        )
    console.print("Nothing was written.")


def _headline(session: Session) -> None:
    case, day = session.bench.use_case, session.day
    training, holdout = case.clock.training(day), case.clock.holdout(day)
    console.print(f"[bold]{case.name}[/] at {day}: {_plain(case.problem.title)}")
    console.print(
        f"  trained on {training[0]} to {training[-1]}, judged on {holdout[0]} to {holdout[-1]}, "
        f"{case.clock.lag_weeks} weeks apart"
    )


def _history(session: Session, *, rebuild: bool, title: str) -> None:
    clock = session.bench.use_case.clock
    days = clock.dates_until(session.day)
    missing = days if rebuild else session.bench.missing_history(session.day)
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
            "serve. What served before goes on."
        )
    elif outcome.failed_checks:
        session.refuse(
            "[bold red]Refused.[/] Nothing was promoted; what served before goes on. The report shows by how much each "
            "gate was missed. Change features or training.yaml and run again; the thresholds are the stakeholder's."
        )


def _scoring(session: Session, *, title: str) -> None:
    bench = session.bench
    console.print(f"\n[bold]{title}[/]")
    if session.code == REFUSED and bench.registry.champion(session.day) is None:
        console.print("  Not scored: the candidate was refused and no earlier version is in force.")
        return
    require_version(bench, session.day)
    outcome = session.job("scoring", [session.day])
    if "no_identifier_written" in outcome.failed_checks:
        session.fail(
            "An identifier was written; the check of leak_scan says where. Use nothing of this week. "
            f"Look at everything with: ds-pipeline scan {bench.use_case.name}"
        )
    if "budgets" in outcome.failed_checks:
        session.refuse("[bold red]Over budget.[/] See run_costs above, and budgets in requirements.yaml.")


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
    champion = bench.registry.champion()
    if champion is None:
        console.print("Champion  none yet")
    else:
        console.print(f"Champion  [bold]{champion.version}[/], trained as of {champion.as_of}, signed")
    logged = bench.datasets.store.find(SCORES, str(day))
    if logged is not None:
        console.print(f"Scores    {logged.rows:,} customers for {day}, by {logged.info['model_version']}")
    for path in [*bench.delivery_paths(day), bench.report_path(day)]:
        if path.is_file():
            console.print(f"{'Report' if path.suffix == '.html' else 'List':<10}{bench.project.shown(path)}")
    console.print(f"Time      {time.time() - session.started_at:.0f} s")


def _show_gates(session: Session) -> None:
    document = session.bench.documents.find(kind="evaluation", day=session.day)
    if document is None:
        return
    decision = Decision.from_json(document.files["decision.json"])
    table = Table("gate", "value", "bound", "asked", "verdict", box=None, pad_edge=False)
    for column in table.columns[1:4]:
        column.justify = "right"
    for gate in decision.gates:
        verdict = "[green]pass[/]" if gate.passed else "[bold red]refused[/]"
        asked = f"{gate.comparison} {_number(gate.threshold)}"
        table.add_row(gate.name, _number(gate.value), _number(gate.bound), asked, verdict)
    console.print(table)
    for gate in decision.gates:
        if not gate.passed:
            console.print(f"  [bold red]{gate.name}[/]: {_plain(gate.reason)}")
    console.print()


def _rows_table(bench: Workbench, day: date) -> Table:
    tables, quarantine = row_counts(bench, day)
    table = Table(
        "table", "rows read", "masked", "quarantined", "why (first reason of each row)", box=None, pad_edge=False
    )
    for column in table.columns[1:4]:
        column.justify = "right"
    for one in tables:
        why = "\n".join(f"{row['reason']} {row['rows']:,}" for row in quarantine if row["table"] == one["table"])
        aside = one["read"] - one["kept"] - one["suppressed"]
        if one["suppressed"]:
            why += f"{chr(10) if why else ''}and {one['suppressed']:,} left out of people who were erased"
        table.add_row(one["table"], f"{one['read']:,}", f"{one['kept']:,}", f"{aside:,}", why)
    return table


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) and abs(value) > 1 else f"{value:.3f}"


def _plain(text: str) -> str:
    """Text that rich does not take for markup."""
    return text.replace("[", r"\[")
