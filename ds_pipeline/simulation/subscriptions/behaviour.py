"""What subscribers do and what is done with them, as tables of events: usage, payments, e-mails.

A mood shows in each of them, never alone: everybody has a pace of their own, weeks are busy or not, and people go on
holiday. The column HOST is the position of the subscriber in the block; it never leaves the simulator.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ds_pipeline.simulation.subscriptions.life import ANNUAL, CANCELLED, FREE, MONTHLY, Life
from ds_pipeline.simulation.subscriptions.timeline import DAY, NOTICE_WEEKS, WEEK, Bools, Floats, Ints, Timeline

HOST = "_host"
OLD_PRICE, NEW_PRICE, ANNUAL_PRICE = 990, 1190, 9900  # cents
HOUR = 60 * 60
# By mood: content, cooling, annoyed, fading, leaving.
USAGE = np.array([1.0, 0.80, 0.9, 0.28, 0.09])
EXPORTS = np.array([0.005, 0.006, 0.008, 0.07, 0.35])  # an active day with a data export
BILLING_VISITS = np.array([0.006, 0.008, 0.014, 0.20, 0.60])  # an active day with a look at the plan and the bills
FAILED_PAYMENTS = np.array([0.012, 0.015, 0.015, 0.06, 0.25])
OPENED = np.array([0.60, 0.50, 0.50, 0.20, 0.05])
FREE_USAGE = 0.5
HOLIDAYS = 0.004  # begin in a week; they last two
LATE_USAGE, LATE_PAYMENTS = 0.02, 0.02  # days that a device delivers 1 to 9 days later; payments 1 to 4
CORRECTED_PAYMENTS = 0.004  # recorded again with another outcome, days later


def draw_pace(rng: np.random.Generator, age: Floats) -> Floats:
    """The pace of each subscriber: the rate of active days if content. Older people use it a little less."""
    return np.exp(rng.normal(np.log(0.9), 0.4, len(age)) - 0.004 * (age - 45))


def usage_rows(rng: np.random.Generator, timeline: Timeline, life: Life, pace: Floats) -> pa.Table:
    """One row per subscriber and day with usage; it is recorded at two the next night, or days later."""
    count, weeks = life.mood.shape
    busy = np.zeros((count, weeks))
    drift = rng.normal(0, 0.20, (count, weeks))
    for week in range(1, weeks):
        busy[:, week] = 0.5 * busy[:, week - 1] + drift[:, week]
    away = rng.random((count, weeks)) < HOLIDAYS
    away[:, 1:] |= away[:, :-1]
    plan = np.where(life.standing == FREE, FREE_USAGE, 1.0)
    weekly = pace[:, None] * USAGE[life.mood] * np.exp(busy) * np.where(away, 0.25, 1.0) * plan
    daily = np.repeat(weekly, 7, axis=1) * timeline.usage_season()
    active = (rng.random(daily.shape) < -np.expm1(-daily)) & _subscribed_days(timeline, life)
    host, day = np.nonzero(active)
    intensity = daily[host, day]
    sessions = 1 + rng.poisson(0.8 * intensity)
    minutes = np.ceil(sessions * rng.gamma(2.0, 6.0, len(host)) * (0.6 + 0.8 * intensity))
    mood = life.mood[host, day // 7]
    exports, visits = (rng.random(len(host)) < share[mood] for share in (EXPORTS, BILLING_VISITS))
    late = np.where(rng.random(len(host)) < LATE_USAGE, rng.integers(1, 10, len(host)), 0)
    used = day * DAY
    return pa.table(
        {
            HOST: host,
            "used_on": timeline.to_timestamps(used),
            "sessions": sessions.astype(np.int16),
            "minutes": minutes.clip(1, 600).astype(np.int16),
            "exports": exports.astype(np.int16),
            "billing_visits": visits.astype(np.int16),
            "recorded_at": timeline.to_timestamps(used + (1 + late) * DAY + 2 * HOUR),
        }
    )


def _subscribed_days(timeline: Timeline, life: Life) -> Bools:
    """The days from the one after a subscription begins to the one before it ends (subscribers x days)."""
    days = 7 * timeline.weeks
    steps = np.zeros((len(life.wave), days + 1), dtype=np.int8)
    runs = life.becomes != CANCELLED
    first = np.clip(life.when[runs] // DAY + 1, 0, days)
    last = np.clip(life.until(timeline.seconds)[runs] // DAY, 0, days)
    # A plan that follows another at noon leaves that day out; it costs a fraction of a day per change.
    np.add.at(steps, (life.who[runs], np.minimum(first, last)), 1)
    np.add.at(steps, (life.who[runs], last), -1)
    return np.cumsum(steps, axis=1)[:, :days] > 0


def payment_rows(rng: np.random.Generator, timeline: Timeline, life: Life, *, first_number: int) -> pa.Table:
    """Charges of the monthly and the annual plan, a second try three days after a failed one, refunds, corrections."""
    end = timeline.seconds
    paid = np.isin(life.becomes, (MONTHLY, ANNUAL))
    who, since, until = life.who[paid], life.when[paid], life.until(end)[paid]
    plan, spell = life.becomes[paid], life.spell[paid]
    every = np.where(plan == MONTHLY, 30, 364) * DAY
    charges = np.maximum(0, -(-(until - since) // every))
    run = np.repeat(np.arange(len(who)), charges)
    nth = np.arange(len(run)) - np.repeat(np.cumsum(charges) - charges, charges)
    charged = since[run] + nth * every[run] + 60
    seen = (charged >= 0) & (charged < until[run])
    run, charged = run[seen], charged[seen]
    fails = rng.random(len(run)) < FAILED_PAYMENTS[life.mood[who[run], charged // WEEK]]
    retried = np.flatnonzero(fails & (charged + 3 * DAY < until[run]))
    run, charged = np.append(run, run[retried]), np.append(charged, charged[retried] + 3 * DAY)
    fails = np.append(fails, rng.random(len(retried)) < 0.2)
    refunded = ~fails & (rng.random(len(run)) < 0.004)
    late = np.where(
        rng.random(len(run)) < LATE_PAYMENTS, rng.integers(1, 5, len(run)) * DAY, rng.integers(5, 900, len(run))
    )
    outcome = np.select([fails, refunded], ["failed", "refunded"], "paid")
    rise = timeline.price_rise_weeks[life.wave[who[run]]] * WEEK
    price = np.where(plan[run] == ANNUAL, ANNUAL_PRICE, np.where(charged >= rise, NEW_PRICE, OLD_PRICE))
    method = np.array(["card", "paypal", "sepa"])[rng.choice(3, len(life.wave), p=[0.6, 0.25, 0.15])]
    table = pa.table(
        {
            HOST: who[run],
            "payment_id": first_number + np.arange(len(run)),
            "subscription_number": spell[run],
            "charged_at": timeline.to_timestamps(charged),
            "amount_cents": price,
            "method": method[who[run]],
            "outcome": outcome,
            "recorded_at": timeline.to_timestamps(charged + late),
        }
    )
    return _with_corrections(rng, table)


def _with_corrections(rng: np.random.Generator, payments: pa.Table) -> pa.Table:
    """A few payments are recorded again, 1 to 5 days later, with the right outcome; the newest record counts."""
    rows = np.flatnonzero(rng.random(payments.num_rows) < CORRECTED_PAYMENTS)
    again = payments.take(rows)
    later = again["recorded_at"].to_numpy() + rng.integers(1, 6, len(rows)) * np.timedelta64(DAY, "s")
    again = again.set_column(again.column_names.index("recorded_at"), "recorded_at", pa.array(later))
    wrong = np.where(again["outcome"].to_numpy(zero_copy_only=False) == "failed", "paid", "failed")
    outcomes = payments["outcome"].to_numpy(zero_copy_only=False).astype(object)
    outcomes[rows] = wrong
    first = payments.set_column(payments.column_names.index("outcome"), "outcome", pa.array(outcomes, pa.string()))
    return pa.concat_tables([first, again.cast(first.schema)])


def email_rows(rng: np.random.Generator, timeline: Timeline, life: Life, *, first_number: int) -> pa.Table:
    """Newsletters, announcements of a price rise and retention e-mails, recorded three days later with `opened`."""
    hosts, weeks, kinds = [], [], []
    subscribed = np.isin(life.standing, (FREE, MONTHLY, ANNUAL))
    news = subscribed & life.consents[:, None] & (np.arange(timeline.weeks) % 2 == 1)
    on_old_price = life.standing == MONTHLY
    notice = np.zeros_like(news)
    announced = timeline.price_rise_weeks[life.wave] - NOTICE_WEEKS
    inside = np.flatnonzero((announced >= 0) & (announced < timeline.weeks))
    notice[inside, announced[inside]] = on_old_price[inside, announced[inside]]
    retention = life.campaign & (life.standing == MONTHLY)
    for name, mask in (("newsletter", news), ("price_notice", notice), ("retention", retention)):
        host, week = np.nonzero(mask)
        hosts.append(host)
        weeks.append(week)
        kinds.append(np.full(len(host), name))
    host, week, kind = np.concatenate(hosts), np.concatenate(weeks), np.concatenate(kinds)
    hour = np.select([kind == "newsletter", kind == "price_notice"], [2 * 24 + 9, 3 * 24 + 10], 24 + 10)
    sent = week * WEEK + hour * HOUR + rng.integers(0, HOUR, len(host))
    there = _still_there(life, timeline, host, sent)
    host, week, kind, sent = host[there], week[there], kind[there], sent[there]
    return pa.table(
        {
            HOST: host,
            "email_id": first_number + np.arange(len(host)),
            "kind": kind,
            "is_campaign_treatment": kind == "retention",
            "opened": rng.random(len(host)) < OPENED[life.mood[host, week]],
            "sent_at": timeline.to_timestamps(sent),
            "recorded_at": timeline.to_timestamps(sent + 3 * DAY),
        }
    )


def _still_there(life: Life, timeline: Timeline, host: Ints, moment: Ints) -> Bools:
    """Who has not cancelled between the beginning of the week and a moment in it."""
    gone = np.full(life.mood.shape, np.iinfo(np.int64).max)
    cancels = life.becomes == CANCELLED
    gone[life.who[cancels], life.when[cancels] // WEEK] = life.when[cancels]
    return moment < gone[host, moment // WEEK]
