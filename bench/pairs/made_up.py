"""Made-up use cases: the retail one with other tables, features and dates, in a project of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ds_pipeline.project import Project, Settings
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.load import UseCase, load_use_case
from ds_pipeline.use_case.sources import Sources
from ds_pipeline.workbench import Workbench, open_workbench

KEY, ENTITY = "made-up-for-the-benchmark-only", "customer_token"
ROOT = Path(__file__).resolve().parents[2]
TOKEN = {"identifies": "direct", "treatment": "token", "token_domain": "customer"}


def retail() -> UseCase:
    return load_use_case(ROOT / "configs" / "retail_lapse")


def table_of(path: str, columns: Mapping[str, dict[str, Any]], *, at: str, **more: Any) -> dict[str, Any]:
    """The declaration of a table of events; a column is kept as it is where it does not say otherwise."""
    keep = {"nullable": False, "identifies": "no", "treatment": "keep", "meaning": "made up"}
    declared: dict[str, Any] = {
        "meaning": "made up", "path": path, "format": "parquet", "data_class": "public", "synthetic": True,
        "kind": "events", "event_time": at, "known_at": at, "key": [], "time_zone": "UTC",
        "entity": [], "replayable": True, "max_quarantine_share": 0.0,
        "columns": {name: {"alias": name} | keep | column for name, column in columns.items()},
    }  # fmt: skip
    return declared | more


def workbench_of(
    folder: Path,
    store: str,
    *,
    tables: dict[str, Any],
    dates: tuple[date, date],
    buckets: int = 1,
    features: dict[str, Any] | None = None,
    sql: Mapping[str, str] | None = None,
) -> Workbench:
    """A workbench of these tables, with scoring dates from the first to the last, in UTC."""
    case, sql = retail(), dict(sql or {})
    clock = case.problem.clock.model_copy(update={"time_zone": "UTC", "first": dates[0], "last": dates[1]})
    case = replace(
        case,
        problem=case.problem.model_copy(update={"clock": clock}),
        sources=Sources.model_validate({"buckets": buckets, "tables": tables}),
        population_sql=sql.get("population.sql", ""),
        feature_sql={name: text for name, text in sql.items() if name.startswith("features/")},
        files=case.files | {name: text.encode() for name, text in sql.items()},
    )
    if features:
        declared = FeatureSet.model_validate({"max_outside_share": 0.01, "features": features})
        case = replace(case, features=declared)
    return open_workbench(project_of(folder, store), case)


def project_of(folder: Path, store: str) -> Project:
    (folder / "configs").mkdir(exist_ok=True)
    return Project(Settings(project=folder, store=Path(store), pseudonym_key=SecretStr(KEY)))
