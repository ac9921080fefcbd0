"""Claims about what is on record of the subscribers."""

from __future__ import annotations

import pandas as pd


def test_a_price_rise_reaches_every_monthly_subscription_of_its_market(frames: dict[str, pd.DataFrame]):
    versions = frames["subscriptions"].sort_values("recorded_at", kind="stable")
    newest = versions.drop_duplicates("subscription_id", keep="last")
    running = newest.query("plan == 'monthly' and status == 'active' and price_eur > 0")
    began_early = running["started_at"] < pd.Timestamp("2025-06-01", tz="UTC")
    dear = running["price_eur"].astype(str) == "11.90"
    assert began_early.sum() > 200
    assert dear[began_early].mean() > 0.97  # but for those whose beginning is recorded after the rise
