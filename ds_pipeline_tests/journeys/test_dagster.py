"""The same pipeline from Dagster: its command line, its definitions, its records, its schedule."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from unittest import mock

import dagster as dg
import pytest

from ds_pipeline.defs.assemble import build_definitions

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Journey

DAY = "2011-08-01"
HISTORY = ("masked_transactions", "masked_customers", "features", "matured_labels")


EVERYTHING = 'key:"mini_lapse/*"'


def definitions(journey: Journey) -> dg.Definitions:
    return build_definitions(journey.root / "configs")


def key(journey: Journey, name: str) -> dg.AssetKey:
    return dg.AssetKey([journey.name, name])


@pytest.fixture
def instance(journey: Journey) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of the finished project."""
    with (
        mock.patch.dict(os.environ, journey.env, clear=True),
        dg.DagsterInstance.from_config(str(journey.root / ".dagster")) as instance,
    ):
        yield instance


def test_all_assets_of_a_week_without_its_history_fail_with_the_command_that_builds_it(new_journey: Journey) -> None:
    done = new_journey.materialize(EVERYTHING, DAY)

    assert done.code == 1
    assert "12 of 13 weeks: 2011-05-09" in done.text
    assert "ds-pipeline history mini_lapse --date 2011-08-01" in done.text
    assert not (new_journey.store / "registry").exists()
    # Dagster makes its databases before it imports the definitions, and with them the umask.
    written = [*(new_journey.root / ".dagster").rglob("*"), *new_journey.store.rglob("*")]
    assert len(written) > 10
    assert [path for path in written if path.stat().st_mode & 0o077 and path.name != "dagster.yaml"] == []


def test_all_assets_of_a_week_run_through_on_the_command_line_of_dagster(journey: Journey) -> None:
    before = journey.serving()
    command = ("dagster", "asset", "materialize", "--select", EVERYTHING, "--partition", DAY)

    done = journey.shell(*command, DAGSTER_MODULE_NAME="ds_pipeline.definitions")

    assert done.code == 0, done.text
    assert journey.serving() == before


def test_all_assets_of_a_week_fail_when_a_gate_refuses(journey: Journey) -> None:
    with journey.edit("requirements.yaml") as requirements:
        requirements["acceptance"]["calibration"]["maximum"] = 0.0001
    before = journey.serving()

    done = journey.materialize(EVERYTHING, DAY)

    assert done.code == 1
    assert "calibration" in done.text
    assert journey.serving() == before


def test_the_promotion_alone_does_not_pass_what_was_refused(journey: Journey) -> None:
    """A failed check stops what is downstream within its own run only; a later run must find the refusal itself."""
    with journey.edit("requirements.yaml") as requirements:
        requirements["acceptance"]["calibration"]["maximum"] = 0.0001
    assert journey.cli("train").code == 1

    done = journey.cli("promote", "--reason", "we need it")

    assert done.code == 2
    assert "calibration not reached" in done.err
    assert journey.status()["champion"]["version"] == "v0001"


def test_a_range_of_weeks_builds_history(new_journey: Journey) -> None:
    select = " or ".join(f'key:"mini_lapse/{name}"' for name in HISTORY)

    done = new_journey.materialize(select, "2011-05-09", DAY)

    assert done.code == 0, done.text
    trained = new_journey.cli("run")
    assert trained.code == 0, trained.text
    assert "all 13 weeks are there" in trained.out


def test_the_definitions_are_valid(journey: Journey) -> None:
    done = journey.shell("dagster", "definitions", "validate", "-m", "ds_pipeline.definitions")

    assert done.code == 0, done.text


def test_a_broken_use_case_is_one_failing_asset_and_the_good_one_works(journey: Journey) -> None:
    shutil.copytree(journey.case, journey.case.parent / "broken_one")
    (journey.case.parent / "broken_one" / "label.sql").unlink()
    defs = definitions(journey)
    keys = {spec.key.to_user_string() for spec in defs.resolve_all_asset_specs()}

    broken = journey.materialize('key:"broken_one/broken_use_case"', "")

    assert {name for name in keys if name.startswith("broken_one/")} == {"broken_one/broken_use_case"}
    assert "mini_lapse/scores" in keys
    assert broken.code == 1
    assert "configs/broken_one/label.sql: missing" in broken.text
    assert "configs/broken_one/label.sql: missing" in journey.type("run", "broken_one").err
    assert journey.cli("score").code == 0


def test_every_asset_tells_an_operator_what_it_is(journey: Journey) -> None:
    specs = {spec.key.path[-1]: spec for spec in definitions(journey).resolve_all_asset_specs()}

    assert len(specs) == 13
    assert {tuple(spec.key.path[:-1]) for spec in specs.values()} == {("mini_lapse",)}
    for spec in specs.values():
        assert spec.description
        assert spec.kinds
        assert spec.owners
        assert spec.tags["use_case"] == "mini_lapse"
        assert spec.tags["class"] == "public"
    groups = {spec.group_name for spec in specs.values()}
    assert groups == {"ingestion", "features", "training", "evaluation", "registry", "scoring", "monitoring"}


def test_each_threshold_is_a_blocking_check_on_the_evaluation(journey: Journey) -> None:
    checks = [spec for asset in definitions(journey).resolve_asset_graph().assets_defs for spec in asset.check_specs]
    gates = {spec.name: spec.blocking for spec in checks if spec.asset_key == key(journey, "holdout_evaluation")}

    assert gates == dict.fromkeys(
        (
            "precision_at_recall_60",
            "precision_in_top_decile",
            "gain_over_recency_rule",
            "no_worse_than_champion",
            "calibration",
            "training_rows",
            "training_positives",
            "undecided_labels",
        ),
        True,
    )


def test_the_records_of_a_run_are_what_the_interface_shows(journey: Journey, instance: dg.DagsterInstance) -> None:
    keys = [f"2011-{day}" for day in ("05-09", "06-20", "08-01")]
    for name in HISTORY:
        assert len(instance.get_materialized_partitions(key(journey, name))) == 13
        assert set(keys) <= instance.get_materialized_partitions(key(journey, name))
    event = instance.get_latest_materialization_event(key(journey, "features"))
    assert event is not None
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    assert metadata["dagster/row_count"].value > 100
    columns = [column.name for column in metadata["dagster/column_schema"].value.columns]
    assert columns[:2] == ["scoring_date", "customer_token"]
    assert "overdue_ratio" in columns


@pytest.mark.parametrize(
    ("asset", "check"),
    [
        pytest.param("masked_customers", "rows_reconcile", id="rows"),
        pytest.param("masked_transactions", "no_identifier_left", id="identifiers"),
        pytest.param("features", "schema", id="schema"),
        pytest.param("features", "replay", id="replay"),
    ],
)
def test_every_week_has_a_result_for_each_check(
    journey: Journey, instance: dg.DagsterInstance, asset: str, check: str
) -> None:
    """A run over many weeks once left all of them but one without a result."""
    found = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(key(journey, asset), check), limit=1000
    )
    passed = {record.partition for record in found if record.status.value == "SUCCEEDED"}

    assert len(passed - {None}) == 13


def live(journey: Journey) -> dg.ScheduleDefinition:
    """The schedule of the project once its source goes on for ever."""
    with journey.edit("problem.yaml") as problem:
        problem["clock"]["last"] = None
    (schedule,) = definitions(journey).schedules or []
    assert isinstance(schedule, dg.ScheduleDefinition)
    return schedule


def test_a_historical_use_case_has_no_schedule(journey: Journey) -> None:
    assert not definitions(journey).schedules


def test_a_live_use_case_runs_on_mondays_at_six_in_its_own_zone(journey: Journey) -> None:
    schedule = live(journey)

    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * 1", "Europe/London")
    assert schedule.job_name == "mini_lapse_weekly"


@pytest.mark.filterwarnings("ignore:Asset job .* varying BackfillPolicies")  # pytest undoes the filter in assemble.py
@pytest.mark.parametrize(
    ("tick", "asked"),
    [
        pytest.param(date(2011, 8, 1), [], id="scored-already"),
        pytest.param(date(2011, 8, 8), ["2011-08-08"], id="in-time"),
        pytest.param(date(2011, 8, 22), ["2011-08-08", "2011-08-15", "2011-08-22"], id="two-missed"),
    ],
)
def test_missed_mondays_are_caught_up_oldest_first(
    journey: Journey, instance: dg.DagsterInstance, tick: date, asked: list[str]
) -> None:
    schedule = live(journey)
    context = dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=datetime(tick.year, tick.month, tick.day, 5, tzinfo=UTC),  # six in London
        repository_def=definitions(journey).get_repository_def(),
    )

    requests = schedule.evaluate_tick(context).run_requests or []

    assert [request.partition_key for request in requests] == asked
    assert [request.run_key for request in requests] == [f"{week}@{tick}" for week in asked]
