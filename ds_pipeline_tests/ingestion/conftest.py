"""A table of payments, declared as sources.yaml would; a test changes what it needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from ds_pipeline.clock import Clock
from ds_pipeline.use_case.sources import Table

PAYMENTS: dict[str, Any] = {
    "payment": {"type": "integer"},
    "amount": {"type": "double", "minimum": 0, "maximum": 100},
    "note": {"type": "string", "nullable": True},
}
PAID_AT = {"paid_at": {"type": "timestamp", "minimum": "2011-01-01", "maximum": "2012-12-31"}}
KEPT = {"nullable": False, "identifies": "no", "treatment": "keep", "meaning": "made up"}


@pytest.fixture
def declare() -> Callable[..., Table]:
    """A table with the given columns and paid_at; in the source they are called like their alias."""

    def make(columns: dict[str, Any] = PAYMENTS, **changes: Any) -> Table:
        declared = {name: {"alias": name} | KEPT | column for name, column in (columns | PAID_AT).items()}
        table = {
            "meaning": "a payment", "kind": "events", "path": "data/payments.parquet", "format": "parquet",
            "data_class": "public",
            "synthetic": True, "time_zone": "Europe/London", "event_time": "paid_at", "known_at": "paid_at", "key": [],
            "entity": [], "replayable": True, "max_quarantine_share": 1.0, "columns": declared,
            "allow_silent_weeks": True,
        }  # fmt: skip
        return Table.model_validate(table | changes)

    return make


@pytest.fixture
def clock() -> Clock:
    return Clock("Europe/London", date(2011, 3, 7), date(2011, 12, 5), horizon_days=30, settle_days=0, holdout_weeks=2)
