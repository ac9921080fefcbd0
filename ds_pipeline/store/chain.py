"""Numbered, chained, signed events, one file each, never changed after they are made: the history of something.

What an event says, and what follows from it, is the caller's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import AwareDatetime, Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from ds_pipeline.digests import canonical_json, digest_json
from ds_pipeline.errors import RegistryError
from ds_pipeline.store.index import Signer
from ds_pipeline.store.snapshots import write_file
from ds_pipeline.use_case.model import FileModel

Text = Annotated[str, Field(min_length=1)]


class Grown(FileModel):
    """What was signed before it had all its fields.

    Attributes:
        since: fields that old ones have not got; their digest and signature are of the text without them.
    """

    since: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _as_it_was_signed(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        said: dict[str, Any] = dump(self)
        return {name: value for name, value in said.items() if name not in self.since or value is not None}


class Link(FileModel):
    """What every event of a chain says.

    Attributes:
        use_case: whose history it is; the keys are shared, so a signature alone does not say it.
        number: 1, 2, 3 and so on, without gaps.
        at: UTC instant, given by the caller; never before that of the event before.
        previous: digest of the event before; None for the first.
    """

    use_case: Text
    number: Annotated[int, Field(ge=1)]
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


Event = TypeVar("Event", bound=Link)


class Signed(FileModel, Generic[Event]):
    """The content of one file."""

    event: Event
    signature: str


class Chain(Generic[Event]):
    """The events of one use case in one folder."""

    def __init__(self, folder: Path, keys: Signer, *, use_case: str, kind: type[Event]) -> None:
        self.folder = folder
        self.keys = keys
        self.use_case = use_case
        self._signed: type[Signed[Event]] = Signed[kind]  # type: ignore[valid-type]

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
                    f"{self._shown(file_name(number))}: expected this event, found {name}. "
                    f"Events have no gaps and are never removed. {self._way_out}"
                )
            event = self._read_event(number)
            if event.use_case != self.use_case:
                raise RegistryError(
                    f"{self._shown(name)}: an event of {event.use_case}, in the registry of {self.use_case}. "
                    f"{self._way_out}"
                )
            expected = events[-1].digest if events else None
            if event.number != number or event.previous != expected:
                raise RegistryError(
                    f"{self._shown(name)}: it does not follow the event before it: one of the two was replaced. "
                    f"{self._way_out}"
                )
            if events and event.at < events[-1].at:
                raise RegistryError(
                    f"{self._shown(name)}: dated {_instant(event.at)}, before the event that it follows "
                    f"({_instant(events[-1].at)}): time in a history never runs back. {self._way_out}"
                )
            events.append(event)
        return events

    def append(self, event: Event) -> None:
        """Make the event that now is the newest.

        Raises:
            RegistryError: another process made an event with this number first.
        """
        signed = self._signed(event=event, signature=self.keys.sign(event.content))
        name = file_name(event.number)
        try:
            write_file(self.folder / name, canonical_json(signed.model_dump(mode="json")), replace=False)
        except FileExistsError as error:
            raise RegistryError(f"{self._shown(name)}: another process made this event first. Run it again.") from error

    def _read_event(self, number: int) -> Event:
        what = self._shown(file_name(number))
        content = (self.folder / file_name(number)).read_bytes()
        try:
            signed = self._signed.model_validate_json(content)
        except ValidationError as error:
            raise RegistryError(f"{what}: damaged, it is not an event. {self._way_out}") from error
        if canonical_json(signed.model_dump(mode="json")) != content:
            raise RegistryError(f"{what}: changed after it was made. {self._way_out}")
        self.keys.verify(signed.event.content, signed.signature, what=what)
        return signed.event

    def _shown(self, name: str) -> str:
        return f"{self.folder.name}/{name}"

    @property
    def _way_out(self) -> str:
        return f"Restore {self.folder.name}/ from a backup."


def file_name(number: int) -> str:
    return f"{number:06d}.json"


def next_link(kind: type[Event], events: Sequence[Event], /, *, at: datetime, **fields: Any) -> Event:
    """The event that follows these, not yet made.

    Raises:
        RegistryError: a field is empty or wrong, and is named; or the event is dated before the one that it follows.
    """
    texts = {name: value.strip() if isinstance(value, str) else value for name, value in fields.items()}
    previous = events[-1].digest if events else None
    try:
        event = kind.model_validate({"number": len(events) + 1, "previous": previous, "at": at, **texts})
    except ValidationError as error:
        wrong = ", ".join(sorted({str(part["loc"][0]) for part in error.errors()}))
        raise RegistryError(f"Nothing was changed; missing, empty or not valid: {wrong}.") from error
    require_later(events, event.at)
    return event.model_copy(update={"at": event.at.astimezone(UTC)})


def require_later(events: Sequence[Link], at: datetime) -> None:
    """Raise RegistryError if an event of this instant would be dated before the one that it follows."""
    if events and at < events[-1].at:
        raise RegistryError(
            f"Nothing was changed: {_instant(at)} is before the last event, which is of {_instant(events[-1].at)}. "
            "Time in a history never runs back: set the clock of this machine right. Where it is right, and was ahead "
            "when that event was made: rollback works all the same, the rest waits (docs/runbooks/registry.md)."
        )


def not_before(events: Sequence[Link], at: datetime) -> datetime:
    """The instant of an event that no clock may hold up: that of the last one, if that was dated later."""
    return max([at, *(event.at for event in events[-1:])])


def dated_all_the_same(events: Sequence[Link], at: datetime, reason: str) -> tuple[datetime, str]:
    """Instant, from not_before, and reason of an event; where the clock said another instant, the reason says it."""
    dated = not_before(events, at)
    if dated == at or not reason.strip():
        return dated, reason
    return dated, f"{reason.strip()} (dated as the event before it; the clock said {_instant(at)})"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
