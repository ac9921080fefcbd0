"""The weekly clock as Dagster sees it, and what is reported of each week."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace

import dagster as dg
import pyarrow as pa
import pytest

from ds_pipeline.defs.partitions import (
    Check,
    column_schema,
    data_class,
    days_of,
    report_weeks,
    weekly_asset,
    weekly_partitions,
)
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.sources import Sources

FIRST, SECOND = date(2011, 3, 7), date(2011, 3, 14)


def live(use_case: UseCase) -> UseCase:
    clock = use_case.problem.clock.model_copy(update={"last": None})
    return replace(use_case, problem=use_case.problem.model_copy(update={"clock": clock}))


def test_a_historical_use_case_has_a_key_for_each_scoring_date_to_the_last(shop: UseCase) -> None:
    keys = weekly_partitions(shop).get_partition_keys(current_time=datetime(2026, 1, 1, tzinfo=UTC))

    assert keys == [str(day) for day in shop.clock.dates_until(date(2011, 12, 5))]


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        pytest.param(datetime(2011, 6, 12, 22, 59, tzinfo=UTC), "2011-06-06", id="sunday-night-in-London"),
        pytest.param(datetime(2011, 6, 12, 23, 1, tzinfo=UTC), "2011-06-13", id="monday-in-London"),
        pytest.param(datetime(2011, 6, 15, tzinfo=UTC), "2011-06-13", id="in-the-week"),
    ],
)
def test_a_live_use_case_gets_the_key_of_a_monday_on_that_monday(shop: UseCase, now: datetime, newest: str) -> None:
    assert weekly_partitions(live(shop)).get_partition_keys(current_time=now)[-1] == newest


def test_the_class_of_a_use_case_is_that_of_its_strictest_table(shop: UseCase) -> None:
    tables = shop.sources.model_dump(mode="json", exclude_none=True)["tables"]
    stricter = tables | {"plans": tables["plans"] | {"data_class": "internal", "synthetic": False}}

    assert data_class(shop) == "public"
    assert data_class(replace(shop, sources=Sources.model_validate({"tables": stricter}))) == "internal"


@pytest.mark.parametrize(("owner", "named"), [("crm", "team:crm"), (None, "")], ids=["its-own", "of-the-problem"])
def test_every_asset_of_a_use_case_has_its_name_its_owner_and_what_it_waits_for(
    shop: UseCase, owner: str | None, named: str
) -> None:
    checks = [Check("schema", "as declared"), Check("freshness", "of this week", is_blocking=False)]

    @weekly_asset(
        shop, "features", after=["masked_visits"], description="x", group="features", kinds={"duckdb"}, owner=owner,
        checks=checks, is_ranged=owner is None,
    )  # fmt: skip
    def features() -> dg.MaterializeResult:
        return dg.MaterializeResult()

    spec = features.get_asset_spec()
    assert spec.key == dg.AssetKey(["shop", "features"])
    assert [dep.asset_key for dep in spec.deps] == [dg.AssetKey(["shop", "masked_visits"])]
    assert list(spec.owners) == [named or f"team:{shop.problem.owner}"]
    assert (spec.tags["use_case"], spec.tags["class"], spec.group_name) == ("shop", "public", "features")
    assert features.partitions_def == weekly_partitions(shop)
    assert features.backfill_policy == (
        dg.BackfillPolicy.single_run() if owner is None else dg.BackfillPolicy.multi_run(1)
    )
    assert {(check.name, check.blocking, check.description) for check in features.check_specs} == {
        ("schema", True, "as declared"), ("freshness", False, "of this week"),
    }  # fmt: skip
    assert {check.partitions_def for check in features.check_specs} == {weekly_partitions(shop)}


def test_a_schema_is_shown_by_name_and_type() -> None:
    shown = column_schema(pa.schema([("n", pa.int64()), ("at", pa.timestamp("us", tz="UTC"))]))

    assert [(column.name, column.type) for column in shown.columns] == [("n", "int64"), ("at", "timestamp[us, tz=UTC]")]


class Context:
    """What is used of the context of an asset, and what was told to it."""

    asset_key = dg.AssetKey(["shop", "features"])
    instance = SimpleNamespace(event_log_storage=SimpleNamespace())

    def __init__(self, *keys: str) -> None:
        self.partition_keys = list(keys)
        self.metadata: dict[str, dict[str, object]] = {}
        self.events: list[dg.AssetCheckEvaluation] = []

    def add_asset_metadata(self, metadata: dict[str, object], *, partition_key: str) -> None:
        self.metadata[partition_key] = metadata

    def log_event(self, event: dg.AssetCheckEvaluation) -> None:
        self.events.append(event)


CHECKS = [dg.AssetCheckResult(check_name="schema", passed=True), dg.AssetCheckResult(check_name="replay", passed=False)]


def test_a_run_builds_its_days_oldest_first() -> None:
    assert days_of(Context(str(SECOND), str(FIRST))) == [FIRST, SECOND]  # type: ignore[arg-type]


def test_one_week_is_the_result_itself() -> None:
    context = Context()

    result = report_weeks(context, {FIRST: {"rows": 3}}, CHECKS, schema=pa.schema([("n", pa.int64())]))  # type: ignore[arg-type]

    assert result.metadata is not None
    assert set(result.metadata) == {"rows", "dagster/column_schema"}
    assert list(result.check_results or []) == CHECKS
    assert (context.metadata, context.events) == ({}, [])


def test_of_many_weeks_each_has_its_metadata_and_its_checks() -> None:
    """Dagster records one result for the whole run, and every week but one looked as if it was never checked."""
    context = Context()

    result = report_weeks(context, {FIRST: {"rows": 3}, SECOND: {"rows": 4}}, CHECKS)  # type: ignore[arg-type]

    assert context.metadata == {str(FIRST): {"rows": 3}, str(SECOND): {"rows": 4}}
    assert [(event.partition, event.check_name, event.passed) for event in context.events] == [
        (str(day), name, passed) for day in (FIRST, SECOND) for name, passed in (("schema", True), ("replay", False))
    ]
    assert result.metadata == {}
