"""What an erasure did: who asked, when, how many rows where, which candidates had seen them. Never who it was about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field

from ds_pipeline.digests import canonical_json
from ds_pipeline.errors import ErasureError
from ds_pipeline.store.chain import Chain, Link, Text
from ds_pipeline.store.index import Signer
from ds_pipeline.store.snapshots import write_file
from ds_pipeline.use_case.model import FileModel

Count = Annotated[int, Field(ge=0)]


class Change(FileModel):
    """One file of which rows were removed.

    Attributes:
        dataset: a dataset of the store, or deliveries/<file> for a list that was delivered.
        partition: the scoring date it lies under.
        rows: of these people; a superseded snapshot is deleted whole, one of another key counts with all its rows.
        old, new: digests of the file before and after; new is None where the file was deleted.
    """

    dataset: Text
    partition: Text
    rows: Count
    old: Text
    new: str | None


class Affected(FileModel):
    """A candidate that was trained, validated or judged on rows that were removed.

    Attributes:
        candidate: its digest; a version carries the digest of its candidate.
        version: None for a candidate that was not promoted by then.
        rows: removed from the features and labels it was made from.
        cause: why it counts as affected.
    """

    candidate: Text
    as_of: date
    version: str | None
    rows: Count
    cause: Text


class Erasure(Link):
    """One finished erasure.

    Attributes:
        request: a random name, so that an interrupted erasure is recorded once.
        people: identifiers that were asked for; found: those of whom rows were stored.
        listed: entries of the suppression list afterwards; a list that is shorter has been tampered with.
        changes: every file that held a row of them.
        affected: every candidate that had seen one.
    """

    request: Text
    people: Annotated[int, Field(ge=1)]
    found: Count
    listed: Count
    changes: list[Change]
    affected: list[Affected]

    @property
    def rows(self) -> int:
        return sum(change.rows for change in self.changes)


class Pending(FileModel):
    """An erasure that was begun: everything that is needed to finish it. It is removed once the record is made.

    Attributes:
        tokens: under the pseudonym key, and under an old one that was given; no other file holds them in the end.
        hashes: by domain, as in the suppression list.
        changes: what was planned; after an interruption the digests from before could not be found out.
    """

    request: Text
    actor: Text
    reason: Text
    at: AwareDatetime
    people: Annotated[int, Field(ge=1)]
    found: Count
    tokens: list[str]
    hashes: dict[str, list[str]]
    changes: list[Change]


class Erasures(Chain[Erasure]):
    """The finished erasures of one use case, oldest first."""

    def __init__(self, folder: Path, keys: Signer, *, use_case: str) -> None:
        super().__init__(folder, keys, use_case=use_case, kind=Erasure)


class PendingFile:
    """The one erasure of a use case that may be unfinished."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "pending.json"

    def find(self) -> Pending | None:
        """The unfinished erasure, if there is one; ErasureError where the file is damaged."""
        if not self.path.exists():
            return None
        try:
            return Pending.model_validate_json(self.path.read_bytes())
        except ValueError:  # pydantic's message would quote what it found
            raise ErasureError(
                f"suppression/{self.path.name}: damaged. Restore it from a backup, or delete it and ask for the same "
                "erasure again."
            ) from None

    def write(self, pending: Pending) -> None:
        write_file(self.path, canonical_json(pending.model_dump(mode="json")), replace=True)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def merged(planned: Sequence[Change], found: Sequence[Change]) -> list[Change]:
    """What was planned before an interruption, and what a later scan found besides.

    A file that was rewritten before the interruption and not yet deleted is found again as a superseded one: the plan
    knows what became of it.
    """
    by_file = {(change.dataset, change.partition, change.old): change for change in [*found, *planned]}
    return sorted(by_file.values(), key=lambda change: (change.dataset, change.partition, change.old))


def affecting(erasures: Sequence[Erasure], candidate: str) -> list[Erasure]:
    """The erasures that removed rows which a candidate had seen."""
    return [erasure for erasure in erasures if any(affected.candidate == candidate for affected in erasure.affected)]
