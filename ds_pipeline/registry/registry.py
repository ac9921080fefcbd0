"""The registry of one use case: which version is in force, how another comes into force, and the way back.

    versions/v0001/bundle/...  bundle.sig   what was promoted; never changed
    versions/v0001/receipts/000001.json     empty: the event of this number was made (a deleted history is noticed)
    history/000001.json                     the events; the newest one is the champion

Source: docs/decisions/0002-history-is-the-pointer.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from ds_pipeline.digests import digest_files
from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.bundle import Bundle
from ds_pipeline.registry.history import Event, first_events, made_by, way_back
from ds_pipeline.registry.promotion import Promotion, settle
from ds_pipeline.registry.signing import SigningKeys
from ds_pipeline.registry.versions import Versions, number_of
from ds_pipeline.registry.witnesses import Witness, require_witnessed
from ds_pipeline.store.chain import Chain, dated_all_the_same, file_name, next_link
from ds_pipeline.store.snapshots import one_writer

OK = "ok"
OF_VERSION = {"version", "as_of", "bundle_digest", "candidate_digest", "decision_digest", "refit_digest"}


@dataclass(frozen=True)
class Verified:
    """The state of the history (version 'history') or of one version: 'ok', or what is wrong with it."""

    version: str
    status: str


class Registry:
    """The versions and the history below one folder, checked against one pinned signer.

    Args:
        witnesses: what outside the registry names its versions; a history that lacks one of them is broken.
    """

    def __init__(
        self,
        root: Path,
        keys: SigningKeys,
        *,
        use_case: str,
        witnesses: Callable[[], Sequence[Witness]] = tuple,
    ) -> None:
        self.root = root
        self._use_case = use_case
        self._witnesses = witnesses
        self._versions = Versions(root / "versions", keys)
        self._history = Chain(root / "history", keys, use_case=use_case, kind=Event)

    def is_empty(self) -> bool:
        """Nothing was ever promoted here, and no promotion was begun."""
        return not self._versions.names() and not any(self._history.folder.glob("*.json"))

    def history(self) -> list[Event]:
        """All events, oldest first.

        Raises:
            RegistryError: an event is missing, changed, out of place or of an unknown signer; names it.
        """
        # Before the events, because an event is made before its receipt, and before anything else can name it.
        receipts, witnesses = self._versions.receipts(), self._witnesses()
        events = self._history.read()
        lost = sorted(number for number in receipts if number > len(events))
        if lost:
            raise RegistryError(
                f"history/{file_name(lost[0])}: missing, but {receipts[lost[0]]} has the receipt that it was made. "
                "Restore history/ from a backup; without it nobody can say which version is in force."
            )
        require_witnessed(events, witnesses)
        return events

    def champion(self, as_of: date | None = None) -> Event | None:
        """The event in force: the newest, or the newest whose version was trained for this date or an earlier one.

        None where nothing was promoted yet, or nothing for so early a date; a lost history is a RegistryError.
        """
        events = [event for event in self.history() if as_of is None or event.as_of <= as_of]
        return events[-1] if events else None

    def open(self, version: str) -> Bundle:
        """The content of a version, verified before anything is returned.

        Raises:
            RegistryError: no such version, or it is not, byte for byte, what was promoted.
        """
        return self._open(version, self.history())

    def bundles(self) -> Iterator[tuple[Event, Bundle | None]]:
        """Each version by the event that made it, oldest first; None where the bundle does not verify.

        Raises:
            RegistryError: the history is broken.
        """
        for event in first_events(self.history()):
            try:
                bundle = self._versions.open(event.version, digest=event.bundle_digest)
            except RegistryError:
                yield event, None
            else:
                yield event, bundle

    def in_every(self, name: str) -> Iterator[bytes]:
        """One file of each version that has it as it was promoted, oldest first; no other file of a bundle is read.

        Raises:
            RegistryError: the history is broken.
        """
        for event in first_events(self.history()):
            with suppress(RegistryError):
                yield self._versions.read_one(event.version, name, digest=event.bundle_digest)

    def promote(
        self,
        files: Mapping[str, bytes],
        *,
        as_of: date,
        candidate_digest: str,
        decision_digest: str,
        refit_digest: str | None = None,
        actor: str,
        reason: str,
        at: datetime,
        replace_lost: bool = False,
        before: Callable[[], None] = lambda: None,
    ) -> Promotion:
        """Put a candidate in force: from the instant its event exists, and not a moment before.

        Args:
            files: the bundle: relative names and bytes; model.joblib and lineage.json at least.
            as_of: the scoring date the candidate was trained for.
            refit_digest: of the model that serves, where it is not the candidate's own.
            at: when, as an aware datetime; kept in UTC.
            replace_lost: the champion's bundle is lost or broken and this candidate takes its place.
            before: called while nobody else can change what is in force; an error it raises changes nothing.

        Raises:
            RegistryError: the history or the champion is broken, or replace_lost is set while nothing is lost.
        """
        with one_writer(self.root):
            events = self.history()
            self._versions.tidy(events)
            before()
            self._check_champion(events, is_lost=replace_lost)
            settled = settle(events, as_of=as_of, candidate_digest=candidate_digest, replace_lost=replace_lost)
            if settled is not None:
                return settled
            event = next_link(
                Event,
                events,
                use_case=self._use_case,
                kind="replace_lost" if replace_lost else "promote",
                version=self._versions.next_name(events),
                as_of=as_of,
                bundle_digest=digest_files(files),
                candidate_digest=candidate_digest,
                decision_digest=decision_digest,
                refit_digest=refit_digest,
                actor=actor,
                reason=reason,
                at=at,
            )
            self._versions.add(event.version, files, digest=event.bundle_digest)
            self._record(event)
            return Promotion("promoted", event)

    def rollback(self, to: str | None, *, reason: str, actor: str, at: datetime) -> Event:
        """Put an earlier version back in force: `to`, or the one before the champion (see way_back).

        A machine whose clock was ahead does not hold it up: the event is then dated as the one before it, and says so.

        Raises:
            RegistryError: nothing to go back to, an unknown or the current version, no reason, or a broken target.
        """
        with one_writer(self.root):
            events = self.history()
            self._versions.tidy(events)
            stack = way_back(events)
            if to is None and len(stack) < 2:
                raise RegistryError("No version was in force before this one. Name one with `rollback --to VERSION`.")
            target = stack[-2] if to is None else made_by(events, to)
            if target.version == events[-1].version:
                raise RegistryError(f"{target.version} is in force already; a rollback to it would change nothing.")
            self._open(target.version, events)
            at, reason = dated_all_the_same(events, at, reason)
            event = next_link(
                Event,
                events,
                use_case=self._use_case,
                kind="rollback",
                actor=actor,
                reason=reason,
                at=at,
                **target.model_dump(include=OF_VERSION),
            )
            self._record(event)
            return event

    def verify(self) -> list[Verified]:
        """The history first, then every version: reports what is broken and does not raise for it."""
        try:
            events = self.history()
        except RegistryError as error:
            unknown = "not checked: the history, which holds its digest, is broken."
            return [Verified("history", str(error)), *(Verified(name, unknown) for name in self._versions.names())]
        found = {event.version: self._status(event.version, events) for event in first_events(events)}
        found |= dict.fromkeys(
            self._versions.orphans(events),
            "never in force: an interrupted promotion left it, or its event and its receipt were deleted. "
            "The next promotion or rollback removes it.",
        )
        return [Verified("history", OK), *(Verified(name, found[name]) for name in sorted(found, key=number_of))]

    def _open(self, version: str, events: list[Event]) -> Bundle:
        return self._versions.open(version, digest=made_by(events, version).bundle_digest)

    def _status(self, version: str, events: list[Event]) -> str:
        try:
            self._open(version, events)
        except RegistryError as error:
            return str(error)
        return OK

    def _check_champion(self, events: list[Event], *, is_lost: bool) -> None:
        """Return if the champion is as the caller says: whole (or none was ever there), or lost."""
        status = self._status(events[-1].version, events) if events else OK
        if is_lost and status == OK:
            raise RegistryError("No champion is lost or broken. Promote without --replace-lost.")
        if not is_lost and status != OK:
            raise RegistryError(f"The champion is lost or broken; nothing was promoted. {status}")

    def _record(self, event: Event) -> None:
        self._history.append(event)
        self._versions.leave_receipt(event)
