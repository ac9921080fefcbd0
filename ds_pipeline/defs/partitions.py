"""The weekly clock as Dagster partitions, and the few things every weekly asset has in common."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

import dagster as dg
import pyarrow as pa

from ds_pipeline.clock import WEEK
from ds_pipeline.defs.event_log import in_one_commit
from ds_pipeline.use_case.load import UseCase

OWNER_TEAM = "team:"


def weekly_partitions(use_case: UseCase) -> dg.WeeklyPartitionsDefinition:
    """One key per scoring date; a live use case gets each Monday's key on that Monday."""
    dates = use_case.problem.clock
    return dg.WeeklyPartitionsDefinition(
        start_date=str(dates.first),
        end_date=str(dates.last + WEEK) if dates.last else None,  # exclusive
        day_offset=1,  # Monday
        timezone=dates.time_zone,
        end_offset=0 if dates.last else 1,
    )


class Check(NamedTuple):
    """An inline check of an asset: what it claims, and whether a failure stops the run."""

    name: str
    claim: str
    is_blocking: bool = True


def weekly_asset(
    use_case: UseCase,
    name: str,
    *,
    after: Iterable[str],
    description: str,
    group: str,
    kinds: set[str],
    owner: str | None = None,
    checks: Iterable[Check] = (),
    is_ranged: bool = False,
    **more: Any,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Makes a function a weekly asset of a use case.

    Args:
        after: the names of the assets it waits for.
        owner: that of the problem, if it is nobody else.
        is_ranged: one run can build many weeks at once.
        more: as dg.asset takes it.
    """
    partitions = weekly_partitions(use_case)
    key = dg.AssetKey([use_case.name, name])
    return dg.asset(
        name=name,
        key_prefix=[use_case.name],
        deps=[dg.AssetKey([use_case.name, other]) for other in after],
        description=description,
        group_name=group,
        kinds=kinds,
        owners=[OWNER_TEAM + (owner or use_case.problem.owner)],
        tags={"use_case": use_case.name, "class": data_class(use_case)},
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run() if is_ranged else dg.BackfillPolicy.multi_run(1),
        check_specs=[
            dg.AssetCheckSpec(
                check.name, asset=key, blocking=check.is_blocking, description=check.claim, partitions_def=partitions
            )
            for check in checks
        ],
        **more,
    )


def data_class(use_case: UseCase) -> str:
    """The strictest class among the tables of a use case."""
    classes = ["public", "internal", "confidential", "restricted"]
    return max((table.data_class for table in use_case.sources.tables.values()), key=classes.index)


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The scoring dates a run is to build, oldest first."""
    return [date.fromisoformat(key) for key in sorted(context.partition_keys)]


def report_weeks(
    context: dg.AssetExecutionContext,
    metadata: Mapping[date, Mapping[str, Any]],
    checks: list[dg.AssetCheckResult],
    *,
    schema: pa.Schema | None = None,
) -> dg.MaterializeResult:
    """The result of an asset for the weeks it built: metadata and checks per week.

    In a run over many weeks Dagster records a single check evaluation without a partition, so each week's is logged
    as well; otherwise every week would show its checks as never run.
    """
    days = list(metadata)
    shared = {"dagster/column_schema": column_schema(schema)} if schema is not None else {}
    if len(days) == 1:
        return dg.MaterializeResult(metadata={**metadata[days[0]], **shared}, check_results=checks)
    with in_one_commit(context.instance):
        for day in days:
            context.add_asset_metadata(dict(metadata[day]), partition_key=str(day))
            for check in checks:
                context.log_event(
                    dg.AssetCheckEvaluation(
                        asset_key=context.asset_key,
                        check_name=str(check.check_name),
                        passed=check.passed,
                        partition=str(day),
                        metadata={},
                    )
                )
    return dg.MaterializeResult(metadata=shared, check_results=checks)


def column_schema(schema: pa.Schema) -> dg.TableSchema:
    """An Arrow schema as Dagster shows it."""
    return dg.TableSchema(columns=[dg.TableColumn(field.name, str(field.type)) for field in schema])
