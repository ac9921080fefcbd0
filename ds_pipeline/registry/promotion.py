"""Whether a candidate that passed its gates is put in force: once, never backwards, never a second time.

A refusal is a value with a reason, not an error; nothing is written for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from ds_pipeline.registry.history import Event


@dataclass(frozen=True)
class Promotion:
    """What a promotion came to.

    Attributes:
        champion: the event in force afterwards.
        reason: one sentence for a person; empty where the outcome is promoted.
    """

    outcome: Literal["promoted", "already champion", "refused"]
    champion: Event
    reason: str = ""


def settle(events: Sequence[Event], *, as_of: date, candidate_digest: str, replace_lost: bool) -> Promotion | None:
    """What a promotion comes to without a new event, or None where the candidate is to be put in force."""
    if not events:
        return None
    champion = events[-1]
    if candidate_digest == champion.candidate_digest:
        reason = f"{champion.version} is this very candidate and is in force."
        return None if replace_lost else Promotion("already champion", champion, reason=reason)
    before = [event.version for event in events if event.candidate_digest == candidate_digest]
    if before:
        reason = (
            f"{before[-1]} is this very candidate; it was in force before {champion.version} and is not any more. "
            f"Only `ds-pipeline rollback --to {before[-1]} --reason ...` brings it back."
        )
        return Promotion("refused", champion, reason)
    if as_of < champion.as_of:
        reason = (
            f"The candidate is of {as_of}, the champion {champion.version} of {champion.as_of}. A promotion never goes "
            "back: train a newer candidate, or go back with `ds-pipeline rollback`."
        )
        return Promotion("refused", champion, reason)
    return None
