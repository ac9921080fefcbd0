"""The true hazard: who cancels when, and the exact probability of it within 30 days.

Each subscriber is in one of five moods, which move from week to week by a Markov chain. Mood drives what can be seen
(usage, tickets, failed payments, opened e-mails; see behaviour.py) and the rate of cancelling. That rate also depends
on what is on record (tenure, season, price, campaign) and on a frailty and a price sensitivity that nobody can see.
Age and gender are not in here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ds_pipeline.simulation.subscriptions.timeline import (
    HORIZON,
    HORIZON_WEEKS,
    NOTICE_WEEKS,
    WEEK,
    Bools,
    Floats,
    Ints,
    Timeline,
)

CONTENT, COOLING, ANNOYED, FADING, LEAVING = range(5)
MOODS = 5
# From the mood of one week (row) to that of the next.
MOVES = np.array(
    [
        [0.961, 0.018, 0.007, 0.014, 0.000],
        [0.140, 0.810, 0.010, 0.040, 0.000],
        [0.150, 0.050, 0.650, 0.150, 0.000],
        [0.020, 0.020, 0.000, 0.790, 0.170],
        [0.010, 0.020, 0.000, 0.000, 0.970],
    ]
)
CANCEL_RATE = np.array([0.0005, 0.0012, 0.0050, 0.0120, 0.2400])  # per week, before the multipliers
SWITCH_RATE = np.array([0.0015, 0.0008, 0.0002, 0.0001, 0.0000])  # to the annual plan, which ends the risk
FRAILTY_SIGMA = 0.2  # of the logarithm; unobserved
SENSITIVITY_SIGMA = 0.4  # to a price rise; unobserved
CAMPAIGN_EFFECT = 0.7  # on the hazard, in the weeks after a retention e-mail
CAMPAIGN_WEEKS = 4


@dataclass(frozen=True)
class Risk:
    """What multiplies the rates of each subscriber, as far ahead as a label looks.

    Attributes:
        fixed: frailty, season and campaign (subscribers x weeks + HORIZON_WEEKS).
        price: the effect of the subscriber's price rise, for who paid the old price (same shape).
        rise_week: the week of that price rise (subscribers).
    """

    fixed: Floats
    price: Floats
    rise_week: Ints

    def at(self, week: int, paid_since: Ints) -> Floats:
        """The multiplier of the cancel rate in one week, for subscribers who have paid since the given weeks."""
        tenure = week - paid_since
        by_tenure = np.where(tenure < 8, 1.4, np.where(tenure < 52, 1.0, 0.8))
        return self.fixed[:, week] * by_tenure * np.where(paid_since < self.rise_week, self.price[:, week], 1.0)


def draw_risk(rng: np.random.Generator, timeline: Timeline, *, wave: Ints, campaign: Bools) -> Risk:
    """Draw what cannot be seen, and lay out what is planned.

    Args:
        wave: which of the price rises each subscriber is in.
        campaign: whether the subscriber gets a retention e-mail in a week (subscribers x weeks + HORIZON_WEEKS).
    """
    weeks = timeline.weeks + HORIZON_WEEKS
    frailty = np.exp(rng.normal(-(FRAILTY_SIGMA**2) / 2, FRAILTY_SIGMA, len(wave)))
    sensitivity = np.exp(rng.normal(0.0, SENSITIVITY_SIGMA, len(wave)))
    protected = np.zeros(campaign.shape, dtype=bool)
    for delay in range(1, CAMPAIGN_WEEKS + 1):
        protected[:, delay:] |= campaign[:, :-delay]
    fixed = frailty[:, None] * timeline.hazard_season(weeks) * np.where(protected, CAMPAIGN_EFFECT, 1.0)
    rise_week = timeline.price_rise_weeks[wave]
    since = np.arange(weeks) - rise_week[:, None]
    announced = 0.2 * ((since >= -NOTICE_WEEKS) & (since < 0))
    after = np.where(since >= 0, np.exp(-np.maximum(since, 0) / 4.0), 0.0)
    return Risk(fixed, 1.0 + sensitivity[:, None] * (announced + after), rise_week)


def next_mood(mood: Ints, chance: Floats) -> Ints:
    """The moods one week later.

    Args:
        chance: uniform on 0..1, one per subscriber.
    """
    return (chance[:, None] >= np.cumsum(MOVES, axis=1)[mood]).sum(axis=1).clip(max=MOODS - 1)


def cancel_within_horizon(risk: Risk, week: int, mood: Ints, paid_since: Ints) -> Floats:
    """The probability to cancel in the 30 days from a Monday, given everything that is so just before it.

    Exact: backwards through the weeks, over the moods that may come; a switch to the annual plan competes.

    Args:
        week: the week that begins on that Monday.
        mood: of the week before it.
    """
    ahead = np.zeros((len(mood), MOODS))
    for step in reversed(range(HORIZON_WEEKS)):
        share = min(WEEK, HORIZON - step * WEEK) / WEEK
        cancel = risk.at(week + step, paid_since)[:, None] * CANCEL_RATE
        either = cancel + SWITCH_RATE
        stays = np.exp(-either * share)
        ahead = (cancel / either * (1.0 - stays) + stays * ahead) @ MOVES.T
    return ahead[np.arange(len(mood)), mood]


def happened_within_horizon(weeks: int, subscribers: int, who: Ints, when: Ints) -> Bools:
    """Whether each subscriber cancels in the 30 days from each Monday (subscribers x weeks).

    Args:
        who, when: the cancellations: number of the subscriber, and seconds.
    """
    happened = np.zeros((subscribers, weeks), dtype=bool)
    for back in range(HORIZON_WEEKS):
        week = when // WEEK - back
        inside = (when - week * WEEK < HORIZON) & (week >= 0)
        happened[who[inside], week[inside]] = True
    return happened
