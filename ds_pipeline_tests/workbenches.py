"""A workbench on disk: the shop with five customers in its sources, in a project of its own."""

from __future__ import annotations

import io
import platform
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression

from ds_pipeline.boundary.cross import masked_weeks
from ds_pipeline.digests import canonical_json, digest_bytes
from ds_pipeline.features.weeks import make_features
from ds_pipeline.project import Project, Settings
from ds_pipeline.registry.signing import SigningKeys
from ds_pipeline.scoring import lists, serve
from ds_pipeline.store.datasets import KEY, SCORES
from ds_pipeline.store.snapshots import make_folder
from ds_pipeline.training.labels import labels_schema
from ds_pipeline.use_case.contract import IdentifierSource
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.sources import Sources
from ds_pipeline.use_case.sql import masked_schema
from ds_pipeline.workbench import Workbench, open_workbench

CUSTOMERS = ["Zarathea Wexcombe", "Quillon Thistlewold", "Ottoline Ravensbourne", "Peregrin Oddleighton", "Bo Ek"]
TEST_SECRET = "made-up-for-the-tests-of-defs"
SEEN = datetime(2011, 3, 1, 12)
SERVED = [date(2011, 3, 7), date(2011, 3, 14)]
MODEL = LogisticRegression().fit(pd.DataFrame({"visits_seen": [0.0, 1.0, 2.0, 3.0]}), [0, 0, 1, 1])
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


def signer(root: Path) -> SigningKeys:
    """The keys of a project, made where they are not there yet."""
    keys = SigningKeys(root / ".keys")
    keys.create_if_first(registry_is_empty=True)
    return keys


@pytest.fixture
def ready(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """Two weeks of features, and a version of the first; the use case of its bundle is that of the workbench.

    The consumer's own identifiers are the names of the customers.
    """
    bench = declare(visits={"allow_silent_weeks": True})
    contract = bench.use_case.contract
    columns = {name: column for name, column in contract.columns.items() if column.origin != "reason"}
    columns["customer_id"] = columns["customer_id"].model_copy(update={"type": "string"})
    identifier = IdentifierSource(table="plans", column="customer_token")
    contract = contract.model_copy(update={"identifier": identifier, "columns": columns})
    bench = replace(bench, use_case=replace(bench.use_case, contract=contract))
    put_masked(bench, SERVED)
    make_features(bench, SERVED)
    for module in (serve, lists):
        monkeypatch.setattr(module, "use_case_of", lambda *_: bench.use_case)
    put_in_force(bench, MODEL, as_of=SERVED[0])
    return bench


def write_sources(root: Path, *, plan: str = "gold", customers: list[str] = CUSTOMERS) -> None:
    """The two sources; the customers' names are the values that become tokens."""
    (root / "data").mkdir(exist_ok=True)
    times, spend = [SEEN] * len(customers), [1.5] * len(customers)
    visits = {"customer_token": customers, "spend_gbp": spend, "visited_at": times, "known_at": times}
    plans = {"customer_token": customers, "plan": [plan] * len(customers), "changed_at": times, "known_at": times}
    for name, rows in {"visits": visits, "plans": plans}.items():
        pq.write_table(pa.table(rows), root / "data" / f"{name}.parquet")


def lay_down(bench: Workbench) -> Workbench:
    """The workbench, with the files of its use case where they belong, and its key."""
    folder = bench.project.configs / bench.use_case.name
    for name, content in bench.use_case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    make_folder(bench.datasets.root)
    bench.prepare_to_sign()
    return bench


def put_masked(bench: Workbench, days: list[date]) -> None:
    """Store the masked weeks of every table."""
    for name in bench.use_case.sources.tables:
        bench.datasets.put_masked(name, {week.day: (week.kept, {}) for week in masked_weeks(bench, name, days)})


def in_buckets(bench: Workbench, number: int) -> Workbench:
    """The same workbench, whose tables are cut into so many buckets."""
    case = bench.use_case
    case = replace(case, sources=case.sources.model_copy(update={"buckets": number}))
    return open_workbench(bench.project, case)


def elsewhere(bench: Workbench, folder: str) -> Workbench:
    """The same workbench with a store of its own."""
    settings = bench.project.settings.model_copy(update={"store": Path(folder)})
    return open_workbench(Project(settings), bench.use_case)


def put_in_force(
    bench: Workbench,
    model: Any,
    *,
    as_of: date,
    requirements: bytes | None = None,
    candidate: str = "champion",
    judged: Any = None,
    evaluation: bytes = b"{}",
    **lineage: Any,
) -> None:
    """Promote a model that was trained here; what its lineage says may be declared otherwise.

    Args:
        requirements: the file it was judged by.
        judged: the model that was judged, where it is not the one that serves.
    """
    make_folder(bench.datasets.root)
    bench.prepare_to_sign()
    models = {"model.joblib": pickled(model)} | ({"judged.joblib": pickled(judged)} if judged is not None else {})
    here = {"python": platform.python_version(), "packages": {"scikit-learn": metadata.version("scikit-learn")}}
    bench.registry.promote(
        {
            "lineage.json": canonical_json(here | lineage),
            "evaluation.json": evaluation,
        }
        | models
        | ({"use_case/requirements.yaml": requirements} if requirements else {}),
        as_of=as_of,
        candidate_digest=digest_bytes(candidate.encode()),
        decision_digest=digest_bytes(b"decision"),
        actor="pipeline",
        reason="all gates passed",
        at=datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC),
    )


def pickled(model: Any) -> bytes:
    sink = io.BytesIO()
    joblib.dump(model, sink)
    return sink.getvalue()


def matured_week(bench: Workbench, *, labels: list[int | None], treated: list[bool], key: str | None = None) -> date:
    """Four customers of the first scoring date, two of them in the campaign; the date at which that is judged."""
    clock, store = bench.use_case.clock, bench.datasets.store
    day, first = clock.first + clock.lag, clock.first
    for known in clock.dates_until(day):
        for name, table in bench.use_case.sources.tables.items():
            store.put(masked_schema(table).empty_table(), dataset=bench.datasets.masked(name), partition=str(known))
    columns = {"scoring_date": [first] * 4, "customer_token": list("abcd"), "label": labels, "is_treated": treated}
    schema = labels_schema("customer_token")
    matured = pa.table({field.name: pa.array(columns.get(field.name, [None] * 4), field.type) for field in schema})
    bench.datasets.put_weeks(bench.datasets.labels, {day: matured}, inputs=bench.datasets.inputs_digests(day))
    scores = pa.table(
        {
            "customer_token": list("abcd"),
            "score": [0.9, 0.8, 0.2, 0.1],
            "rank": [1, 2, 3, 4],
            "decision": ["campaign"] * 2 + ["no_action"] * 2,
        }
    )
    info = {"model_version": "v0001", KEY: key or bench.datasets.key_fingerprint}
    store.put(scores, dataset=SCORES, partition=str(first), info=info)
    return day
