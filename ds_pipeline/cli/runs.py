"""The runs of a use case as text for people and as plain values for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

from ds_pipeline.digests import SHORT
from ds_pipeline.evaluation.checks.holdout_budget import Approval, Override
from ds_pipeline.figures import short
from ds_pipeline.promotion.holdout_ledger import read_ledger
from ds_pipeline.promotion.runs import Difference, Run, runs_of
from ds_pipeline.registry.ledger import Backtested, Entry, Figure, Rebuilt
from ds_pipeline.registry.verdicts import WORDS
from ds_pipeline.workbench import Workbench

HEAD = (
    f"{'run':>4}  {'date':<10}  {'began (UTC)':<16}  {'configuration':<13}  {'candidate':<12}  {'verdict':<23}  version"
)


def read_runs(bench: Workbench) -> list[Run]:
    """Every training and evaluation of the use case, oldest first.

    Raises:
        RegistryError: the ledger or the history of promotions is broken.
    """
    return runs_of(read_ledger(bench), bench.registry.history())


def show_runs(
    runs: Sequence[Run], *, of: int, overrides: Sequence[Override], approvals: Sequence[Approval]
) -> Iterator[str]:
    """Lines: one per run and below it its acceptance thresholds with the bound; then every override and approval.

    Args:
        of: how many runs there are in all.
    """
    if not runs:
        yield "No training has begun yet."
        return
    yield HEAD
    for run in runs:
        candidate = run.candidate[:SHORT] if run.candidate else "-"
        yield (
            f"{run.number:>4}  {run.as_of}  {run.at:%Y-%m-%d %H:%M}  {run.configuration[:SHORT]:<13}  {candidate:<12}  "
            f"{run.verdict:<23}  {run.promoted_as or '-'}"
        )
        for figure in run.figures:
            if figure.is_acceptance or not figure.passed:
                yield f"        {_gate(figure)}"
    if of > len(runs):
        yield f"The newest {len(runs)} of {of} runs; more with --last."
    for one in overrides:
        yield (
            f"Override of {one.at:%Y-%m-%d} by {one.actor}: {one.more} more for {one.weeks[0]} to {one.weeks[-1]}: "
            f"{one.reason}"
        )
    for approval in approvals:
        yield (
            f"Approval of {approval.at:%Y-%m-%d} for {', '.join(approval.owners)} by {approval.actor}: "
            f"{approval.words}: {approval.reason}"
        )


def show_other_looks(entries: Sequence[Entry]) -> Iterator[str]:
    """Lines: what beside the runs has shown weeks, or changed what they hold."""
    for entry in entries:
        says = entry.says
        if isinstance(says, Backtested):
            yield (
                f"Backtest of {entry.at:%Y-%m-%d}: configuration {says.configuration[:SHORT]} has seen {says.weeks[0]} "
                f"to {says.weeks[-1]}"
            )
        elif isinstance(says, Rebuilt):
            yield f"Rebuilt on {entry.at:%Y-%m-%d} by {entry.actor}: every week up to {entry.as_of} was made anew"


def show_comparison(first: Run, second: Run, found: Sequence[Difference]) -> Iterator[str]:
    """Lines: what differs between two runs, the first on the left."""
    if not found:
        yield f"Run {first.number} and run {second.number} differ in nothing that is recorded."
        return
    named = [
        (row.name if row.what == "run" else f"{row.what} {row.name}", _value(row.first), _value(row.second))
        for row in found
    ]
    widths = [max(len(row[column]) for row in named) for column in (0, 1)]
    left = f"run {first.number}"
    widths[1] = max(widths[1], len(left))
    yield f"{'':<{widths[0]}}  {left:<{widths[1]}}  run {second.number}"
    for name, one, other in named:
        yield f"{name:<{widths[0]}}  {one:<{widths[1]}}  {other}"


def plain_run(run: Run) -> dict[str, Any]:
    """A run for programs."""
    return {
        "run": run.number,
        "as_of": str(run.as_of),
        "began_at": run.at.isoformat(timespec="seconds"),
        "looked_at": run.looked_at.isoformat(timespec="seconds") if run.looked_at else None,
        "configuration": {"digest": run.configuration, **run.declared.configuration.model_dump()},
        "use_case": run.declared.use_case,
        "files": dict(run.declared.files),
        "inputs": list(run.declared.inputs),
        "candidate": run.candidate,
        "verdict": run.verdict,
        "promoted_as": run.promoted_as,
        "parameters": run.parameters,
        "gates": [figure.model_dump() | {"verdict": figure.verdict} for figure in run.figures],
        "metrics": run.metrics,
    }


def _gate(figure: Figure) -> str:
    if figure.verdict == "not_applicable":
        return f"{figure.name:<28} {WORDS[figure.verdict]}"
    bound = "" if figure.bound is None else f" (bound {short(figure.bound)})"
    asked = f"{figure.comparison} {short(figure.threshold)}"
    return f"{figure.name:<28} {short(figure.value)}{bound}, asked {asked}{'' if figure.passed else ': refused'}"


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        figure, bound, comparison, threshold, verdict = value
        shown = _value(figure) + (f" ({_value(bound)})" if bound is not None else "")
        return f"{shown} {comparison} {_value(threshold)} {WORDS[verdict]}"
    if value is None:
        return "-"
    return short(value) if isinstance(value, float | int) else str(value)
