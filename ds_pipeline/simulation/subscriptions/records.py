"""What is on record of the subscribers: versions of their identity and of their subscriptions.

Some versions are recorded days late, some birth dates are mistyped and corrected, and some cancellations are a mistake
that is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ds_pipeline.simulation.subscriptions.behaviour import ANNUAL_PRICE, HOST, NEW_PRICE, OLD_PRICE
from ds_pipeline.simulation.subscriptions.life import ANNUAL, CANCELLED, FREE, MONTHLY, PLANS, Life
from ds_pipeline.simulation.subscriptions.people import LOCALE_NAMES, POOL, People, email_of, pool
from ds_pipeline.simulation.subscriptions.timeline import DAY, END, WEEK, Bools, Ints, Timeline

ADDRESS_CHANGES, EMAIL_CHANGES = 0.0010, 0.0003  # per user and week
MISTYPED_BIRTH_DATES = 0.01  # corrected one to five weeks later
LATE_RECORDS = 0.03  # recorded 1 to 4 days later
VERY_LATE_RECORDS = 0.004  # 5 to 12 days: some labels have matured by then, and stay wrong
FALSE_CANCELLATIONS = 0.01  # of the monthly subscriptions: recorded by mistake, taken back 1 to 3 days later

SIGN_UP, ADDRESS, EMAIL, BIRTH_DATE = range(4)  # what a new version of a user changes


def user_rows(rng: np.random.Generator, timeline: Timeline, life: Life, people: People, numbers: Ints) -> pa.Table:
    """Versions of each user: as signed up, then after a move, with a new e-mail address, a corrected birth date."""
    count = len(numbers)
    is_mistyped = rng.random(count) < MISTYPED_BIRTH_DATES
    host, changed, kind = _user_changes(rng, timeline, life, is_mistyped)
    picks = rng.integers(0, POOL, len(host))
    versions = list(_versions(people, numbers, host, kind, picks, is_mistyped))
    recorded = changed + _delays(rng, len(host))
    texts = {
        name: pa.array([version[name] for version in versions], pa.date32() if name == "birth_date" else pa.string())
        for name in versions[0]
    }
    return pa.table(
        {
            HOST: host,
            "user_id": numbers[host],
            **texts,
            "accepts_marketing": life.consents[host],
            "signed_up_at": timeline.to_timestamps(life.signed_up[host]),
            "updated_at": timeline.to_timestamps(changed),
            "recorded_at": timeline.to_timestamps(recorded),
        }
    )


def _user_changes(
    rng: np.random.Generator, timeline: Timeline, life: Life, is_mistyped: Bools
) -> tuple[Ints, Ints, Ints]:
    """Position, seconds and kind of each version, by user and time."""
    count = len(is_mistyped)
    first_week = np.maximum(life.signed_up // WEEK + 1, 0)
    everyone = np.arange(count)
    corrected = np.flatnonzero(is_mistyped)
    parts = [(everyone, np.full(count, -1), SIGN_UP)]
    for rate, change in ((ADDRESS_CHANGES, ADDRESS), (EMAIL_CHANGES, EMAIL)):
        who, at = np.nonzero(rng.random((count, timeline.weeks)) < rate)
        parts.append((who, at, change))
    parts.append((corrected, first_week[corrected] + rng.integers(1, 6, len(corrected)), BIRTH_DATE))
    host, week = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    kind = np.repeat([part[2] for part in parts], [len(part[0]) for part in parts])
    changed = np.where(kind == SIGN_UP, life.signed_up[host], week * WEEK + rng.integers(8 * 3600, 5 * DAY, len(host)))
    there = np.flatnonzero((kind == SIGN_UP) | (week >= first_week[host]))
    order = there[np.lexsort((changed[there], host[there]))]
    return host[order], changed[order], kind[order]


def _versions(
    people: People, numbers: Ints, host: Ints, kind: Ints, picks: Ints, is_mistyped: Bools
) -> Iterator[dict[str, object]]:
    """The identity of each version, by column; a sign-up begins a user, the others change what was there."""
    version: dict[str, object] = {}
    for who, change, pick in zip(host.tolist(), kind.tolist(), picks.tolist(), strict=True):
        here = pool(LOCALE_NAMES[people.locale[who]])
        born = END - timedelta(days=int(people.age[who] * 365.25))
        if change == SIGN_UP:
            version = {
                "full_name": people.full_name(who),
                "email": people.email[who],
                "phone": people.phone[who],
                "street_address": people.street[who],
                "town": people.town[who],
                "postcode": people.postcode[who],
                "country": here.country,
                "gender": people.gender[who],
                "birth_date": _mistyped(born) if is_mistyped[who] else born,
            }
        elif change == ADDRESS:
            moved = {"street_address": here.streets[pick], "town": here.towns[pick], "postcode": here.postcodes[pick]}
            version = version | moved
        elif change == EMAIL:
            version = version | {"email": email_of("", people.family[who], int(numbers[who]) + 50_000_017)}
        else:
            version = version | {"birth_date": born}
        yield version


def _mistyped(born: date) -> date:
    """A birth date ten years off: plausible, so that only the correction shows it."""
    return born.replace(year=born.year + (-10 if born.year > 1960 else 10), day=min(born.day, 28))


class _Versions(NamedTuple):
    """Versions of subscriptions that belong to changes of a life: which, when, cancelled or not, and recorded when."""

    change: Ints
    when: Ints
    is_cancelled: Bools
    delay: Ints


def subscription_rows(rng: np.random.Generator, timeline: Timeline, life: Life) -> pa.Table:
    """Versions of each subscription: begun, dearer, switched to another plan, cancelled, and back after a mistake."""
    is_end = life.becomes == CANCELLED
    every = np.arange(len(life.who))
    rise = timeline.price_rise_weeks[life.wave[life.who]] * WEEK
    until = life.until(timeline.seconds)
    dearer = np.flatnonzero((life.becomes == MONTHLY) & (life.when < rise) & (rise < until) & (rise >= 0))
    parts = [
        _Versions(every, life.when, is_end, _delays(rng, len(every))),
        _Versions(dearer, rise[dearer] + 600, np.zeros(len(dearer), bool), _minutes(rng, len(dearer))),
        *_mistakes(rng, life, until),
    ]
    change, when, is_cancelled, delay = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((when, life.who[change]))
    change, when, is_cancelled, delay = change[order], when[order], is_cancelled[order], delay[order]
    began = np.maximum.accumulate(np.where(_begins(life), every, 0))[change]
    plan = np.where(is_end, np.append(0, life.becomes[:-1]), life.becomes)[change]
    monthly = np.where(when >= rise[change], NEW_PRICE, OLD_PRICE)
    stamps = timeline.to_timestamps
    return pa.table(
        {
            HOST: life.who[change],
            "subscription_number": life.spell[change],
            "plan": np.array([PLANS.get(number, "") for number in range(5)])[plan],
            "price_cents": np.select([plan == FREE, plan == ANNUAL], [0, ANNUAL_PRICE], monthly),
            "status": np.where(is_cancelled, "cancelled", "active"),
            "started_at": stamps(life.when[began]),
            "cancelled_at": pa.array(stamps(when), mask=~is_cancelled),
            "changed_at": stamps(when),
            "recorded_at": stamps(when + delay),
        }
    )


def _mistakes(rng: np.random.Generator, life: Life, until: Ints) -> list[_Versions]:
    """Cancellations that nobody asked for, and the versions that take them back."""
    since = np.maximum(life.when, 0)
    room = until - since - 4 * DAY
    wrong = np.flatnonzero((life.becomes == MONTHLY) & (room > DAY) & (rng.random(len(since)) < FALSE_CANCELLATIONS))
    when = since[wrong] + (room[wrong] * rng.random(len(wrong))).astype(np.int64)
    back = when + rng.integers(1, 4, len(wrong)) * DAY
    return [
        _Versions(wrong, when, np.ones(len(wrong), bool), _minutes(rng, len(wrong))),
        _Versions(wrong, back, np.zeros(len(wrong), bool), _minutes(rng, len(wrong))),
    ]


def _begins(life: Life) -> Bools:
    """The changes that begin a subscription."""
    same_user = np.append(False, life.who[1:] == life.who[:-1])
    return ~same_user | np.append(True, life.spell[1:] != life.spell[:-1])


def _delays(rng: np.random.Generator, count: int) -> Ints:
    """Seconds until something is recorded: minutes, or days for a few."""
    draw = rng.random(count)
    days = np.where(draw < VERY_LATE_RECORDS, rng.integers(5, 13, count), rng.integers(1, 5, count))
    return np.where(draw < VERY_LATE_RECORDS + LATE_RECORDS, days * DAY, 0) + _minutes(rng, count)


def _minutes(rng: np.random.Generator, count: int) -> Ints:
    return rng.integers(5, 900, count)
