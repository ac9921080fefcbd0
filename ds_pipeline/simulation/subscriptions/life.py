"""The lives of a block of subscribers: sign-up, plans, moods, cancelling, coming back; week by week, all at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ds_pipeline.simulation.subscriptions.hazard import (
    CANCEL_RATE,
    CONTENT,
    LEAVING,
    MOVES,
    SWITCH_RATE,
    Risk,
    cancel_within_horizon,
    draw_risk,
    next_mood,
)
from ds_pipeline.simulation.subscriptions.timeline import DAY, HORIZON_WEEKS, WEEK, Bools, Floats, Ints, Timeline

NOT_YET, FREE, MONTHLY, ANNUAL, CANCELLED = range(5)  # where a subscriber stands
PLANS = {FREE: "free", MONTHLY: "monthly", ANNUAL: "annual"}
PLAN_SHARES = (0.14, 0.74, 0.12)  # at sign-up, in that order
CONVERSION = 0.010  # free to monthly, per week
COMING_BACK = 0.012  # after cancelling, per week, from the third week on
RENEWAL_LOSS = 0.2  # annual subscribers who cancel when the year is over
RECONCILED = 0.2  # of the free and annual users who would leave if they had to pay by the month, per week
CAMPAIGN_SHARE = 0.012  # of the consenting, per week, drawn by lot: a pilot, so that its effect can be measured
CONSENT_SHARE = 0.82
PAST_WEEKS = 150  # the longest that someone is subscribed before the first Monday


@dataclass(frozen=True)
class Life:
    """What happened to a block of subscribers.

    Attributes:
        wave: which price rise each is in.
        consents: to e-mails that are not about the contract.
        signed_up: seconds.
        standing, mood: at the beginning of each week and in it (subscribers x weeks).
        campaign: whether a retention e-mail is planned for the week, for who consents (same shape).
        probability: the true probability to cancel within 30 days of each Monday; 0 who is not on the monthly plan.
        who, when, becomes: the changes, by subscriber and time: to FREE, MONTHLY, ANNUAL or CANCELLED.
        spell: for each change, how many subscriptions the subscriber has had before.
    """

    wave: Ints
    consents: Bools
    signed_up: Ints
    standing: Ints
    mood: Ints
    campaign: Bools
    probability: Floats
    who: Ints
    when: Ints
    becomes: Ints
    spell: Ints

    def until(self, end: int) -> Ints:
        """When each change is followed by the next one of the same subscriber, or the end of the simulation."""
        following = np.append(self.when[1:], end)
        is_last = np.append(self.who[1:] != self.who[:-1], True)
        return np.where(is_last, end, following)


def live(rng: np.random.Generator, timeline: Timeline, *, wave: Ints) -> Life:
    """Let a block of subscribers live through the weeks."""
    count, weeks = len(wave), timeline.weeks
    consents = rng.random(count) < CONSENT_SHARE
    campaign = (rng.random((count, weeks + HORIZON_WEEKS)) < CAMPAIGN_SHARE) & consents[:, None]
    risk = draw_risk(rng, timeline, wave=wave, campaign=campaign)
    signed_up, plan = _sign_ups(rng, timeline, count)
    walk = _Walk(rng, timeline, risk, signed_up, plan)
    for week in range(weeks):
        walk.step(week)
    who, when, becomes = (np.concatenate(part) for part in zip(*walk.changes, strict=True))
    order = np.lexsort((when, who))
    who, when, becomes = who[order], when[order], becomes[order]
    return Life(
        wave=wave,
        consents=consents,
        signed_up=signed_up,
        standing=walk.standings,
        mood=walk.moods,
        campaign=campaign[:, :weeks],
        probability=walk.probability,
        who=who,
        when=when,
        becomes=becomes,
        spell=_spells(who, becomes),
    )


def _sign_ups(rng: np.random.Generator, timeline: Timeline, count: int) -> tuple[Ints, Ints]:
    """When each signs up (seconds) and for which plan. Of two years' subscribers about half are there at the start."""
    is_old = rng.random(count) < 1 / (1 + timeline.weeks / 104)
    past = -rng.beta(0.9, 1.6, count) * PAST_WEEKS * WEEK
    later = rng.random(count) * timeline.seconds
    plan = np.searchsorted(np.cumsum(PLAN_SHARES), rng.random(count) * sum(PLAN_SHARES)).clip(max=2) + FREE
    return np.where(is_old, past - DAY, later).astype(np.int64), plan


def _spells(who: Ints, becomes: Ints) -> Ints:
    """The number of each change's subscription: who returns after a cancellation begins another one."""
    first = np.append(True, who[1:] != who[:-1])
    returns = np.append(False, (becomes[:-1] == CANCELLED) & (who[1:] == who[:-1]))
    counted = np.cumsum(returns)
    starts = np.flatnonzero(first)
    return counted - np.repeat(counted[starts], np.diff(np.append(starts, len(who))))


class _Walk:
    """The state of a block from week to week; all draws are made before the first."""

    def __init__(self, rng: np.random.Generator, timeline: Timeline, risk: Risk, signed_up: Ints, plan: Ints) -> None:
        count, weeks = len(signed_up), timeline.weeks
        self.risk, self.signed_up, self.plan = risk, signed_up, plan
        self.chance_mood, self.chance_kind, self.chance_other, self.clock = rng.random((4, count, weeks))
        self.waiting = rng.exponential(size=(count, weeks))
        is_old = signed_up < 0
        self.standing = np.where(is_old, plan, NOT_YET)
        self.mood = np.where(is_old, rng.choice(len(MOVES), count, p=_settled()), CONTENT)
        self.since = signed_up // WEEK  # week of the newest change
        self.standings = np.zeros((count, weeks), dtype=np.int64)
        self.moods = np.zeros((count, weeks), dtype=np.int64)
        self.probability = np.zeros((count, weeks))
        self.changes = [(np.flatnonzero(is_old), signed_up[is_old], plan[is_old])]

    def step(self, week: int) -> None:
        """One week: the truth at its Monday, then the moods, then what people do."""
        monthly = self.standing == MONTHLY
        truth = cancel_within_horizon(self.risk, week, self.mood, self.since)
        self.probability[:, week] = np.where(monthly, truth, 0.0)
        self.mood = next_mood(self.mood, self.chance_mood[:, week])
        # Who has no month to cancel gets over it; otherwise the free and the annual plan would fill with them.
        stays = ~monthly & (self.mood == LEAVING) & (self.chance_kind[:, week] < RECONCILED)
        self.mood = np.where(stays, CONTENT, self.mood)
        self.standings[:, week], self.moods[:, week] = self.standing, self.mood

        cancel = self.risk.at(week, self.since) * CANCEL_RATE[self.mood]
        either = cancel + SWITCH_RATE[self.mood]
        wait = self.waiting[:, week] / either
        acts = monthly & (wait < 1)
        cancels = acts & (self.chance_kind[:, week] < cancel / either)
        moment = week * WEEK + np.where(acts, wait, self.clock[:, week]) * WEEK
        other = self.chance_other[:, week]
        rests = week - self.since
        ends_year = (self.standing == ANNUAL) & (rests > 0) & (rests % 52 == 0) & (other < RENEWAL_LOSS)
        converts = (self.standing == FREE) & (rests > 0) & (other < CONVERSION)
        returns = (self.standing == CANCELLED) & (rests >= 3) & (other < COMING_BACK)
        arrives = (self.standing == NOT_YET) & (self.signed_up // WEEK == week)
        moment = np.where(arrives, self.signed_up, moment).astype(np.int64)
        self._change(cancels | ends_year, moment, np.full_like(self.plan, CANCELLED), week)
        self._change(acts & ~cancels, moment, np.full_like(self.plan, ANNUAL), week)
        self._change(converts | returns, moment, np.full_like(self.plan, MONTHLY), week)
        self._change(arrives, moment, self.plan, week)
        self.mood = np.where(arrives | converts | returns, CONTENT, self.mood)

    def _change(self, mask: Bools, moment: Ints, becomes: Ints, week: int) -> None:
        self.changes.append((np.flatnonzero(mask), moment[mask], becomes[mask]))
        self.standing = np.where(mask, becomes, self.standing)
        self.since = np.where(mask, week, self.since)


def _settled() -> Floats:
    """The moods of those who are subscribed already, as many weeks of staying subscribed leave them."""
    share = np.eye(len(MOVES))[CONTENT]
    for _ in range(60):
        share = share @ MOVES * np.exp(-CANCEL_RATE)
        share /= share.sum()
    return share
