"""ds-pipeline: each command calls one function or one job, and says in plain words what came of it.

Exit codes: 0 done; 1 refused, over budget, or with --strict a monitor that fails; 2 something is wrong and must be
corrected; 3 not reproducible. Never a stack trace for a user's mistake.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from ds_pipeline.errors import ClockError, ConfigError, DsPipelineError

if TYPE_CHECKING:
    from ds_pipeline.workbench import Workbench

app = typer.Typer(
    name="ds-pipeline",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Weekly scores you can defend. USE_CASE is the name of a folder under configs/.",
)
REFUSED, WRONG, NOT_REPRODUCIBLE, INTERRUPTED = 1, 2, 3, 130

Name = Annotated[str, typer.Argument(help="A folder under configs/.")]
Date = Annotated[
    str | None, typer.Option("--date", help="Scoring date, a Monday (YYYY-MM-DD); the newest if left out.")
]


def _say_something(text: str) -> str:
    if not text.strip():
        raise typer.BadParameter("it is empty; say why, for whoever reads the history later.")
    return text


Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the history for good.", callback=_say_something)]


def main() -> None:
    """The entry point: shows our own errors as a message and leaves any other its stack trace."""
    os.umask(0o077)  # whatever a library writes, a run database or a log, is the owner's alone
    try:
        app()
    except DsPipelineError as error:
        _complain(str(error))
        sys.exit(WRONG)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer makes this of Ctrl-C, without a word
            _complain("Stopped. What was finished is kept; run the same command again to go on.")
        raise


@app.command()
def run(use_case: Name, day: Date = None) -> None:
    """The whole chain: history where it is missing, then training and its gates, then scoring and the campaign list."""
    from ds_pipeline.cli.run import run_everything

    bench = _open(use_case)
    _finish(run_everything(bench, _day_of(bench, day)))


@app.command()
def history(
    use_case: Name,
    day: Date = None,
    rebuild: Annotated[bool, typer.Option(help="Every week anew; accepts another pseudonym key.")] = False,
) -> None:
    """Build the masked tables, features and labels of every week that is missing."""
    from ds_pipeline.cli.run import build_history

    bench = _open(use_case)
    _finish(build_history(bench, _day_of(bench, day), rebuild=rebuild))


@app.command()
def train(use_case: Name, day: Date = None) -> None:
    """Train a candidate, evaluate it on the holdout and promote it if every gate passes."""
    from ds_pipeline.cli.run import train_candidate

    bench = _open(use_case)
    _finish(train_candidate(bench, _day_of(bench, day)))


@app.command()
def score(
    use_case: Name,
    day: Date = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 where retraining is due or the quality is critical.")
    ] = False,
    supersede: Annotated[
        bool, typer.Option("--supersede", help="Replace scores and list that are recorded; takes --reason.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why they are replaced; kept in the ledger for good.")
    ] = None,
) -> None:
    """Score one week with the version in force and write the campaign list."""
    from ds_pipeline.cli.run import score_week

    if supersede != (reason is not None):
        raise typer.BadParameter("--supersede and --reason go together: say why scores and list are replaced.")
    reason = None if reason is None else _say_something(reason)
    bench = _open(use_case)
    _finish(score_week(bench, _day_of(bench, day), strict=strict, supersede_because=reason))


@app.command()
def status(use_case: Name, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """The champion, its gates, the newest scores and the quarantine."""
    from ds_pipeline.cli.status import read_status, show_status

    found = read_status(_open(use_case))
    typer.echo(json.dumps(found, indent=2) if as_json else show_status(found))


@app.command()
def verify(use_case: Name) -> None:
    """Check the history of promotions, the ledger, every bundle, and all that is stored, against their signatures."""
    from ds_pipeline.promotion.holdout_ledger import verify_ledger
    from ds_pipeline.promotion.reproduce import verify_store

    bench = _open(use_case)
    states = [*bench.registry.verify(), verify_ledger(bench), verify_store(bench)]
    for state in states:
        typer.echo(f"{state.version:<10} {state.status}")
    if any(state.status != "ok" for state in states):
        sys.exit(WRONG)
    if bench.registry.is_empty():
        typer.echo("No version was ever promoted.")


@app.command()
def rollback(
    use_case: Name,
    reason: Reason,
    to: Annotated[str | None, typer.Option("--to", help="A version; the one in force before, if left out.")] = None,
) -> None:
    """Put an earlier version back in force. Its signature is verified first; scores that are recorded stay."""
    from ds_pipeline.promotion.promote import roll_back
    from ds_pipeline.promotion.supersede import say_still_out

    bench = _open(use_case)
    event = roll_back(bench, to, actor=bench.keys.holder(), reason=reason)
    typer.echo(f"{event.version} (as of {event.as_of}) is in force. Recorded as event {event.number} by {event.actor}.")
    for line in say_still_out(bench):
        typer.echo(line)


@app.command()
def promote(
    use_case: Name,
    reason: Reason,
    day: Date = None,
    replace_lost: Annotated[
        bool, typer.Option("--replace-lost", help="The champion's bundle is lost or broken.")
    ] = False,
) -> None:
    """Promote the candidate of a date whose gates have passed; after a lost champion with --replace-lost."""
    from ds_pipeline.boundary.leak_check import require_clean_reason
    from ds_pipeline.promotion.promote import promote_candidate

    bench = _open(use_case)
    require_clean_reason(bench, reason)
    outcome = promote_candidate(
        bench, _day_of(bench, day), actor=bench.keys.holder(), reason=reason, replace_lost=replace_lost
    )
    typer.echo(outcome.reason or f"{outcome.champion.version} is in force.")
    if outcome.outcome == "refused":
        sys.exit(REFUSED)


@app.command("allow-holdout")
def allow_holdout(
    name: Name,
    reason: Reason,
    more: Annotated[int, typer.Option("--more", min=1, max=1000, help="How many more configurations.")] = 1,
    day: Date = None,
) -> None:
    """Let more configurations be judged on the holdout weeks of a date; recorded and shown for good."""
    from ds_pipeline.promotion.holdout_ledger import allow_holdout as allow

    bench = _open(name)
    done = allow(bench, _day_of(bench, day), more=more, reason=reason, actor=bench.keys.holder())
    typer.echo(
        f"{done.more} more for the holdout weeks {done.weeks[0]} to {done.weeks[-1]}. Recorded as "
        f"ledger/{done.number:06d}.json by {done.actor}. Judge the candidate again: ds-pipeline train {name}"
    )


@app.command("approve-requirements")
def approve_requirements(
    name: Name,
    reason: Reason,
    owner: Annotated[
        str | None, typer.Option("--owner", help="Only the thresholds of this owner; of all, if left out.")
    ] = None,
    day: Date = None,
) -> None:
    """Record that the owners agree to ask less, or of another thing, or to what was refused; shown for good."""
    from ds_pipeline.promotion.approve import approve_requirements as approve

    bench = _open(name)
    done = approve(bench, _day_of(bench, day), owner=owner, reason=reason, actor=bench.keys.holder())
    for change in done.changes:
        typer.echo(change)
    if done.candidates:
        typer.echo(f"Refused before, may be judged again: {', '.join(digest[:12] for digest in done.candidates)}")
    typer.echo(
        f"Approved for {', '.join(done.owners)}. Recorded as ledger/{done.number:06d}.json by {done.actor}. "
        f"Judge a candidate: ds-pipeline train {name}"
    )


@app.command()
def mistakes(
    name: Name,
    day: Date = None,
    examples: Annotated[int, typer.Option("--examples", min=0, max=100, help="Tokens per group.")] = 3,
) -> None:
    """Whom the judged candidate gets wrong, in groups, with examples by token; nothing is written."""
    from ds_pipeline.cli.mistakes import show_mistakes

    bench = _open(name)
    for line in show_mistakes(bench, _day_of(bench, day), examples=examples):
        typer.echo(line)


@app.command()
def runs(
    name: Name,
    last: Annotated[int, typer.Option("--last", min=1, help="The newest so many.")] = 20,
    compare: Annotated[
        tuple[int, int] | None, typer.Option("--compare", metavar="A B", help="What differs between two runs.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Every training and evaluation: configuration, verdict, figures, and the version it became."""
    from ds_pipeline.cli.runs import plain_run, read_runs, show_comparison, show_other_looks, show_runs
    from ds_pipeline.promotion.approve import approvals_of
    from ds_pipeline.promotion.holdout_ledger import overrides_of, read_ledger
    from ds_pipeline.promotion.runs import differences, run_number

    bench = _open(name)
    found = read_runs(bench)
    if compare is None:
        newest = found[-last:]
        plain = [plain_run(one) for one in newest]
        entries = read_ledger(bench)
        told = show_runs(newest, of=len(found), overrides=overrides_of(bench), approvals=approvals_of(entries))
        shown: Iterable[str] = chain(told, show_other_looks(entries))
    else:
        first, second = (run_number(found, number) for number in compare)
        differ = differences(first, second)
        plain = [asdict(difference) for difference in differ]
        shown = show_comparison(first, second, differ)
    for line in [json.dumps(plain, indent=2)] if as_json else shown:
        typer.echo(line)


@app.command()
def backtest(
    name: Name,
    day: Date = None,
    weeks: Annotated[int, typer.Option("--weeks", min=1, help="Score the newest so many matured weeks.")] = 26,
    every: Annotated[int, typer.Option("--every", min=1, help="A new model each so many weeks.")] = 4,
    trials: Annotated[
        int | None,
        typer.Option("--trials", min=1, help="Search with so many trials in each fit; else as the version in force."),
    ] = None,
    spend_a_look: Annotated[
        bool,
        typer.Option("--spend-a-look", help="Score the weeks of the present holdout too, which is a look at them."),
    ] = False,
) -> None:
    """Walk forward over past weeks: train as at each date, score what followed, compare; writes a report."""
    from ds_pipeline.cli.run import run_backtest

    bench = _open(name)
    run_backtest(bench, _day_of(bench, day), weeks=weeks, every=every, trials=trials, spend_a_look=spend_a_look)


@app.command()
def new(
    use_case: Annotated[str, typer.Argument(help="The name of the new folder under configs/.")],
    table: Annotated[list[str] | None, typer.Option("--table", help="A file, or name=file; repeat it.")] = None,
    entity: Annotated[
        list[str] | None, typer.Option("--entity", help="Column of the customer's number, or table=column.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            help="event:TABLE, no-event:TABLE, date:TABLE.COLUMN or state:TABLE.COLUMN=VALUE, within the horizon.",
        ),
    ] = None,
    horizon_days: Annotated[int | None, typer.Option("--horizon-days", min=1, max=366)] = None,
    event_time: Annotated[
        list[str] | None, typer.Option("--event-time", help="table=column: when it happened.")
    ] = None,
    known_at: Annotated[
        list[str] | None, typer.Option("--known-at", help="table=column: when the row became visible.")
    ] = None,
    first: Annotated[datetime | None, typer.Option("--first", formats=["%Y-%m-%d"], help="A Monday.")] = None,
    last: Annotated[datetime | None, typer.Option("--last", formats=["%Y-%m-%d"], help="A Monday.")] = None,
    time_zone: Annotated[str, typer.Option("--time-zone", help="Such as Europe/London.")] = "UTC",
    encoding: Annotated[
        list[str] | None, typer.Option("--encoding", help="Of CSV files that are not UTF-8: cp1252, or table=cp1252.")
    ] = None,
    date_format: Annotated[
        list[str] | None, typer.Option("--date-format", help="How dates are written: %d/%m/%Y, or table=%d/%m/%Y.")
    ] = None,
    data_class: Annotated[str, typer.Option("--data-class", help="public, internal or confidential.")] = "confidential",
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="The people are invented: public, no key of your own.")
    ] = False,
) -> None:
    """Look at your files and write a use case folder that is valid and marked for review; asks what no flag says.

    For example: ds-pipeline new my_case --table data/customers.csv --table data/orders.csv --entity customer_id
    --target no-event:orders --horizon-days 30
    """
    from ds_pipeline.project import open_project
    from ds_pipeline.starter.answers import Answers
    from ds_pipeline.starter.start import start_case

    ask = typer.prompt if sys.stdin.isatty() else None
    answers = Answers.complete(
        ask,
        name=use_case,
        tables=table,
        entity=entity,
        target=target,
        horizon_days=horizon_days,
        event_time=event_time or [],
        known_at=known_at or [],
        first=first.date() if first else None,
        last=last.date() if last else None,
        time_zone=time_zone,
        encoding=encoding or [],
        date_formats=date_format or [],
        data_class=data_class,
        synthetic=synthetic,
    )
    for line in start_case(open_project(), answers, ask=ask, today=datetime.now().astimezone().date()):
        typer.echo(line)


@app.command()
def check(use_case: Name) -> None:
    """Validate all files and sources, then try some weeks in memory: labels, features, PII, time; writes nothing."""
    from ds_pipeline.cli.run import check_sources

    check_sources(_open(use_case))


@app.command()
def simulate(
    use_case: Name,
    users: Annotated[int | None, typer.Option(help="How many users; as sources.yaml says, if left out.")] = None,
    weeks: Annotated[
        int | None, typer.Option(help="How many weeks, up to the last one of the clock; they begin before its first.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Where chance begins.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Make the files of a synthetic use case, and apart from them the truth about the people in it."""
    from ds_pipeline.cli.run import simulate_sources

    sizes = {"users": users, "weeks": weeks, "seed": seed}
    given = {size: value for size, value in sizes.items() if value is not None}
    simulate_sources(_open(use_case), given, force=force)


@app.command()
def docs(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if one is not current.")] = False,
) -> None:
    """Write data/README.md, and contract, requirements and data dictionary of every use case to docs/use_cases/.

    Of every one: git tracks these files, so look at what they say of a use case that is not public before you commit.
    """
    from ds_pipeline.documents.write import generated_documents, stale_documents, write_documents
    from ds_pipeline.project import open_project

    project = open_project()
    documents = generated_documents(project)
    written = [] if check else write_documents(project, documents)
    stale = stale_documents(project, documents)
    for name in written:
        typer.echo(f"{name} is written.")
    if written:
        typer.echo(
            "They name tables, columns and agreements of every use case, and git tracks them: look before a commit."
        )
    if stale:
        _complain(f"not what the files of the use cases say: {', '.join(stale)}. Write them with: ds-pipeline docs")
        sys.exit(REFUSED)
    typer.echo(f"All {len(documents)} documents are current.")


@app.command()
def redact() -> None:
    """Read lines of text from standard input and write them with identifiers replaced by their kind."""
    from ds_pipeline.masking.text.text import TextRedactor

    sys.stdin.reconfigure(encoding="utf-8", errors="replace", newline="")  # type: ignore[union-attr]
    sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="")  # type: ignore[union-attr]
    for line in TextRedactor().redact_lines(sys.stdin):
        sys.stdout.write(line)


@app.command()
def scan(use_case: Name) -> None:
    """Search all that was written, logs and bundles included, for identifiers and for files others may open."""
    from ds_pipeline.boundary.leak_check import exemptions
    from ds_pipeline.boundary.written_files import HEAD, scan_written, show_place, show_rest

    bench = _open(use_case)
    typer.echo(HEAD)
    scans = scan_written(bench, on_place=lambda one: typer.echo(show_place(one)))
    typer.echo(show_rest(scans, exemptions(bench)))
    if not all(one.is_clean for one in scans):
        sys.exit(WRONG)


@app.command()
def erase(
    use_case: Name,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept for good. Never a name.")] = None,
    entity_id: Annotated[
        list[str] | None, typer.Option("--entity-id", help="An identifier as its owner knows it; may be repeated.")
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", help="Identifiers, one a line; - is the standard input.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    drop_other_keys: Annotated[
        bool, typer.Option("--drop-other-keys", help="Delete what was made under a pseudonym key that is not given.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Finish an erasure that was interrupted; no more.")] = False,
) -> None:
    """Erase people from tables, features, labels, scores and delivered lists, and never take them in again.

    An old pseudonym key is given in DS_PIPELINE_OLD_PSEUDONYM_KEY.
    """
    from ds_pipeline.cli.erase import STDIN, erase_people, read_ids, resume_erasure

    if resume:
        if entity_id or file or reason:
            raise typer.BadParameter("--resume finishes what was begun; it takes no identifiers and no reason.")
        _finish(resume_erasure(_open(use_case)))
        return
    if reason is None:
        raise typer.BadParameter("--reason is needed: who asked for it, and under what; without naming the person.")
    if file == STDIN and not yes:
        raise typer.BadParameter("with --file - there is nobody to answer the question: add --yes.")
    bench = _open(use_case)
    _finish(
        erase_people(
            bench,
            read_ids(entity_id or [], file),
            reason=_say_something(reason),
            actor=bench.keys.holder(),
            old_key=os.environ.get("DS_PIPELINE_OLD_PSEUDONYM_KEY"),
            drop_other_keys=drop_other_keys,
            yes=yes,
        )
    )


@app.command()
def reproduce(
    use_case: Name, version: Annotated[str | None, typer.Argument(help="The one in force, if left out.")] = None
) -> None:
    """Train a version again from what is stored; the one in force, if no VERSION is named.

    Exit code 0: the same bytes; 1: others; 3: not reproducible.
    """
    from ds_pipeline.promotion.reproduce import Verdict
    from ds_pipeline.promotion.reproduce import reproduce as train_again

    found = train_again(_open(use_case), version)
    typer.echo(f"{found.version}: {found.verdict}: {'; '.join(found.why)}.")
    _finish({Verdict.SAME: 0, Verdict.DIFFERS: REFUSED, Verdict.IMPOSSIBLE: NOT_REPRODUCIBLE}[found.verdict])


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535, help="On 127.0.0.1.")] = 3000) -> None:
    """Serve the Dagster UI and its daemon on this machine until Ctrl-C; it answers its own pages only."""
    from ds_pipeline.cli.ui import serve
    from ds_pipeline.project import open_project

    _finish(serve(open_project(), port=port))


def _open(name: str) -> Workbench:
    from ds_pipeline.project import open_project
    from ds_pipeline.use_case.load import load_use_case
    from ds_pipeline.workbench import open_workbench

    if not re.fullmatch(r"\w+", name):
        raise ConfigError("USE_CASE is the name of a folder under configs/, such as retail_lapse.")
    project = open_project()
    return open_workbench(project, load_use_case(project.configs / name))


def _day_of(bench: Workbench, text: str | None) -> date:
    """The scoring date that was asked for, or the newest."""
    clock = bench.use_case.clock
    if text is None:
        return clock.newest(datetime.now().astimezone())
    try:
        return clock.require(date.fromisoformat(text))
    except ValueError as error:
        raise ClockError(f"--date {text}: expected a date such as 2011-12-05.") from error


def _finish(code: int) -> None:
    if code:
        sys.exit(code)


def _complain(message: str) -> None:
    typer.echo(f"ds-pipeline: {message}", err=True)
