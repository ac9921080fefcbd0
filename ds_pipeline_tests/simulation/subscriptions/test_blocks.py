"""Claims about whole blocks: the same users whoever else is asked for, and tables that belong together."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from ds_pipeline.simulation.subscriptions.blocks import BLOCK, blocks
from ds_pipeline.simulation.subscriptions.dirt import DIRT, STRANGERS
from ds_pipeline.simulation.subscriptions.tables import SCHEMAS, TRUTH
from ds_pipeline.simulation.subscriptions.timeline import END, Timeline

SOURCES = [name for name in SCHEMAS if name != TRUTH]
SHORT = Timeline(14)
EVENT_TIMES = {
    "users": "updated_at",
    "subscriptions": "changed_at",
    "payments": "charged_at",
    "usage_events": "used_on",
    "support_tickets": "opened_at",
    "emails_sent": "sent_at",
}


def joined(parts: list[dict[str, pa.Table]]) -> dict[str, pa.Table]:
    return {name: pa.concat_tables([part[name] for part in parts]) for name in SCHEMAS}


def real(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of users that there are."""
    return frame[frame["user_id"] < STRANGERS]


def test_a_user_is_the_same_however_many_are_asked_for():
    few = joined(list(blocks(SHORT, users=150, seed=3)))
    many = joined(list(blocks(SHORT, users=BLOCK + 40, seed=3, first=0)))
    hosts = few["users"]["user_id"].to_pylist()
    for name in ("users", "subscriptions", TRUTH):
        same = many[name].filter(pa.compute.is_in(many[name]["user_id"], pa.array(hosts)))
        assert same.equals(few[name]), name
    assert few["usage_events"].equals(many["usage_events"].slice(0, few["usage_events"].num_rows))


def test_users_made_in_two_parts_are_those_made_at_once():
    at_once = joined(list(blocks(SHORT, users=BLOCK + 70, seed=3)))
    first = list(blocks(SHORT, users=700, seed=3))
    rest = list(blocks(SHORT, users=BLOCK + 70, seed=3, first=700))
    assert all(table.equals(at_once[name]) for name, table in joined(first + rest).items())


def test_another_seed_makes_other_users():
    one, other = (next(blocks(SHORT, users=50, seed=seed)) for seed in (3, 4))
    assert one["users"]["email"].to_pylist() != other["users"]["email"].to_pylist()
    assert not one["usage_events"].equals(other["usage_events"])


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_is_known_before_it_happened_or_after_the_end(frames: dict[str, pd.DataFrame], name: str):
    frame = frames[name]
    assert (frame["recorded_at"] > frame[EVENT_TIMES[name]]).all()
    assert (frame["recorded_at"] < pd.Timestamp(END, tz="UTC")).all()


@pytest.mark.parametrize("name", SOURCES)
def test_events_belong_to_users_but_for_the_declared_strangers(frames: dict[str, pd.DataFrame], name: str):
    frame = frames[name]
    strangers = frame["user_id"] >= STRANGERS
    assert set(frame.loc[~strangers, "user_id"]) <= set(frames["users"]["user_id"]) | set(frames[TRUTH]["user_id"])
    expected = DIRT[name].strangers * len(frame)
    assert abs(strangers.sum() - expected) <= 4 * expected**0.5


def test_payments_are_for_subscriptions_of_the_same_user(frames: dict[str, pd.DataFrame]):
    owner = frames["subscriptions"].drop_duplicates("subscription_id").set_index("subscription_id")["user_id"]
    payments = real(frames["payments"])
    known = payments[payments["subscription_id"].isin(owner.index)]
    assert (known["subscription_id"].map(owner) == known["user_id"]).all()
    assert len(known) > 0.99 * len(payments)  # the others are for subscriptions that are not on record yet


def test_nobody_uses_pays_or_writes_outside_of_a_subscription(frames: dict[str, pd.DataFrame]):
    versions = frames["subscriptions"].sort_values("recorded_at", kind="stable")
    newest = versions.drop_duplicates("subscription_id", keep="last")
    spans = newest[["user_id", "subscription_id", "started_at", "cancelled_at"]]
    for name in ("usage_events", "payments", "support_tickets"):
        when = EVENT_TIMES[name]
        events = real(frames[name])[["user_id", when]].drop_duplicates()
        events = events[events["user_id"].isin(spans["user_id"])].reset_index(names="row")
        pairs = events.merge(spans, on="user_id")
        ends = pairs["cancelled_at"].fillna(pd.Timestamp(END, tz="UTC"))
        inside = (pairs[when] >= pairs["started_at"]) & (pairs[when] <= ends)
        outside = 1 - pairs.loc[inside, "row"].nunique() / len(events)
        assert outside < 0.01, name  # beginnings that are recorded late, or not yet


def test_the_tables_hold_what_the_business_goes_through(frames: dict[str, pd.DataFrame]):
    subscriptions, users = frames["subscriptions"], frames["users"]
    assert set(subscriptions["plan"]) == {"free", "monthly", "annual"}
    assert subscriptions.groupby("user_id")["subscription_id"].nunique().max() >= 2  # somebody came back
    assert users["country"].nunique() > 20
    assert users.groupby("user_id").size().max() >= 2
    assert frames["payments"].groupby("payment_id")["recorded_at"].nunique().max() == 2  # a corrected one
    late = frames["subscriptions"]["recorded_at"] - frames["subscriptions"]["changed_at"]
    assert 0.02 < (late > pd.Timedelta(days=1)).mean() < 0.05
    assert set(frames["emails_sent"]["kind"]) == {"newsletter", "price_notice", "retention"}
