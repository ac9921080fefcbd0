"""Blocks of users: every table of 2,000 of them, from a seed and the number of the block alone.

So a user is the same whoever else is asked for, and a million users need no more memory than two thousand.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.simulation.subscriptions.behaviour import HOST, draw_pace, email_rows, payment_rows, usage_rows
from ds_pipeline.simulation.subscriptions.dirt import DIRT, soil
from ds_pipeline.simulation.subscriptions.hazard import happened_within_horizon
from ds_pipeline.simulation.subscriptions.life import CANCELLED, MONTHLY, Life, live
from ds_pipeline.simulation.subscriptions.people import FIRST_USER, draw_people, wave_of
from ds_pipeline.simulation.subscriptions.records import subscription_rows, user_rows
from ds_pipeline.simulation.subscriptions.tables import EUR, SCHEMAS, TRUTH
from ds_pipeline.simulation.subscriptions.tickets import ticket_rows
from ds_pipeline.simulation.subscriptions.timeline import DAY, HORIZON, HORIZON_WEEKS, WEEK, Bools, Ints, Timeline

BLOCK = 2_000  # users; another size makes other users
NUMBERS_PER_BLOCK = 1_000_000  # of payments, tickets and e-mails
FIRST_NUMBER = 1_000_000_000_000
FIRST_SUBSCRIPTION = 700_000_000_000
SPELLS = 100  # subscription numbers that a user has
MIN_AGE = 14 * DAY  # of a user at a scoring date in scope
ACTIVE_WITHIN = 30  # days


def blocks(timeline: Timeline, *, users: int, seed: int, first: int = 0) -> Iterator[dict[str, pa.Table]]:
    """The tables of the users first..users - 1, block by block.

    Args:
        first: position of the first user that is wanted.
    """
    for number in range(first // BLOCK, -(-users // BLOCK)):
        begin = number * BLOCK
        tables = make_block(timeline, number, seed=seed)
        inside = (max(first - begin, 0), min(users - begin, BLOCK))
        yield {name: _cut(table, *inside, schema=pa.schema(SCHEMAS[name])) for name, table in tables.items()}


def make_block(timeline: Timeline, number: int, *, seed: int) -> dict[str, pa.Table]:
    """Every table of one block of BLOCK users, with the column HOST: the position of the user in it."""
    chance = [np.random.default_rng([seed, number, part]) for part in range(8)]
    users = FIRST_USER + number * BLOCK + np.arange(BLOCK)
    people = draw_people(chance[0], users)
    life = live(chance[1], timeline, wave=wave_of(people.locale))
    first = FIRST_NUMBER + number * NUMBERS_PER_BLOCK
    usage = usage_rows(chance[2], timeline, life, draw_pace(chance[2], people.age))
    tables = {
        "users": user_rows(chance[3], timeline, life, people, users),
        "subscriptions": subscription_rows(chance[4], timeline, life),
        "payments": payment_rows(chance[5], timeline, life, first_number=first),
        "usage_events": usage,
        "support_tickets": ticket_rows(chance[6], timeline, life, people, first_number=first),
        "emails_sent": email_rows(chance[7], timeline, life, first_number=first),
    }
    end = np.datetime64(timeline.to_timestamps(np.array([timeline.seconds]))[0])
    made = {}
    for position, (name, table) in enumerate(tables.items()):
        known = table.filter(pc.less(table["recorded_at"], pa.scalar(end)))
        known = known.take(np.argsort(known[HOST].to_numpy(), kind="stable"))
        dirty_chance = np.random.default_rng([seed, number, 100 + position])
        made[name] = soil(_with_numbers(known, users), DIRT[name], dirty_chance)
    made[TRUTH] = _truth(timeline, life, users, usage)
    return made


def _with_numbers(table: pa.Table, users: Ints) -> pa.Table:
    """The table with the numbers of users and subscriptions, and with amounts in euros."""
    host = table[HOST].to_numpy()
    if "user_id" not in table.column_names:
        table = table.append_column("user_id", pa.array(users[host]))
    if "subscription_number" in table.column_names:
        numbers = FIRST_SUBSCRIPTION + users[host] * SPELLS + table["subscription_number"].to_numpy()
        table = table.append_column("subscription_id", pa.array(numbers))
    for cents, euros in (("price_cents", "price_eur"), ("amount_cents", "amount_eur")):
        if cents in table.column_names:
            prices, which = np.unique(table[cents].to_numpy(), return_inverse=True)
            amounts = pa.array([Decimal(int(price)).scaleb(-2) for price in prices], EUR)
            table = table.append_column(euros, amounts.take(pa.array(which)))
    return table


def _truth(timeline: Timeline, life: Life, users: Ints, usage: pa.Table) -> pa.Table:
    """One row per user and scoring date on the monthly plan then, or up to two weeks before: that one cancelled may
    not be on record yet, and the probability is 0."""
    monthly = life.standing == MONTHLY
    listed = monthly.copy()
    for back in (1, 2):
        listed[:, back:] |= monthly[:, :-back]
    before = np.append(0, life.becomes[:-1])
    cancels = (life.becomes == CANCELLED) & (before == MONTHLY)
    happened = happened_within_horizon(timeline.weeks, len(users), life.who[cancels], life.when[cancels])
    week = np.arange(timeline.weeks)
    in_scope = monthly & (life.signed_up[:, None] <= week * WEEK - MIN_AGE) & _active(timeline, life, usage)
    treated = life.campaign & monthly
    for ahead in range(1, HORIZON_WEEKS):
        treated[:, :-ahead] |= (life.campaign & monthly)[:, ahead:]
    host, at = np.nonzero(listed)
    is_closed = at * WEEK + HORIZON <= timeline.seconds
    return pa.table(
        {
            HOST: host,
            "user_id": users[host],
            "scoring_date": pa.array(np.array(timeline.mondays, "datetime64[D]")[at], pa.date32()),
            "cancel_probability_30d": life.probability[host, at],
            "cancelled_within_30d": pa.array((happened & monthly)[host, at], mask=~is_closed),
            "is_in_scope": in_scope[host, at],
            "treated_within_30d": treated[host, at],
        }
    )


def _active(timeline: Timeline, life: Life, usage: pa.Table) -> Bools:
    """Whether each was active in the 30 days before each Monday (subscribers x weeks)."""
    days = np.zeros((len(life.wave), 7 * timeline.weeks + 1), dtype=np.int32)
    start = np.datetime64(timeline.start, "D")
    used = usage["used_on"].to_numpy().astype("datetime64[D]") - start
    days[usage[HOST].to_numpy(), used.astype(np.int64) + 1] = 1
    so_far = np.cumsum(days, axis=1)
    monday = 7 * np.arange(timeline.weeks)
    return so_far[:, monday] > so_far[:, np.maximum(monday - ACTIVE_WITHIN, 0)]


def _cut(table: pa.Table, start: int, stop: int, *, schema: pa.Schema) -> pa.Table:
    """The rows of the users at these positions, in the columns of the file; times get their zone."""
    hosts = table[HOST]
    wanted = table.filter(pc.and_(pc.greater_equal(hosts, start), pc.less(hosts, stop)))
    return wanted.select(schema.names).cast(schema)
