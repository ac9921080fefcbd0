"""What a promotion comes to, by the history alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ds_pipeline.registry.history import Event
from ds_pipeline.registry.promotion import settle
from ds_pipeline.store.chain import next_link

WEEK = date(2011, 12, 5)


def history(*entries: tuple[str, int, str]) -> list[Event]:
    """Events of (version, weeks after the first, candidate)."""
    events: list[Event] = []
    for version, week, candidate in entries:
        events.append(
            next_link(
 Event,
                events, at=datetime(2011, 12, 5, tzinfo=UTC), use_case="mini", kind="promote", version=version,
                as_of=WEEK + timedelta(weeks=week), bundle_digest="b", candidate_digest=candidate,
                decision_digest="d", actor="ann", reason="a test",
            )
        )  # fmt: skip
    return events


TWO = history(("v0001", 0, "first"), ("v0002", 2, "second"))


@pytest.mark.parametrize("week", [2, 3], ids=["same-date", "newer"])
def test_a_new_candidate_that_is_not_older_is_put_in_force(week: int) -> None:
    assert settle(TWO, as_of=WEEK + timedelta(weeks=week), candidate_digest="third", replace_lost=False) is None


def test_the_first_candidate_of_all_is_put_in_force() -> None:
    assert settle([], as_of=WEEK, candidate_digest="first", replace_lost=False) is None


def test_the_champion_itself_is_there_already_unless_it_is_lost() -> None:
    settled = settle(TWO, as_of=WEEK + timedelta(weeks=2), candidate_digest="second", replace_lost=False)

    assert settled is not None
    assert (settled.outcome, settled.champion) == ("already champion", TWO[-1])
    assert settled.reason == "v0002 is this very candidate and is in force."
    assert settle(TWO, as_of=WEEK, candidate_digest="second", replace_lost=True) is None


@pytest.mark.parametrize("replace_lost", [False, True])
def test_an_older_candidate_is_refused_even_in_place_of_a_lost_one(replace_lost: bool) -> None:
    settled = settle(TWO, as_of=WEEK + timedelta(weeks=1), candidate_digest="third", replace_lost=replace_lost)

    assert settled is not None
    assert (settled.outcome, settled.champion) == ("refused", TWO[-1])
    assert "A promotion never goes back" in settled.reason
    assert "of 2011-12-12, the champion v0002 of 2011-12-19" in settled.reason


def test_a_candidate_that_was_in_force_before_comes_back_by_rollback_only() -> None:
    events = history(("v0001", 0, "first"), ("v0002", 1, "second"), ("v0003", 2, "first"), ("v0004", 3, "third"))

    settled = settle(events, as_of=WEEK + timedelta(weeks=9), candidate_digest="first", replace_lost=False)

    assert settled is not None
    assert settled.outcome == "refused"
    assert "v0003 is this very candidate; it was in force before v0004" in settled.reason
    assert "rollback --to v0003" in settled.reason
