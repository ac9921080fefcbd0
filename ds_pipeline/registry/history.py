"""The history of promotions: numbered, chained, signed events, one file each, never changed after they are made.

The newest event is the champion. There is no second pointer that could disagree with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from ds_pipeline.errors import RegistryError
from ds_pipeline.store.chain import Grown, Link, Text


class Event(Grown, Link):
    """One change of what is in force.

    Attributes:
        version: what is in force from here on.
        as_of: the scoring date the version was trained for; with its digests it repeats at a rollback.
        refit_digest: of the model that serves, where it was fitted again after the candidate was judged.
    """

    since = frozenset({"refit_digest"})

    kind: Literal["promote", "rollback", "replace_lost"]
    version: Annotated[str, Field(pattern=r"^v\d{4,}$")]
    as_of: date
    bundle_digest: Text
    candidate_digest: Text
    decision_digest: Text
    refit_digest: Text | None = None


def made_by(events: Sequence[Event], version: str) -> Event:
    """The event that first put a version in force; RegistryError where there is none."""
    for event in events:
        if event.version == version:
            return event
    known = ", ".join(sorted({event.version for event in events})) or "none"
    raise RegistryError(f"{version}: no such version. Known: {known}.")


def first_events(events: Sequence[Event]) -> list[Event]:
    """The event that first put each version in force, in the order of the versions."""
    first: dict[str, Event] = {}
    for event in events:
        first.setdefault(event.version, event)
    return list(first.values())


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
