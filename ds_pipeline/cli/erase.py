"""The dialogue of an erasure: what would change, a question, and what was done. Identifiers are never shown."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer
from pydantic import SecretStr

from ds_pipeline.boundary.erasures import Change, Erasure
from ds_pipeline.boundary.leak_check import require_clean_reason
from ds_pipeline.boundary.suppress import pending_file
from ds_pipeline.cli.printing import console, plain, table_of
from ds_pipeline.erasure.delivered import DELIVERED
from ds_pipeline.erasure.erase import erase, people_of, resume, survey
from ds_pipeline.erasure.exposure import retraining_is_due
from ds_pipeline.errors import ErasureError, ErasureRefused
from ds_pipeline.figures import counted
from ds_pipeline.project import Project
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.workbench import Workbench, now

DONE, REFUSED = 0, 1
STDIN = "-"


def read_ids(typed: Sequence[str], file: str | None) -> list[str]:
    """Identifiers from the command line and from a file, one a line; '-' is the standard input.

    Raises:
        ErasureError: the file cannot be read.
    """
    if file is None:
        return list(typed)
    try:
        text = sys.stdin.read().removeprefix("\ufeff") if file == STDIN else Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ErasureError(f"--file: it cannot be read ({type(error).__name__}). One identifier a line.") from None
    return [*typed, *text.splitlines()]


def erase_people(
    bench: Workbench,
    ids: Sequence[str],
    *,
    reason: str,
    actor: str,
    old_key: str | None,
    drop_other_keys: bool,
    yes: bool,
) -> int:
    """Say what would change, ask, erase, say what was done. The exit code."""
    require_clean_reason(bench, reason)
    people = people_of(bench, ids, old_keys=_old_keys(bench, old_key))
    if pending_file(bench).find() is not None:
        console.print("An erasure was interrupted; it is finished first.")
    try:
        found = survey(bench, people, drop_other_keys=drop_other_keys)
        console.print(f"[bold]{bench.use_case.name}[/]: {counted(len(people.ids), 'person', 'people')} to erase")
        _show(found.changes)
        if found.unknown:
            unknown = counted(found.unknown, "person", "people")
            console.print(f"  {unknown} not found in any stored table; suppressed all the same.")
        if not yes and not typer.confirm("This cannot be undone. Erase?", default=False):
            console.print("Nothing was changed.")
            return REFUSED
        done = erase(bench, people, actor=actor, reason=reason, at=now(), drop_other_keys=drop_other_keys)
    except ErasureRefused as refusal:
        console.print(f"[bold red]Refused.[/] {plain(str(refusal))}")
        return REFUSED
    _tell(bench, done)
    return DONE


def resume_erasure(bench: Workbench) -> int:
    """Finish the erasure that was interrupted. The exit code."""
    try:
        done = resume(bench)
    except ErasureRefused as refusal:
        console.print(f"[bold red]Refused.[/] {refusal}")
        return REFUSED
    if done is None:
        console.print("No erasure was interrupted.")
    else:
        _tell(bench, done)
    return DONE


def _tell(bench: Workbench, done: Erasure) -> None:
    name = bench.use_case.name
    console.print(
        f"Erased {counted(done.people, 'person', 'people')}: {done.rows:,} rows in "
        f"{counted(len(done.changes), 'file')}. Nothing of them is left in the store."
    )
    console.print(
        f"Recorded as erasures/{done.number:06d}.json by {done.actor}; {done.listed:,} on the suppression list."
    )
    for one in done.affected:
        console.print(
            f"  {one.version or 'a candidate'} of {one.as_of} had seen {one.rows:,} of the rows: {one.cause}."
        )
    due = retraining_is_due(bench)
    if due is not None:
        console.print(f"{due[0].upper()}{due[1:]}: ds-pipeline run {name}")
    elif any(one.dataset.startswith("masked/") for one in done.changes):
        console.print(f"Features and labels are built again by the next: ds-pipeline history {name}")


def _show(changes: Iterable[Change]) -> None:
    kinds: dict[str, list[Change]] = {}
    for one in changes:
        kinds.setdefault(_kind(one.dataset), []).append(one)
    if not kinds:
        return
    table = table_of("where", "files", "rows removed", "", right=slice(1, 3))
    for kind, ones in kinds.items():
        deleted = sum(one.new is None for one in ones)
        table.add_row(
            f"  {kind}",
            f"{len(ones):,}",
            f"{sum(one.rows for one in ones):,}",
            f"{deleted:,} superseded or of another key, deleted" if deleted else "",
        )
    console.print(table)


def _kind(dataset: str) -> str:
    if dataset.startswith(DELIVERED):
        return "delivered lists"
    if dataset == SCORES:
        return "scores"
    return "/".join(dataset.split("/")[:-1])


def _old_keys(bench: Workbench, secret: str | None) -> list[bytes]:
    if not secret:
        return []
    old = {"pseudonym_key": SecretStr(secret), "pseudonym_key_file": None}
    return [Project(bench.project.settings.model_copy(update=old)).pseudonym_key(bench.use_case.sources)]
