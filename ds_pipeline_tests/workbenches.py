"""A workbench on disk: the shop with five customers in its sources, in a project of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.boundary.cross import masked_weeks
from ds_pipeline.project import Project, Settings
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.sources import Sources
from ds_pipeline.workbench import Workbench, open_workbench

CUSTOMERS = ["Zarathea Wexcombe", "Quillon Thistlewold", "Ottoline Ravensbourne", "Peregrin Oddleighton", "Bo Ek"]
TEST_SECRET = "made-up-for-the-tests-of-defs"
SEEN = datetime(2011, 3, 1, 12)
Declare = Callable[..., Workbench]


@pytest.fixture
def declare(shop: UseCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Declare:
    """Makes a workbench whose tables and columns may be declared otherwise, by name."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))

    def make(**changes: dict[str, object]) -> Workbench:
        tables = shop.sources.model_dump(mode="json")["tables"]
        for name, table in tables.items():
            table |= {"path": f"data/{name}.parquet"} | changes.get(name, {})
            table["columns"] = {
                column: {key: value for key, value in one.items() if value is not None} | changes.get(column, {})
                for column, one in table["columns"].items()
            }
        sources = Sources.model_validate({"tables": tables})
        (tmp_path / "configs").mkdir(exist_ok=True)
        write_sources(tmp_path)
        project = Project(Settings(project=tmp_path, pseudonym_key=TEST_SECRET))
        return open_workbench(project, replace(shop, sources=sources))

    return make


@pytest.fixture
def bench(declare: Declare) -> Workbench:
    return declare()


def write_sources(root: Path, *, plan: str = "gold", customers: list[str] = CUSTOMERS) -> None:
    """The two sources; the customers' names are the values that become tokens."""
    (root / "data").mkdir(exist_ok=True)
    times, spend = [SEEN] * len(customers), [1.5] * len(customers)
    visits = {"customer_token": customers, "spend_gbp": spend, "visited_at": times, "known_at": times}
    plans = {"customer_token": customers, "plan": [plan] * len(customers), "changed_at": times, "known_at": times}
    for name, rows in {"visits": visits, "plans": plans}.items():
        pq.write_table(pa.table(rows), root / "data" / f"{name}.parquet")


def put_masked(bench: Workbench, days: list[date]) -> None:
    """Store the masked weeks of every table."""
    for name in bench.use_case.sources.tables:
        for week in masked_weeks(bench, name, days):
            bench.datasets.store.put(week.kept, dataset=bench.datasets.masked(name), partition=str(week.day))
