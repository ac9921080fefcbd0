"""Stored features of both use cases, held against plain Python that works out 200 of them row by row.

Every feature is compared, texts and categories as well: numbers to 1e-9, all else exactly. The oracle reads the masked
tables alone and knows of no partition: what is known before the scoring date is what its time says.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from ds_pipeline.features.build import build_features
from ds_pipeline.store.asof import AsOfTables
from ds_pipeline.use_case.load import load_use_case
from ds_pipeline_tests.features.test_oracle import expected as expected_of_shop
from ds_pipeline_tests.features.test_oracle import is_same
from ds_pipeline_tests.journeys.test_subscriptions import small  # noqa: F401

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Done, Journey

Row = dict[str, Any]
Pair = tuple[str, date]
PAIRS = 200
LONDON = ZoneInfo("Europe/London")
ANGRY = re.compile("!|unacceptable|frustrat|annoy|again|nobody|never|cannot|still not")
FRIENDLY = re.compile("thank|please|great|love|pleasure")


def snapshots(journey: Journey, dataset: str) -> dict[date, Path]:
    """The file of each partition of a dataset that is in force."""
    return {
        date.fromisoformat(day): path.parent / day / f"{pointer['digest']}.parquet"
        for path in (journey.store / "datasets" / dataset).glob("*/index.json")
        for day, pointer in json.loads(path.read_text())["partitions"].items()
    }


def stored(journey: Journey, dataset: str, entity: str, tokens: set[str] | None = None) -> list[Row]:
    """The rows of a dataset, of all its partitions, or those of some entities."""
    only = None if tokens is None else [(entity, "in", tokens)]
    return [
        row for path in snapshots(journey, dataset).values() for row in pq.read_table(path, filters=only).to_pylist()
    ]


def draw(features: Iterable[Pair]) -> list[Pair]:
    return random.Random(7).sample(sorted(features), PAIRS)


def require_same(found: Row, wanted: Row | None, *, entity: str, day: date) -> None:
    assert wanted is not None, day
    assert set(found) == set(wanted) | {entity, "scoring_date"}
    differing = [name for name in wanted if not is_same(found[name], wanted[name])]
    assert not differing, (day, differing)


def test_features_of_retail_lapse_are_those_of_plain_python(first_run: tuple[Journey, Done]) -> None:
    journey, entity = first_run[0], "customer_token"
    features = {(row[entity], row["scoring_date"]): row for row in stored(journey, "features", entity)}
    pairs = draw(features)
    tokens = {token for token, _ in pairs}
    lines, versions = defaultdict(list), defaultdict(list)
    for row in stored(journey, "masked/transactions", entity, tokens):
        lines[row[entity]].append(line_of(row))
    for row in stored(journey, "masked/customers", entity, tokens):
        versions[row[entity]].append(row)

    for token, day in pairs:
        wanted = expected_of_shop(lines[token], [], day)
        assert wanted is not None
        require_same(features[token, day], wanted | profile_of(versions[token], day), entity=entity, day=day)
    for token in tokens:
        for day in {day for _, day in features}:
            assert ((token, day) in features) == (expected_of_shop(lines[token], [], day) is not None)


def line_of(row: Row) -> Row:
    """A masked invoice line, as the oracle of the raw ones wants it: in the time of the shop."""
    at = row["invoiced_at"].astimezone(LONDON).replace(tzinfo=None)
    names = {"InvoiceNo": row["invoice_no"], "StockCode": row["stock_code"], "InvoiceDate": at}
    is_purchase = not row["invoice_no"].startswith("C") and row["quantity"] > 0
    price = row["unit_price_gbp"]
    return names | {"price": price, "amount": price * row["quantity"], "is_purchase": is_purchase}


def profile_of(versions: list[Row], day: date) -> Row:
    at = datetime.combine(day, datetime.min.time(), LONDON)
    known = sorted((row for row in versions if row["updated_at"] < at), key=lambda row: row["updated_at"])
    if not known:
        return {"region": None, "age_band": None}
    region = "United Kingdom" if known[-1]["country"] == "United Kingdom" else "elsewhere"
    return {"region": region, "age_band": known[-1]["age_band"]}


TABLES = ("users", "subscriptions", "payments", "usage_events", "support_tickets", "emails_sent")
User = dict[str, list[Row]]  # the rows of one user, by table


def test_features_of_subscription_churn_are_those_of_plain_python(small: tuple[Journey, Done]) -> None:  # noqa: F811
    journey, entity = small[0], "user_token"
    features = {(row[entity], row["scoring_date"]): row for row in stored(journey, "features", entity)}
    pairs = draw(features)
    tokens = {token for token, _ in pairs}
    users: dict[str, User] = {token: {table: [] for table in TABLES} for token in tokens}
    for table in TABLES:
        for row in stored(journey, f"masked/{table}", entity, tokens):
            users[row[entity]][table].append(row)

    for token, day in pairs:
        require_same(features[token, day], subscriber(users[token], day), entity=entity, day=day)
    for token, day in zip(sorted(tokens), [day for _, day in pairs], strict=False):
        assert ((token, day) in features) == (subscriber(users[token], day) is not None)


def subscriber(user: User, day: date) -> Row | None:
    """The features of one user; None if the user is not in scope."""
    at = datetime.combine(day, datetime.min.time(), UTC)
    known = {table: [row for row in rows if row["recorded_at"] < at] for table, rows in user.items()}
    versions: dict[str, list[Row]] = defaultdict(list)
    for row in known["subscriptions"]:
        versions[row["subscription_token"]].append(row)
    newest = {token: current(rows, "changed_at", at) for token, rows in versions.items()}
    running = [row for row in newest.values() if (row["plan"], row["status"]) == ("monthly", "active")]
    if not running or not known["users"]:
        return None
    person = current(known["users"], "updated_at", at)
    if person["signed_up_at"] > at - timedelta(days=14):
        return None
    if not [row for row in known["usage_events"] if row["used_on"] >= at - timedelta(days=30)]:
        return None
    return {
        **{name: person[name] for name in ("age_band", "gender", "accepts_marketing")},
        **subscription(running, list(newest.values()), known, at),
        **usage(within(known["usage_events"], "used_on", at, 91), at),
        **payments(within(known["payments"], "charged_at", at, 90), at),
        **tickets(within(known["support_tickets"], "opened_at", at, 91), at),
        **emails(within(known["emails_sent"], "sent_at", at, 91), at),
    }


def current(versions: list[Row], changed: str, at: datetime) -> Row:
    """The version of the last change that has happened; where all are planned, the first to come."""
    happened = [row for row in versions if row[changed] < at]
    if happened:
        return max(happened, key=lambda row: (row[changed], row["recorded_at"]))
    return min(versions, key=lambda row: row[changed])


def within(rows: list[Row], time: str, at: datetime, days: int) -> list[Row]:
    return [row for row in rows if row[time] >= at - timedelta(days=days)]


def days_ago(moment: datetime, at: datetime) -> int:
    return (at.date() - moment.date()).days


def subscription(running: list[Row], newest: list[Row], known: User, at: datetime) -> Row:
    latest = max(row["started_at"] for row in running)
    current = min((row for row in running if row["started_at"] == latest), key=lambda row: row["subscription_token"])
    token, price = current["subscription_token"], current["price_eur"]
    versions = [row for row in known["subscriptions"] if row["subscription_token"] == token]
    monthly = [row for row in versions if row["plan"] == "monthly"]
    was_cheaper = any(row["price_eur"] < price for row in monthly)
    since = min(row["changed_at"] for row in monthly if row["price_eur"] == price)
    is_recent = was_cheaper and since >= at - timedelta(days=98)
    rise = days_ago(since, at) if is_recent else None
    notices = [row for row in within(known["emails_sent"], "sent_at", at, 42) if row["kind"] == "price_notice"]
    announced = bool(notices) and not was_cheaper
    paid_days = min(days_ago(min(row["changed_at"] for row in monthly), at), 400)
    is_year_end = at.month == 1 or (at.month == 12 and at.day >= 8)
    phase = "announced" if announced else "none"
    return {
        "paid_days": paid_days,
        "days_since_price_rise": rise,
        "price_rise_announced": announced,
        "cancelled_before": min(sum(1 for row in newest if row["status"] == "cancelled"), 5),
        "is_year_end": is_year_end,
        "season": "end of year" if is_year_end else "rest of year",
        "price_phase": "raised" if rise is not None and rise <= 56 else phase,
        "tenure": "up to 8 weeks" if paid_days < 56 else "up to a year" if paid_days < 364 else "longer",
    }


def usage(rows: list[Row], at: datetime) -> Row:
    days = sorted(((days_ago(row["used_on"], at), row) for row in rows), key=lambda one: -one[0])
    ago = [one for one, _ in days]
    gaps = [(later, earlier - later) for earlier, later in itertools.pairwise(ago)]
    before = [gap for one, gap in gaps if one > 14]

    def active(low: int, high: int) -> int:
        return sum(1 for one in ago if low <= one <= high)

    def total(name: str, low: int, high: int) -> int:
        return sum(row[name] for one, row in days if low <= one <= high)

    seen = ago[0]
    usual_35 = active(36, 91) * 35 / (seen - 35) if seen > 42 else None
    usual_14 = 14 * active(15, 91) / (seen - 14) if seen > 28 else None
    minutes = total("minutes", 15, 91) * 14 / (seen - 14) if seen > 28 else None
    return {
        "days_since_last_use": ago[-1],
        **{f"active_days_{span}d": active(0, span) for span in (7, 14, 21, 35)},
        "minutes_14d": total("minutes", 0, 14),
        "sessions_14d": total("sessions", 0, 14),
        "exports_28d": total("exports", 0, 28),
        "billing_visits_14d": total("billing_visits", 0, 14),
        "billing_visits_42d": total("billing_visits", 0, 42),
        "max_gap_days_35d": max((gap for one, gap in gaps if one <= 35), default=0),
        "usual_active_days_35d": usual_35,
        "use_14d_to_usual": None if usual_14 is None else min((active(0, 14) + 0.5) / (usual_14 + 0.5), 20.0),
        "use_35d_to_usual": None if usual_35 is None else min((active(0, 35) + 0.5) / (usual_35 + 0.5), 20.0),
        "minutes_14d_to_usual": None if minutes is None else min((total("minutes", 0, 14) + 10) / (minutes + 10), 50.0),
        "overdue_ratio": min(ago[-1] / max(max(before, default=7), 1), 91.0),
    }


def payments(rows: list[Row], at: datetime) -> Row:
    newest: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: row["recorded_at"]):
        newest[row["payment_token"]] = row
    failed = [row for row in newest.values() if row["outcome"] == "failed"]
    last = max(newest.values(), key=lambda row: row["charged_at"], default=None)
    return {
        "failed_payments_90d": len(failed),
        "failed_payments_30d": len(within(failed, "charged_at", at, 30)),
        "refunds_90d": sum(1 for row in newest.values() if row["outcome"] == "refunded"),
        "last_payment_failed": last is not None and last["outcome"] == "failed",
        "days_since_last_charge": None if last is None else min(days_ago(last["charged_at"], at), 91),
        "payment_method": "unknown" if last is None else last["method"],
    }


def tickets(rows: list[Row], at: datetime) -> Row:
    ago = [days_ago(row["opened_at"], at) for row in rows]
    last = max(rows, key=lambda row: (row["opened_at"], row["ticket_token"]), default=None)

    def speaks(tone: re.Pattern[str]) -> int:
        return sum(1 for row in rows if tone.search(row["body"].lower()))

    return {
        "tickets_91d": len(rows),
        "tickets_28d": sum(1 for one in ago if one <= 28),
        "angry_tickets_91d": speaks(ANGRY),
        "friendly_tickets_91d": speaks(FRIENDLY),
        "mean_characters_91d": min(sum(len(row["body"]) for row in rows) / max(len(rows), 1), 2000.0),
        "days_since_last_ticket": min(min(ago), 91) if ago else 92,
        "last_ticket": None if last is None else last["body"],
    }


def emails(rows: list[Row], at: datetime) -> Row:
    news = [row for row in rows if row["kind"] == "newsletter"]
    opened = [row for row in news if row["opened"]]
    messages = [row for row in within(rows, "sent_at", at, 35) if row["is_campaign_treatment"]]
    return {
        "newsletters_91d": len(news),
        "opened_newsletters_91d": len(opened),
        "opened_newsletters_35d": len(within(opened, "sent_at", at, 35)),
        "retention_messages_35d": len(messages),
        "campaign": "written to" if messages else "not written to",
    }


def test_a_correction_that_arrives_after_the_scoring_date_changes_nothing_at_it(
    small: tuple[Journey, Done],  # noqa: F811
) -> None:
    """A payment of the week before turns out to have failed: known two days later, it counts a week later."""
    journey = small[0]
    use_case = load_use_case(journey.case)
    weeks = {table: snapshots(journey, f"masked/{table}") for table in TABLES}
    made = snapshots(journey, "features")
    day, later = sorted(made)[3:5]
    midnight = datetime.combine(day, datetime.min.time(), UTC)
    both = set.intersection(*(set(pq.read_table(made[one])["user_token"].to_pylist()) for one in (day, later)))
    paid = next(
        row
        for row in pq.read_table(weeks["payments"][day]).to_pylist()
        if row["user_token"] in both and row["outcome"] == "paid" and row["charged_at"] >= midnight - timedelta(days=7)
    )
    correction = paid | {"outcome": "failed", "recorded_at": midnight + timedelta(days=2)}

    def features_at(one: date, read_week: Callable[[str, date], pa.Table]) -> pa.Table:
        with AsOfTables(use_case, read_week) as tables:
            return build_features(tables, one)

    def as_stored(table: str, one: date) -> pa.Table:
        return pq.read_table(weeks[table][one])

    def corrected(table: str, one: date) -> pa.Table:
        rows = as_stored(table, one)
        added = pa.Table.from_pylist([correction], rows.schema) if (table, one) == ("payments", later) else None
        return rows if added is None else pa.concat_tables([rows, added])

    def failed(features: pa.Table) -> list[int]:
        rows = features.to_pylist()
        return [row["failed_payments_90d"] for row in rows if row["user_token"] == paid["user_token"]]

    assert features_at(day, corrected).equals(pq.read_table(made[day]))
    assert failed(features_at(later, corrected)) == [failed(pq.read_table(made[later]))[0] + 1]
