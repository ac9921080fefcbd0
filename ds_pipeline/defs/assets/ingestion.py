"""masked_<table>: each source behind the PII boundary, and its quarantine."""

from datetime import date
from typing import Any

import dagster as dg

from ds_pipeline.boundary.cross import SHAPE, MaskedWeek, masked_weeks
from ds_pipeline.defs.assets.anonymity import ANONYMITY, anonymity_facts, anonymity_specs, require_anonymous
from ds_pipeline.defs.partitions import check_spec, days_of, report_weeks, weekly_asset
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.ingestion.possible import NO_LIMIT, count_impossible
from ds_pipeline.progress import say
from ds_pipeline.store.datasets import KEY
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.sql import masked_schema
from ds_pipeline.workbench import Workbench

NEW_KEY = "ds_pipeline/new_key"  # run tag: whoever started the run accepts that the pseudonym key has changed

SHAPE_CHECK, POSSIBLE_CHECK = "shape_is_unchanged", "events_are_possible"


def ingestion_assets(use_case: UseCase) -> list[dg.AssetsDefinition]:
    """One masked asset per source table."""
    return [_masked_table(use_case, name) for name in use_case.sources.tables]


def _masked_table(use_case: UseCase, name: str) -> dg.AssetsDefinition:
    table = use_case.sources.tables[name]
    key = dg.AssetKey([use_case.name, f"masked_{name}"])
    origin = "synthetic" if table.synthetic else "real"
    owner = use_case.problem.owner
    limited_by = {limit.table for limit in table.possible.limits.values()} if table.possible else set()

    @dg.asset(
        deps=[dg.AssetKey([use_case.name, f"masked_{other}"]) for other in sorted(limited_by)],
        name=f"masked_{name}",
        description=(
            f"Rows of {name} ({origin}, class {table.data_class}) that became known in the week before the scoring "
            "date, every column treated as sources.yaml declares. Faulty rows lie in quarantine with their reasons."
        ),
        check_specs=[
            check_spec(
                "rows_reconcile",
                key,
                use_case,
                blocking=True,
                description="Rows read = kept + quarantined + suppressed (people who were erased).",
            ),
            check_spec(
                "no_identifier_left",
                key,
                use_case,
                blocking=True,
                description="An independent scan found no identifier in any string column; a finding stops the run.",
            ),
            check_spec(
                SHAPE_CHECK,
                key,
                use_case,
                blocking=False,
                description="The source has the columns and types it had before. A column that is gone stops the run.",
            ),
            *_possible_specs(use_case, name, key),
            *anonymity_specs(use_case, name, key),
        ],
        **weekly_asset(use_case, group="ingestion", kinds={"pyarrow"}, owner=owner, ranged=True),
    )
    def masked(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        bench = project.open(use_case)
        if NEW_KEY not in context.run.tags:
            bench.datasets.require_key()
        weeks = masked_weeks(bench, name, days_of(context))
        anonymity = require_anonymous(context, bench, name, weeks)  # before anything is written
        impossible = _impossible(bench, name, weeks)
        metadata: dict[date, dict[str, Any]] = {}
        rewritten: list[int] = []  # rows more or fewer in weeks that were stored before and came out different
        for week in weeks:
            datasets, day = bench.datasets, str(week.day)
            info = {
                "source": week.source,
                "source_rows": week.source_rows,
                "read": week.read,
                "quarantined": week.by_reason,
                "suppressed": week.suppressed,
                SHAPE: week.shape,
                "impossible": impossible[week.day],
                KEY: datasets.key_fingerprint,
            }
            datasets.store.put(week.quarantined, dataset=datasets.quarantine(name), partition=day, info=info)
            earlier = datasets.store.find(datasets.masked(name), day)
            snapshot = datasets.store.put(week.kept, dataset=datasets.masked(name), partition=day, info=info)
            if earlier is not None and earlier.digest != snapshot.digest:
                rewritten.append(week.kept.num_rows - earlier.rows)
            metadata[week.day] = {
                "dagster/row_count": week.kept.num_rows,
                "rows_read": week.read,
                "rows_quarantined": week.quarantined.num_rows,
                "quarantined_by_reason": week.by_reason,
                "rows_suppressed": week.suppressed,
                "texts_withheld": week.withheld,
                **{
                    kind if kind == NO_LIMIT else f"impossible_{kind}": rows
                    for kind, rows in impossible[week.day].items()
                },
                "digest": snapshot.digest,
            }
        if anonymity is not None:
            metadata[weeks[-1].day] |= {f"{ANONYMITY}_{fact}": one for fact, one in anonymity_facts(anonymity).items()}
        read, kept = sum(week.read for week in weeks), sum(week.kept.num_rows for week in weeks)
        aside, suppressed = sum(week.quarantined.num_rows for week in weeks), sum(week.suppressed for week in weeks)
        left_out = f", {suppressed:,} left out of people who were erased" if suppressed else ""
        say(
            f"masked_{name}",
            f"{read:,} rows read, {kept:,} kept and masked, {aside:,} quarantined{left_out}; {len(weeks)} weeks",
        )
        if withheld := sum(week.withheld for week in weeks):
            say(
                f"masked_{name}",
                f"{withheld:,} texts withheld whole: the scan still found an identifier in them after the masking",
            )
        drift = weeks[0].drift
        if drift:
            say(f"masked_{name}", f"WARNING: the shape of the source has changed; {'; '.join(drift)}")
        broken = _sums(impossible)
        unknown = broken.pop(NO_LIMIT, 0)
        if unknown:
            say(f"masked_{name}", f"{unknown:,} rows of people of whom no limit was known by the end of their week")
        if any(broken.values()):
            counts = ", ".join(f"{kind}: {rows:,}" for kind, rows in broken.items())
            say(
                f"masked_{name}", f"WARNING: events that cannot have been, by the limit they break; {counts}. They stay"
            )
        if rewritten:
            say(
                f"masked_{name}",
                f"WARNING: {len(rewritten)} weeks differ from what was stored before ({sum(rewritten):+,} rows): "
                "the source has rewritten its past. Scores that are recorded stay",
            )
        checks = [
            dg.AssetCheckResult(
                check_name="rows_reconcile",
                passed=read == kept + aside + suppressed,
                metadata={"rows_read": read, "rows_suppressed": suppressed},
            ),
            dg.AssetCheckResult(check_name="no_identifier_left", passed=True),  # it raised otherwise
            dg.AssetCheckResult(
                check_name=SHAPE_CHECK,
                passed=not drift,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"changes": "; ".join(drift) or "none"},
            ),
        ]
        if table.possible is not None:
            checks.append(
                dg.AssetCheckResult(
                    check_name=POSSIBLE_CHECK,
                    passed=not any(broken.values()),
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={**broken, NO_LIMIT: unknown, "rows": kept},
                )
            )
        if anonymity is not None:
            checks.append(dg.AssetCheckResult(check_name=ANONYMITY, passed=True, metadata=anonymity_facts(anonymity)))
        return report_weeks(context, metadata, checks, schema=masked_schema(table))

    return masked


def _possible_specs(use_case: UseCase, name: str, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The check of a table that declares when its rows can be true."""
    possible = use_case.sources.tables[name].possible
    if possible is None:
        return []
    limits = " and ".join(f"{kind} {one.table}.{one.column}" for kind, one in possible.limits.items())
    text = f"Every event lies within what is possible for its person: {limits}. Rows that do not are counted, and stay."
    return [check_spec(POSSIBLE_CHECK, key, use_case, blocking=False, description=text)]


def _impossible(bench: Workbench, name: str, weeks: list[MaskedWeek]) -> dict[date, dict[str, int]]:
    """For each week the rows that break a limit, by its name."""
    until = {week.day: bench.use_case.clock.dates_until(week.day) for week in weeks}
    rows = {week.day: week.kept for week in weeks}
    return count_impossible(name, bench.use_case.sources, rows, read_week=bench.datasets.read_week, until=until)


def _sums(impossible: dict[date, dict[str, int]]) -> dict[str, int]:
    """The counts of all weeks together, by the name of the limit."""
    kinds = dict.fromkeys(kind for counts in impossible.values() for kind in counts)
    return {kind: sum(counts[kind] for counts in impossible.values()) for kind in kinds}
