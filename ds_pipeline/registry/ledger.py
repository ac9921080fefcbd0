"""The holdout ledger: each declaration, look, backtest, verdict, override, approval, promotion; never changed.

    ledger/000001.json    the entries, numbered, chained and signed as the history of promotions is
    ledger.json           the newest entry, signed: entries removed from the end are missed by it

A look is written before its numbers are seen, so an evaluation that is killed has cost its look. How many
configurations a week has been judged by, and on which rows, is counted here; what that means for a gate is not decided.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from ds_pipeline.digests import canonical_json, digest_json
from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.verdicts import Verdict, verdict_of
from ds_pipeline.store.chain import Chain, Grown, Link, Text, file_name, next_link
from ds_pipeline.store.index import Signer
from ds_pipeline.store.snapshots import one_writer, write_file
from ds_pipeline.use_case.eased import Eased
from ds_pipeline.use_case.model import FileModel

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Weeks = Annotated[list[date], Field(min_length=1)]


class Configuration(FileModel):
    """What people choose before a candidate is trained, by digest. Another week of data is not another configuration.

    Attributes:
        features: SQL and schema of the features.
        labels: who is labelled, how, and over which horizon.
        sources: which rows there are: sources.yaml and the first scoring date.
        training: training.yaml.
        requirements: requirements.yaml.
    """

    features: Digest
    labels: Digest
    sources: Digest
    training: Digest
    requirements: Digest

    @property
    def digest(self) -> str:
        return digest_json(self.model_dump(mode="json"))


class Declared(Grown):
    """A training begins, under these files: what was declared before there was a model.

    Attributes:
        asked: all that requirements.yaml says; None in an entry from before it was noted.
        requirements: the digest of the bytes of requirements.yaml.
        use_case: the digest of all files.
        files: name to digest, to say later which of them differ.
        inputs: the names of the model's inputs.
        subject: what the gates are about, by name, from use_case.subject; None in an older entry.
    """

    since = frozenset({"asked", "subject"})

    kind: Literal["declared"] = "declared"
    configuration: Configuration
    requirements: Digest
    use_case: Digest
    files: dict[Text, Digest]
    inputs: list[Text]
    asked: dict[str, Any] | None = None
    subject: dict[Text, Text] | None = None


Seen = dict[date, dict[Text, Digest]]  # of each week, dataset/partition to the digest of the rows it holds


class Looked(Grown):
    """An evaluation begins: from here on these weeks have been seen by this configuration.

    Attributes:
        declared: the number of the entry with which the training of the candidate began.
        limit: how many configurations the requirements allowed on a week then; None: no limit.
        model: the digest of its model.joblib, which other files may make as well; None in an older entry.
        seen: the rows it is judged on; None in an entry from before they were noted.
    """

    since = frozenset({"seen", "model"})

    kind: Literal["looked"] = "looked"
    limit: Annotated[int, Field(ge=1)] | None = None
    declared: Annotated[int, Field(ge=1)]
    configuration: Digest
    candidate: Digest
    model: Digest | None = None
    weeks: Weeks
    seen: Seen | None = None

    def is_of_same_model(self, other: Looked) -> bool:
        """Whether both are of one candidate, or of two with the very same model."""
        return self.candidate == other.candidate or (self.model is not None and self.model == other.model)


class Backtested(FileModel):
    """A backtest begins: it shows these weeks under this configuration, as an evaluation does."""

    kind: Literal["backtested"] = "backtested"
    configuration: Digest
    weeks: Weeks
    seen: Seen


class Figure(FileModel):
    """What a gate came to; is_acceptance: of a threshold, not of a fixed gate."""

    name: Text
    value: float | None
    bound: float | None
    comparison: Literal[">=", "<="]
    threshold: float
    passed: bool
    is_acceptance: bool

    @property
    def verdict(self) -> Verdict:
        """Only a gate that does not apply passes without a value."""
        return verdict_of(passed=self.passed, applies=not (self.passed and self.value is None))


class Judged(Grown):
    """An evaluation has ended.

    Attributes:
        looked: the number of the entry with which it began.
        evaluation: the digest of what it says.
        decision: the digest of decision.json, which a promotion repeats; None in an entry from before it was noted.
        parameters: the hyperparameters that the search chose.
        metrics: further ones, which no gate reads.
    """

    since = frozenset({"decision"})

    kind: Literal["judged"] = "judged"
    looked: Annotated[int, Field(ge=1)]
    evaluation: Digest
    passed: bool
    parameters: dict[Text, float | int]
    figures: list[Figure]
    metrics: dict[Text, float]
    decision: Digest | None = None


class Allowed(FileModel):
    """A person lets so many more configurations be judged on these weeks; the entry's reason says why."""

    kind: Literal["allowed"] = "allowed"
    weeks: Weeks
    more: Annotated[int, Field(ge=1, le=1000)]


class Rebuilt(FileModel):
    """Every week is made anew from the sources: rows that were looked at may be others from here on."""

    kind: Literal["rebuilt"] = "rebuilt"


class Scored(FileModel):
    """The scores of a date are recorded, once, and the entry's as_of is the date: a log that lacks them has lost them.

    Attributes:
        version: that made them.
        scores: digest of the snapshot.
    """

    kind: Literal["scored"] = "scored"
    version: Text
    scores: Digest


class Superseded(FileModel):
    """The recorded scores of a date are replaced by others, and its list with them; the entry's as_of is the date.

    Attributes:
        before, after: the versions that made them.
        scores_before, scores_after: digests of the snapshots; the earlier one stays in the store.
    """

    kind: Literal["superseded"] = "superseded"
    before: Text
    after: Text
    scores_before: Digest
    scores_after: Digest


class Approved(FileModel):
    """The owners of thresholds agree that less is asked, or that a candidate which was refused may be judged again.

    Attributes:
        before, after: digests of what the requirements say; before is None where that cannot be read any more.
        changes: those that they agree to, in words.
        owners: whose thresholds they are.
        weeks: of the holdout that was at hand.
        candidates: refused on any of these weeks until then.
    """

    kind: Literal["approved"] = "approved"
    before: Digest | None
    after: Digest
    changes: list[Eased]
    owners: Annotated[list[Text], Field(min_length=1)]
    weeks: Weeks
    candidates: list[Digest]


class Promoted(FileModel):
    """What is in force has changed, by promotion or rollback: whoever removes the history is told by the ledger.

    Attributes:
        event, digest: number and digest of the event in the history.
        version: what it put in force.
    """

    kind: Literal["promoted"] = "promoted"
    event: Annotated[int, Field(ge=1)]
    digest: Digest
    version: Text


Says = Declared | Looked | Backtested | Judged | Allowed | Rebuilt | Approved | Promoted | Scored | Superseded


class Entry(Link):
    """One line of the ledger.

    Attributes:
        as_of: the scoring date of the candidate; of an override, that of the holdout.
    """

    as_of: date
    says: Annotated[Says, Field(discriminator="kind")]


@dataclass(frozen=True)
class WeekCount:
    """One holdout week: how often it was looked at, and how many more looks people have allowed.

    Attributes:
        configurations: distinct ones that it was judged or backtested by; one counts again on other rows of the week.
    """

    week: date
    configurations: int
    allowed: int


class Ledger(Chain[Entry]):
    """The entries of one use case in one folder, and beside it the file that says which is the newest."""

    def __init__(self, folder: Path, keys: Signer, *, use_case: str) -> None:
        super().__init__(folder, keys, use_case=use_case, kind=Entry)
        self.newest_path = folder.parent / f"{folder.name}.json"

    def read(self) -> list[Entry]:
        """All entries, checked against the note of the newest: nobody reads a ledger that was cut off."""
        return self.entries(known={})

    def entries(self, *, known: Mapping[int, str]) -> list[Entry]:
        """All entries, oldest first, verified.

        Args:
            known: number and digest of entries that something outside the ledger, such as an evaluation, refers to.

        Raises:
            RegistryError: an entry is missing, also from the end, or changed; or the ledger is not the one that
                evaluations refer to.
        """
        last, digest = self._newest()  # before the entries: another process may add one in between
        entries = super().read()
        if len(entries) > 1 and not self.newest_path.exists():  # a first entry that was killed before its note is alone
            raise self._broken(f"{self.newest_path.name} is missing")
        for number, expected in [*known.items(), *([(last, digest)] if last else [])]:
            if number > len(entries):
                raise self._broken(f"{file_name(number)} is missing, but was made")
            if entries[number - 1].digest != expected:
                raise self._broken(f"{file_name(number)} is not the entry that was made")
        return entries

    def add(
        self, says: Says, *, as_of: date, actor: str, reason: str, at: datetime, known: Mapping[int, str]
    ) -> list[Entry]:
        """Write one entry; all entries afterwards, the new one last. One process at a time.

        Raises:
            RegistryError: the ledger is broken, or a field is empty or not valid; nothing was written.
        """
        with one_writer(self.folder):
            entries = self.entries(known=known)
            entry = next_link(
                Entry, entries, use_case=self.use_case, as_of=as_of, actor=actor, reason=reason, at=at, says=says
            )
            self.append(entry)
            self._point(entry)
            return [*entries, entry]

    def _newest(self) -> tuple[int, str]:
        """Number and digest of the newest entry as far as it was noted: one killed before its note is one further."""
        if not self.newest_path.exists():
            return 0, ""
        what = self.newest_path.name
        try:
            found = json.loads(self.newest_path.read_bytes())
            number, digest, signature = int(found["number"]), str(found["digest"]), str(found["signature"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._broken(f"{what} is damaged") from error
        self.keys.verify(self._signed_text(number, digest), signature, what=what)
        return number, digest

    def _point(self, entry: Entry) -> None:
        signature = self.keys.sign(self._signed_text(entry.number, entry.digest))
        content = {"number": entry.number, "digest": entry.digest, "signature": signature}
        write_file(self.newest_path, canonical_json(content), replace=True)

    def _signed_text(self, number: int, digest: str) -> bytes:
        return canonical_json({"ledger_of": self.use_case, "number": number, "digest": digest})

    def _broken(self, fault: str) -> RegistryError:
        folder = self.folder.name
        return RegistryError(
            f"{folder}/: {fault}. Nobody can say how often the holdout was looked at, what was scored or which version "
            f"is in force, so nothing is judged, scored or promoted. Restore {folder}/ and {self.newest_path.name} "
            "from a backup."
        )


def looks_of(entries: Sequence[Entry]) -> list[Looked | Backtested]:
    """Everything by which weeks have been seen, oldest first."""
    return [entry.says for entry in entries if isinstance(entry.says, Looked | Backtested)]


def count_weeks(
    entries: Sequence[Entry], weeks: Sequence[date], *, erased: Mapping[str, str] | None = None
) -> list[WeekCount]:
    """For each of the weeks the looks at it that differ in configuration or rows, and the overrides for it.

    Args:
        erased: digests of rows after an erasure to those before: that people are gone is no other data to choose by.
    """
    seen: dict[date, dict[str, set[str]]] = {week: {} for week in weeks}
    allowed = dict.fromkeys(weeks, 0)
    for says in looks_of(entries):
        for week in seen.keys() & set(says.weeks):
            rows = seen[week].setdefault(says.configuration, set())
            if says.seen is not None:
                rows.add(digest_json({name: _first(one, erased or {}) for name, one in says.seen[week].items()}))
    for entry in entries:
        if isinstance(entry.says, Allowed):
            for week in allowed.keys() & set(entry.says.weeks):
                allowed[week] += entry.says.more
    # A look that does not say what it saw is one with any other of its configuration.
    looks = {week: sum(max(1, len(rows)) for rows in found.values()) for week, found in seen.items()}
    return [WeekCount(week, looks[week], allowed[week]) for week in weeks]


def _first(digest: str, erased: Mapping[str, str]) -> str:
    """What rows were before erasures took people out of them."""
    passed = {digest}
    while (before := erased.get(digest)) is not None and before not in passed:
        passed.add(before)
        digest = before
    return digest


def overrides(entries: Sequence[Entry], weeks: Sequence[date] | None = None) -> list[Entry]:
    """The overrides for any of the weeks, oldest first; all that were ever made where no weeks are given."""
    return [
        entry
        for entry in entries
        if isinstance(entry.says, Allowed) and (weeks is None or set(weeks) & set(entry.says.weeks))
    ]
