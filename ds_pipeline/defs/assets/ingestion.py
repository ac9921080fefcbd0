"""masked_<table>: each source behind the PII boundary, and its quarantine."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg

from ds_pipeline.boundary.mask import MaskedSource, mask_source
from ds_pipeline.defs.partitions import Check, days_of, report_weeks, weekly_asset
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.errors import AnonymityError
from ds_pipeline.ingestion.possible import NO_LIMIT, total_of_weeks
from ds_pipeline.progress import say
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.sources import Table
from ds_pipeline.use_case.sql import masked_schema

NEW_KEY = "ds_pipeline/new_key"  # run tag: whoever started the run accepts that the pseudonym key has changed

SHAPE_CHECK, POSSIBLE_CHECK, ANONYMITY_CHECK = "shape_is_unchanged", "events_are_possible", "k_anonymity"


def ingestion_assets(use_case: UseCase) -> list[dg.AssetsDefinition]:
    """One masked asset per source table."""
    return [_masked_table(use_case, name) for name in use_case.sources.tables]


def _masked_table(use_case: UseCase, name: str) -> dg.AssetsDefinition:
    table = use_case.sources.tables[name]
    origin = "synthetic" if table.synthetic else "real"
    limited_by = {limit.table for limit in table.possible.limits.values()} if table.possible else set()

    @weekly_asset(
        use_case,
        f"masked_{name}",
        after=[f"masked_{other}" for other in sorted(limited_by)],
        description=(
            f"Rows of {name} ({origin}, class {table.data_class}) that became known in the week before the scoring "
            "date, every column treated as sources.yaml declares. Faulty rows lie in quarantine with their reasons."
        ),
        group="ingestion",
        kinds={"pyarrow"},
        is_ranged=True,
        checks=_checks_of(table),
    )
    def masked(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        bench, days = project.open(use_case), days_of(context)
        try:
            done = mask_source(bench, name, days, accepts_new_key=NEW_KEY in context.run.tags)
        except AnonymityError as breach:
            context.log_event(_breach(breach, context.asset_key, days[-1]))
            raise
        for line in done.in_words():
            say(f"masked_{name}", line)
        return report_weeks(context, _metadata(done), list(_results(done, table)), schema=masked_schema(table))

    return masked


def _checks_of(table: Table) -> Iterator[Check]:
    yield Check("rows_reconcile", "Rows read = kept + quarantined + suppressed (people who were erased).")
    yield Check(
        "no_identifier_left", "An independent scan found no identifier in any string column; a finding stops the run."
    )
    shape = "The source has the columns and types it had before. A column that is gone stops the run."
    yield Check(SHAPE_CHECK, shape, is_blocking=False)
    if table.possible is not None:
        limits = " and ".join(f"{kind} {limit.table}.{limit.column}" for kind, limit in table.possible.limits.items())
        yield Check(
            POSSIBLE_CHECK,
            f"Every event lies within what is possible for its person: {limits}. Rows that do not are counted, and "
            "stay.",
            is_blocking=False,
        )
    if table.k_anonymity is not None:
        yield Check(
            ANONYMITY_CHECK,
            f"At least {table.k_anonymity.k} people share each combination of the quasi-identifiers that stay, judged "
            f"from {table.k_anonymity.from_entities:,} people on. A breach stops the run and says which columns to "
            "widen.",
        )


def _results(done: MaskedSource, table: Table) -> Iterator[dg.AssetCheckResult]:
    """The checks of a step that ended; whatever it would have raised of has passed."""
    yield dg.AssetCheckResult(
        check_name="rows_reconcile",
        passed=done.read == done.kept + done.quarantined + done.suppressed,
        metadata={"rows_read": done.read, "rows_suppressed": done.suppressed},
    )
    yield dg.AssetCheckResult(check_name="no_identifier_left", passed=True)
    yield dg.AssetCheckResult(
        check_name=SHAPE_CHECK,
        passed=not done.drift,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"changes": "; ".join(done.drift) or "none"},
    )
    if table.possible is not None:
        broken = {NO_LIMIT: 0} | total_of_weeks(done.impossible.values())
        yield dg.AssetCheckResult(
            check_name=POSSIBLE_CHECK,
            passed=not any(rows for kind, rows in broken.items() if kind != NO_LIMIT),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={**broken, "rows": done.kept},
        )
    if done.anonymity is not None:
        yield dg.AssetCheckResult(check_name=ANONYMITY_CHECK, passed=True, metadata=done.anonymity.figures())


def _breach(breach: AnonymityError, asset_key: dg.AssetKey, day: date) -> dg.AssetCheckEvaluation:
    """The failed check that a breach leaves behind: the step itself ends without a result."""
    return dg.AssetCheckEvaluation(
        asset_key=asset_key,
        check_name=ANONYMITY_CHECK,
        passed=False,
        partition=str(day),
        metadata=breach.figures,
    )


def _metadata(done: MaskedSource) -> dict[date, dict[str, Any]]:
    metadata = {
        week.day: {
            "dagster/row_count": week.kept.num_rows,
            "rows_read": week.read,
            "rows_quarantined": week.quarantined.num_rows,
            "quarantined_by_reason": week.by_reason,
            "rows_suppressed": week.suppressed,
            "texts_withheld": week.withheld,
            **{kind if kind == NO_LIMIT else f"impossible_{kind}": n for kind, n in done.impossible[week.day].items()},
            "digest": done.digests[week.day],
        }
        for week in done.weeks
    }
    if done.anonymity is not None:
        figures = done.anonymity.figures()
        metadata[done.weeks[-1].day] |= {f"{ANONYMITY_CHECK}_{fact}": figure for fact, figure in figures.items()}
    return metadata
