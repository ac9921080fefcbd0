"""The history of promotions: numbered, chained, signed events, one file each, never changed after they are made.

The newest event is the champion. There is no second pointer that could disagree with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, ValidationError

from ds_pipeline.digests import canonical_json, digest_json
from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.signing import SigningKeys
from ds_pipeline.store import write_file
from ds_pipeline.use_case.model import FileModel

Text = Annotated[str, Field(min_length=1)]


class Event(FileModel):
    """One change of what is in force.

    Attributes:
        use_case: whose history it is; the keys are shared, so a signature alone does not say it.
        number: 1, 2, 3 and so on, without gaps.
        version: what is in force from here on.
        as_of: the scoring date the version was trained for; with its digests it repeats at a rollback.
        at: UTC instant, given by the caller.
        previous: digest of the event before; None for the first.
    """

    use_case: Text
    number: Annotated[int, Field(ge=1)]
    kind: Literal["promote", "rollback", "replace_lost"]
    version: Annotated[str, Field(pattern=r"^v\d{4,}$")]
    as_of: date
    bundle_digest: Text
    candidate_digest: Text
    decision_digest: Text
    actor: Text
    reason: Text
    at: AwareDatetime
    previous: str | None

    @property
    def content(self) -> bytes:
        """What is signed."""
        return canonical_json(self.model_dump(mode="json"))

    @property
    def digest(self) -> str:
        return digest_json(self.model_dump(mode="json"))


class SignedEvent(FileModel):
    """The content of one file of the history."""

    event: Event
    signature: str


class History:
    """The events of one use case in one folder."""

    def __init__(self, folder: Path, keys: SigningKeys, *, use_case: str) -> None:
        self.folder = folder
        self.keys = keys
        self.use_case = use_case

    def read(self) -> list[Event]:
        """All events, oldest first, after numbering, chain and every signature were checked.

        Raises:
            RegistryError: an event is missing, damaged, changed, out of place or of an unknown signer; names it.
        """
        events: list[Event] = []
        found = sorted(path.name for path in self.folder.glob("*.json"))
        for number, name in enumerate(found, start=1):
            if name != file_name(number):
                raise RegistryError(
                    f"history/{file_name(number)}: expected this event, found {name}. "
                    "Events have no gaps and are never removed. Restore history/ from a backup."
                )
            event = self._read_event(number)
            if event.use_case != self.use_case:
                raise RegistryError(
                    f"history/{name}: an event of {event.use_case}, in the registry of {self.use_case}. "
                    "Restore history/ from a backup."
                )
            expected = events[-1].digest if events else None
            if event.number != number or event.previous != expected:
                raise RegistryError(
                    f"history/{name}: it does not follow the event before it: one of the two was replaced. "
                    "Restore history/ from a backup."
                )
            events.append(event)
        return events

    def append(self, event: Event) -> None:
        """Make the event that now is the newest.

        Raises:
            RegistryError: another process made an event with this number first.
        """
        signed = SignedEvent(event=event, signature=self.keys.sign(event.content))
        name = file_name(event.number)
        try:
            write_file(self.folder / name, canonical_json(signed.model_dump(mode="json")), replace=False)
        except FileExistsError as error:
            raise RegistryError(f"history/{name}: another process made this event first. Run it again.") from error

    def _read_event(self, number: int) -> Event:
        what = f"history/{file_name(number)}"
        content = (self.folder / file_name(number)).read_bytes()
        try:
            signed = SignedEvent.model_validate_json(content)
        except ValidationError as error:
            raise RegistryError(f"{what}: damaged, it is not an event. Restore history/ from a backup.") from error
        if canonical_json(signed.model_dump(mode="json")) != content:
            raise RegistryError(f"{what}: changed after it was made. Restore history/ from a backup.")
        self.keys.verify(signed.event.content, signed.signature, what=what)
        return signed.event


def file_name(number: int) -> str:
    return f"{number:06d}.json"


def next_event(events: Sequence[Event], *, at: datetime, **fields: Any) -> Event:
    """The event that follows these, not yet made; RegistryError names the fields that are empty or wrong."""
    texts = {name: value.strip() if isinstance(value, str) else value for name, value in fields.items()}
    previous = events[-1].digest if events else None
    try:
        event = Event.model_validate({"number": len(events) + 1, "previous": previous, "at": at, **texts})
    except ValidationError as error:
        wrong = ", ".join(sorted({str(part["loc"][0]) for part in error.errors()}))
        raise RegistryError(f"Nothing was changed; missing, empty or not valid: {wrong}.") from error
    return event.model_copy(update={"at": event.at.astimezone(UTC)})


def made_by(events: Sequence[Event], version: str) -> Event:
    """The event that first put a version in force; RegistryError where there is none."""
    for event in events:
        if event.version == version:
            return event
    known = ", ".join(sorted({event.version for event in events})) or "none"
    raise RegistryError(f"{version}: no such version. Known: {known}.")


def way_back(events: Sequence[Event]) -> list[Event]:
    """The versions a rollback can walk down, oldest first, the one in force last; each is older than the next.

    A promotion goes on top; a replaced version was lost and comes off. A rollback takes off everything newer than its
    target, so a version that was rolled back from is not offered again: v1 v2 v3, back to v2, then v4: below v4 is v2.
    """
    stack: list[Event] = []
    made: dict[str, int] = {}
    for event in events:
        made.setdefault(event.version, event.number)
        if event.kind == "rollback":
            stack = [below for below in stack if made[below.version] < made[event.version]]
        elif event.kind == "replace_lost":
            stack = stack[:-1]
        stack.append(event)
    return stack
