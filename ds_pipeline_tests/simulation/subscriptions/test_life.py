"""Claims about lives: what follows what, and that the weeks agree with the changes."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from ds_pipeline.simulation.subscriptions import life as module
from ds_pipeline.simulation.subscriptions.hazard import CANCEL_RATE, CONTENT, LEAVING, MOVES
from ds_pipeline.simulation.subscriptions.life import ANNUAL, CANCELLED, FREE, MONTHLY, NOT_YET, Life, live
from ds_pipeline.simulation.subscriptions.timeline import WEEK, Timeline

SHORT = Timeline(30)
PEOPLE = 400


def lived(seed: int = 1) -> Life:
    return live(np.random.default_rng(seed), SHORT, wave=np.arange(PEOPLE) % 2)


@pytest.fixture(scope="module")
def life() -> Life:
    return lived()


def changes_of(life: Life, person: int) -> list[tuple[int, int]]:
    rows = np.flatnonzero(life.who == person)
    return list(zip(life.when[rows].tolist(), life.becomes[rows].tolist(), strict=True))


def test_the_same_seed_lives_the_same_lives_and_another_one_does_not(life: Life) -> None:
    again, other = lived(), lived(seed=2)

    assert all(np.array_equal(getattr(life, part.name), getattr(again, part.name)) for part in fields(Life))
    assert not np.array_equal(life.standing, other.standing)


def test_changes_are_ordered_by_person_and_time_and_begin_with_the_sign_up(life: Life) -> None:
    for person in range(PEOPLE):
        changes = changes_of(life, person)
        assert [when for when, _ in changes] == sorted(when for when, _ in changes)
        assert changes[0][0] == life.signed_up[person]
        assert changes[0][1] in (FREE, MONTHLY, ANNUAL)
    assert (np.diff(life.who) >= 0).all()


def test_where_one_stands_on_a_monday_is_the_newest_change_before_it(life: Life) -> None:
    for person in range(PEOPLE):
        for week in range(SHORT.weeks):
            before = [becomes for when, becomes in changes_of(life, person) if when < week * WEEK]
            assert life.standing[person, week] == (before[-1] if before else NOT_YET)


def test_a_change_leads_only_where_it_can(life: Life) -> None:
    steps = {
        (before, after)
        for person in range(PEOPLE)
        for (_, before), (_, after) in zip(changes_of(life, person), changes_of(life, person)[1:], strict=False)
    }

    assert steps <= {
        (FREE, MONTHLY),
        (MONTHLY, ANNUAL),
        (MONTHLY, CANCELLED),
        (ANNUAL, CANCELLED),
        (CANCELLED, MONTHLY),
    }
    assert {(MONTHLY, CANCELLED), (CANCELLED, MONTHLY)} <= steps


def test_whoever_comes_back_was_gone_for_over_two_weeks(life: Life) -> None:
    gaps = [
        back - gone
        for person in range(PEOPLE)
        for (gone, before), (back, _) in zip(changes_of(life, person), changes_of(life, person)[1:], strict=False)
        if before == CANCELLED
    ]

    assert gaps
    assert min(gaps) > 2 * WEEK


def test_only_monthly_subscribers_have_a_probability_to_cancel(life: Life) -> None:
    monthly = life.standing == MONTHLY

    assert ((life.probability > 0) == monthly).all()
    assert life.probability.max() < 1


def test_only_who_consents_is_in_the_campaign(life: Life) -> None:
    assert life.campaign.shape == (PEOPLE, SHORT.weeks)
    assert life.campaign[life.consents].any()
    assert not life.campaign[~life.consents].any()


def test_a_change_lasts_to_the_next_one_of_the_same_person_or_to_the_end() -> None:
    nothing = np.zeros(2, np.int64)
    life = Life(
        wave=nothing, consents=nothing > 0, signed_up=nothing, standing=nothing, mood=nothing, campaign=nothing > 0,
        probability=nothing * 0.0, who=np.array([0, 0, 1, 3]), when=np.array([-5, 10, 4, 7]),
        becomes=np.array([MONTHLY, CANCELLED, FREE, FREE]), spell=np.zeros(4, np.int64),
    )  # fmt: skip

    assert life.until(100).tolist() == [10, 100, 100, 100]


def test_who_returns_after_a_cancellation_begins_another_subscription() -> None:
    who = np.array([0, 0, 0, 0, 0, 1, 1, 2])
    becomes = np.array([FREE, MONTHLY, CANCELLED, MONTHLY, ANNUAL, MONTHLY, CANCELLED, MONTHLY])

    assert module._spells(who, becomes).tolist() == [0, 0, 0, 1, 1, 0, 0, 0]


def test_the_moods_of_those_who_are_there_already_are_a_steady_state() -> None:
    share = module._settled()
    after = share @ MOVES * np.exp(-CANCEL_RATE)

    assert share.sum() == pytest.approx(1)
    assert after / after.sum() == pytest.approx(share, abs=1e-4)
    assert share[CONTENT] > 0.5 > share[LEAVING] > 0
