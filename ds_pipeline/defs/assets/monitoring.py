"""drift, realized_quality and run_costs: what the weekly monitors and the budget check report."""

import time
from typing import Any

import dagster as dg

from ds_pipeline.defs.partitions import Check, days_of, weekly_asset
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.monitoring.budgets import Spent, check_budgets
from ds_pipeline.monitoring.realized import describe_limits
from ds_pipeline.monitoring.week import Drift, Realized, watch_drift, watch_outcomes
from ds_pipeline.progress import say
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.requirements import PsiLimits, RealizedQualityLimits

STARTED_AT = "ds_pipeline/started_at"  # run tag: when the whole job began, in seconds since 1970
LATE = {"dagster/priority": "-20"}
STABILITY, ERASED = "population_stability", "champion_has_seen_nobody_erased"
REALIZED = "realized_precision_at_top"


def monitoring_assets(use_case: UseCase) -> list[dg.AssetsDefinition]:
    """The monitors of a use case."""
    return [_drift(use_case), _realized_quality(use_case), _run_costs(use_case)]


def _drift(use_case: UseCase) -> dg.AssetsDefinition:
    limits = use_case.requirements.monitoring.psi

    @weekly_asset(
        use_case,
        "drift",
        after=["scores", "features"],
        description="How far this week's inputs and scores have moved from training (population stability index).",
        group="monitoring",
        kinds={"numpy"},
        owner=use_case.requirements.monitoring.owner,
        checks=[
            Check(
                STABILITY,
                f"Warns from a PSI of {limits.warn:g}; from {limits.act:g} on {_retraining(limits)}. What chance alone "
                "gives with so few people counts as neither.",
                is_blocking=False,
            ),
            Check(
                ERASED,
                "Nobody whose rows the version in force was trained or judged on was erased since.",
                is_blocking=False,
            ),
        ],
        op_tags=LATE,
    )
    def drift(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        week = watch_drift(project.open(use_case), days_of(context)[0])
        say("drift", week.summary)
        return dg.MaterializeResult(metadata=_drift_facts(week), check_results=_drift_checks(week))

    return drift


def _realized_quality(use_case: UseCase) -> dg.AssetsDefinition:
    limits = use_case.requirements.monitoring.realized_quality

    @weekly_asset(
        use_case,
        "realized_quality",
        after=["scores", "matured_labels"],
        description=(
            f"The scores logged {use_case.clock.lag_weeks} weeks earlier, held against what then happened: for "
            "everyone, and for those whom no campaign reached. Empty until logged scores have matured."
        ),
        group="monitoring",
        kinds={"scikitlearn"},
        owner=use_case.requirements.monitoring.owner,
        checks=[Check(REALIZED, describe_limits(limits), is_blocking=False)] if limits else [],
        op_tags=LATE,
    )
    def realized(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        week = watch_outcomes(project.open(use_case), days_of(context)[0])
        say("realized_quality", week.summary)
        return dg.MaterializeResult(metadata=_realized_facts(week), check_results=_realized_checks(week, limits))

    return realized


def _retraining(limits: PsiLimits) -> str:
    hours = limits.retrain_within_hours
    return "retraining is due" + (f" within {hours} hours of the scoring date" if hours else "")


def _drift_facts(week: Drift) -> dict[str, Any]:
    known = week.stability if week.people else week.stability.assign(chance=0.0)  # of nobody it is infinite
    rows = known.round(4).to_dict("records")
    return {
        "dagster/row_count": len(rows),
        "retraining_is_due": bool(week.of_status("act") or week.erased),
        "psi": dg.MetadataValue.table([dg.TableRecord({str(name): row[name] for name in row}) for row in rows]),
    }


def _drift_checks(week: Drift) -> list[dg.AssetCheckResult]:
    act, warn = week.of_status("act"), week.of_status("warn")
    due = {"retraining_due_by": dg.MetadataValue.timestamp(week.due)} if week.due else {}
    return [
        dg.AssetCheckResult(
            check_name=STABILITY,
            passed=not act and not warn,
            severity=dg.AssetCheckSeverity.ERROR if act else dg.AssetCheckSeverity.WARN,
            description=week.verdict,
            metadata={"largest": week.largest, "act": act, "warn": warn, **due},
        ),
        dg.AssetCheckResult(
            check_name=ERASED,
            passed=week.erased is None,
            severity=dg.AssetCheckSeverity.WARN,
            description=week.erased,
        ),
    ]


def _realized_facts(week: Realized) -> dict[str, Any]:
    quality = week.quality
    return {
        "dagster/row_count": quality.everyone.rows if quality else 0,
        "of_scoring_date": str(week.scored),
        **(quality.figures() if quality else {}),
    }


def _realized_checks(week: Realized, limits: RealizedQualityLimits | None) -> list[dg.AssetCheckResult]:
    """Before enough weeks have matured there is nothing to fail; what cannot be told afterwards is a warning."""
    verdict = week.verdict
    if verdict is None or limits is None:
        return []
    figures = {"precision": verdict.precision, "precision_of_everyone": verdict.precision_of_everyone}
    check = dg.AssetCheckResult(
        check_name=REALIZED,
        passed=verdict.is_kept,
        severity=dg.AssetCheckSeverity.ERROR if verdict.status == "critical" else dg.AssetCheckSeverity.WARN,
        description=verdict.in_words,
        metadata={
            "status": verdict.status,
            "warn": limits.warn,
            "critical": limits.critical,
            "rows": verdict.rows,
            "treated": verdict.treated,
            "weeks": verdict.weeks,
            **{name: value for name, value in figures.items() if value is not None},
        },
    )
    return [check]


def _run_costs(use_case: UseCase) -> dg.AssetsDefinition:

    @weekly_asset(
        use_case,
        "run_costs",
        after=["campaign_list"],
        description="Time of the run so far and disk of the use case, against the budgets.",
        group="monitoring",
        kinds={"python"},
        owner=use_case.requirements.budgets.owner,
        checks=[Check("budgets", "Minutes and gigabytes stay within budget.", is_blocking=False)],
        op_tags={"dagster/priority": "-30"},
    )
    def run_costs(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        minutes = (time.time() - _started_at(context)) / 60
        folder = project.open(use_case).datasets.root
        spent = check_budgets(use_case.requirements.budgets, minutes=minutes, folder=folder)
        say("run_costs", "; ".join(budget.in_words for budget in spent))
        return dg.MaterializeResult(
            metadata={budget.name: budget.used for budget in spent}, check_results=[_kept(spent)]
        )

    return run_costs


def _started_at(context: dg.AssetExecutionContext) -> float:
    """When the whole job began, in seconds since 1970; of a run from the UI, when the run did."""
    return float(context.run.tags.get(STARTED_AT) or context.instance.get_run_stats(context.run_id).start_time or 0)


def _kept(spent: list[Spent]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name="budgets",
        passed=all(budget.is_kept for budget in spent),
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={f"{budget.name}_allowed": budget.allowed for budget in spent},
    )
