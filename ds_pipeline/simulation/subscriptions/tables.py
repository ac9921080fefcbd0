"""The tables that are written: their columns, and where they lie."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

TRUTH = "truth"
MADE_BY = "ds-pipeline simulate subscription_churn"
EUR = pa.decimal128(9, 2)
_INSTANT = pa.timestamp("us", tz="UTC")
SCHEMAS = {
    "users": [
        ("user_id", pa.int64()), ("full_name", pa.string()), ("email", pa.string()), ("phone", pa.string()),
        ("street_address", pa.string()), ("town", pa.string()), ("postcode", pa.string()), ("country", pa.string()),
        ("gender", pa.string()), ("birth_date", pa.date32()), ("accepts_marketing", pa.bool_()),
        ("signed_up_at", _INSTANT), ("updated_at", _INSTANT), ("recorded_at", _INSTANT),
    ],
    "subscriptions": [
        ("subscription_id", pa.int64()), ("user_id", pa.int64()), ("plan", pa.string()), ("price_eur", EUR),
        ("status", pa.string()), ("started_at", _INSTANT), ("cancelled_at", _INSTANT), ("changed_at", _INSTANT),
        ("recorded_at", _INSTANT),
    ],
    "payments": [
        ("payment_id", pa.int64()), ("user_id", pa.int64()), ("subscription_id", pa.int64()), ("amount_eur", EUR),
        ("method", pa.string()), ("outcome", pa.string()), ("charged_at", _INSTANT), ("recorded_at", _INSTANT),
    ],
    "usage_events": [
        ("user_id", pa.int64()), ("used_on", _INSTANT), ("sessions", pa.int16()), ("minutes", pa.int16()),
        ("exports", pa.int16()), ("billing_visits", pa.int16()), ("recorded_at", _INSTANT),
    ],
    "support_tickets": [
        ("ticket_id", pa.int64()), ("user_id", pa.int64()), ("channel", pa.string()), ("body", pa.string()),
        ("opened_at", _INSTANT), ("recorded_at", _INSTANT),
    ],
    "emails_sent": [
        ("email_id", pa.int64()), ("user_id", pa.int64()), ("kind", pa.string()), ("is_campaign_treatment", pa.bool_()),
        ("opened", pa.bool_()), ("sent_at", _INSTANT), ("recorded_at", _INSTANT),
    ],
    TRUTH: [
        ("user_id", pa.int64()), ("scoring_date", pa.date32()), ("cancel_probability_30d", pa.float64()),
        ("cancelled_within_30d", pa.bool_()), ("is_in_scope", pa.bool_()), ("treated_within_30d", pa.bool_()),
    ],
}  # fmt: skip


def path_of(folder: Path, table: str) -> Path:
    """Where a table lies; the truth has a folder of its own, which no source of a use case names."""
    return folder / TRUTH / "hazard.parquet" if table == TRUTH else folder / f"{table}.parquet"


def schema_of(table: str, *, users: int, weeks: int, seed: int) -> pa.Schema:
    """The columns of a table, with what made it as metadata."""
    facts = {"synthetic": "true", "data_class": "public", "made_by": MADE_BY}
    sizes = {"seed": str(seed), "users": str(users), "weeks": str(weeks)}
    return pa.schema(SCHEMAS[table], metadata=facts | sizes)
