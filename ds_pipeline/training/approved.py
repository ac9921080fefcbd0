"""Thresholds are not eased after a model: less than was asked before needs the recorded approval of its owner.

Nor are they made to be of another thing: the same limit of another label, or of other groups, is another limit. Before
is what the version in force was judged by, and what was declared at the last look, at whatever weeks: another date, or
another clock, would else begin anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from pydantic import ValidationError

from ds_pipeline.digests import digest_json
from ds_pipeline.errors import EvaluationError, RegistryError, TrainingError
from ds_pipeline.registry.history import Event
from ds_pipeline.registry.ledger import Approved, Declared, Entry, Looked
from ds_pipeline.store.chain import file_name
from ds_pipeline.use_case.eased import Eased, eased
from ds_pipeline.use_case.files import read_model
from ds_pipeline.use_case.requirements import Requirements
from ds_pipeline.use_case.subject import changed_subject
from ds_pipeline.workbench import Workbench

FILE = "requirements.yaml"
BUDGET = "holdout.max_configurations"  # on weeks that were looked at it has a rule of its own: allow-holdout


class Before(NamedTuple):
    """What was asked before.

    Attributes:
        what: as a message names it.
        declared: the number of the entry with which it was declared; an approval from before is none of it.
        requirements: None where they cannot be read any more.
        subject: what the gates were about; None where an old declaration does not say it.
        files: the digests of the files then.
        apart: a key that is not compared here.
    """

    what: str
    declared: int
    requirements: Requirements | None
    subject: dict[str, str] | None
    files: dict[str, str]
    apart: str = ""


def digest_of(requirements: Requirements) -> str:
    """What the requirements say; a comment or another order of keys says nothing else."""
    return digest_json(requirements.model_dump(mode="json"))


def asked_before(bench: Workbench, day: date, entries: Sequence[Entry]) -> list[Before]:
    """What the version in force was judged by, and under what any holdout was last looked at."""
    return [*_of_champion(bench, entries), *_of_last_look(bench, day, entries)]


def to_approve(bench: Workbench, day: date, entries: Sequence[Entry]) -> list[Eased]:
    """What requirements.yaml asks less than before, or of another thing, and nobody has agreed to since."""
    asked = bench.use_case.requirements
    open_changes: dict[Eased, None] = {}
    for before in asked_before(bench, day, entries):
        approved = {
            change
            for entry in entries[before.declared :]
            if isinstance(entry.says, Approved)
            for change in entry.says.changes
        }
        changes = (
            eased(before.requirements, asked)
            if before.requirements
            else [
                Eased(
                    key=FILE,
                    owner=asked.data_minimums.owner,
                    words=f"{before.what} was judged by what cannot be read any more, so all of it may be eased",
                )
            ]
        )
        changes += changed_subject(before.subject, before.files, bench.use_case)
        open_changes |= {change: None for change in changes if change.key != before.apart and change not in approved}
    return list(open_changes)


def require_approved(
    bench: Workbench, day: date, entries: Sequence[Entry], error: type[TrainingError | EvaluationError]
) -> None:
    """Raise the error if thresholds were eased, or are of another thing, without their owners; or none asks to rank."""
    name = bench.use_case.name
    has_begun = bench.registry.champion() is not None or any(isinstance(entry.says, Looked) for entry in entries)
    if has_begun and not bench.use_case.requirements.asks_for_ranking:
        raise error(
            f"configs/{name}/{FILE}: acceptance has no gate that compares the ranking of the scores at a lower bound "
            "(a precision, a recall, or a gain over something other than the champion). A version is in force or a "
            "holdout was looked at, and no approval does away with that floor: put one back."
        )
    changes = to_approve(bench, day, entries)
    if changes:
        listed = "; ".join(f"{change.words} (owner: {change.owner})" for change in changes)
        raise error(
            f"configs/{name} asks less, or of another thing, than the version in force or the last look at a holdout "
            f"was held to: {listed}. Nothing was looked at. Put it back, or let the owners agree and record it: "
            f'ds-pipeline approve-requirements {name} --date {day} --reason "..."'
        )


def _of_champion(bench: Workbench, entries: Sequence[Entry]) -> Iterator[Before]:
    event = bench.registry.champion()
    if event is None:
        return
    what = f"the version in force, {event.version},"
    try:
        bundle = bench.registry.open(event.version)
    except RegistryError:  # lost: the ledger still knows under what it was trained
        number = _declared_of(event, entries)
        yield Before(what, number, *_said(entries, number))
        return
    content = bundle.files.get(f"use_case/{FILE}")
    requirements = read_model(content, Requirements, label=FILE, problems=[])
    number = int(bundle.json("lineage.json").get("declared", 0))
    yield Before(what, number, *_said(entries, number))._replace(requirements=requirements)


def _declared_of(event: Event, entries: Sequence[Entry]) -> int:
    for entry in reversed(entries):
        if isinstance(entry.says, Looked) and entry.says.candidate == event.candidate_digest:
            return entry.says.declared
    return 0


def _of_last_look(bench: Workbench, day: date, entries: Sequence[Entry]) -> Iterator[Before]:
    look = next((entry.says for entry in reversed(entries) if isinstance(entry.says, Looked)), None)
    if look is None:
        return
    apart = BUDGET if set(look.weeks) & set(bench.use_case.clock.holdout(day)) else ""
    what = f"the last look at a holdout (ledger/{file_name(look.declared)})"
    before = Before(what, look.declared, *_said(entries, look.declared), apart)
    says, asked = entries[look.declared - 1].says, bench.use_case.requirements
    if isinstance(says, Declared) and says.configuration.requirements == digest_of(asked):
        before = before._replace(requirements=asked)  # the same; also where an old entry does not hold them
    yield before


def _said(entries: Sequence[Entry], number: int) -> tuple[Requirements | None, dict[str, str] | None, dict[str, str]]:
    """The requirements, the subject and the files of a declaration; nothing where there is none."""
    says = entries[number - 1].says if 0 < number <= len(entries) else None
    if not isinstance(says, Declared):
        return None, None, {}
    try:
        requirements = Requirements.model_validate(says.asked) if says.asked else None
    except ValidationError:  # of a time when the file had other keys
        requirements = None
    return requirements, says.subject, says.files
