"""drift, realized_quality and run_costs: what the weekly monitors and the budget check report."""

import time
from datetime import date

import dagster as dg

from ds_pipeline.defs.partitions import check_spec, days_of, weekly_asset
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.erasure.exposure import retraining_is_due
from ds_pipeline.monitoring.budgets import check_budgets
from ds_pipeline.monitoring.drift import retraining_due_by
from ds_pipeline.monitoring.realized import RealizedQuality, Verdict, describe_limits
from ds_pipeline.monitoring.realized_weeks import verdict_of
from ds_pipeline.monitoring.week import drift_of, quality_of, why_nothing_is_judged
from ds_pipeline.progress import say
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.requirements import PsiLimits, RealizedQualityLimits

STARTED_AT = "ds_pipeline/started_at"  # run tag: when the whole job began, in seconds since 1970
LATE = {"dagster/priority": "-20"}
REALIZED = "realized_precision_at_top"


def monitoring_assets(use_case: UseCase) -> list[dg.AssetsDefinition]:
    """The monitors of a use case."""
    return [_drift(use_case), _realized_quality(use_case), _run_costs(use_case)]


def _drift(use_case: UseCase) -> dg.AssetsDefinition:
    key = dg.AssetKey([use_case.name, "drift"])
    limits = use_case.requirements.monitoring.psi

    @dg.asset(
        name="drift",
        deps=[dg.AssetKey([use_case.name, name]) for name in ("scores", "features")],
        description="How far this week's inputs and scores have moved from training (population stability index).",
        check_specs=[
            check_spec(
                "population_stability",
                key,
                use_case,
                blocking=False,
                description=f"Warns from a PSI of {limits.warn:g}; from {limits.act:g} on {_retraining(limits)}.",
            ),
            check_spec(
                "champion_has_seen_nobody_erased",
                key,
                use_case,
                blocking=False,
                description="Nobody whose rows the version in force was trained or judged on was erased since.",
            ),
        ],
        op_tags=LATE,
        **weekly_asset(use_case, group="monitoring", kinds={"numpy"}, owner=use_case.requirements.monitoring.owner),
    )
    def drift(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        bench, day = project.open(use_case), days_of(context)[0]
        table, erased = drift_of(bench, day), retraining_is_due(bench)
        worst = table.iloc[0]
        act, warn = (table.loc[table["status"] == status, "name"].tolist() for status in ("act", "warn"))
        due = retraining_due_by(table, limits, since=use_case.clock.instant(day))
        by = f" by {due:%Y-%m-%d %H:%M} UTC" if due else ""
        verdict = (
            f"retraining is due{by}: {', '.join(act)} at or above {limits.act:g}"
            if act
            else f"worth a look: {', '.join(warn)} at or above {limits.warn:g}; retraining is not due"
            if warn
            else f"all below {limits.warn:g}"
        )
        also = f"; {erased}" if erased is not None else ""
        say("drift", f"largest PSI {worst['psi']:.2f} ({worst['name']}); {verdict}{also}")
        severity = dg.AssetCheckSeverity.ERROR if act else dg.AssetCheckSeverity.WARN
        listed = dg.MetadataValue.table(
            [
                dg.TableRecord(dict(zip(table.columns, row, strict=True)))
                for row in table.round(4).itertuples(index=False)
            ]
        )
        return dg.MaterializeResult(
            metadata={"dagster/row_count": len(table), "retraining_is_due": bool(act or erased), "psi": listed},
            check_results=[
                dg.AssetCheckResult(
                    check_name="population_stability",
                    passed=not act and not warn,
                    severity=severity,
                    description=verdict,
                    metadata={
                        "largest": float(worst["psi"]),
                        "act": act,
                        "warn": warn,
                        **({"retraining_due_by": dg.MetadataValue.timestamp(due)} if due else {}),
                    },
                ),
                dg.AssetCheckResult(
                    check_name="champion_has_seen_nobody_erased",
                    passed=erased is None,
                    severity=dg.AssetCheckSeverity.WARN,
                    description=erased,
                ),
            ],
        )

    return drift


def _realized_quality(use_case: UseCase) -> dg.AssetsDefinition:
    key = dg.AssetKey([use_case.name, "realized_quality"])
    limits = use_case.requirements.monitoring.realized_quality

    @dg.asset(
        name="realized_quality",
        deps=[dg.AssetKey([use_case.name, name]) for name in ("scores", "matured_labels")],
        description=(
            f"The scores logged {use_case.clock.lag_weeks} weeks earlier, held against what then happened: for "
            "everyone, and for those whom no campaign reached. Empty until logged scores have matured."
        ),
        check_specs=[
            check_spec(REALIZED, key, use_case, blocking=False, description=describe_limits(one))
            for one in [limits]
            if one is not None
        ],
        op_tags=LATE,
        **weekly_asset(
            use_case, group="monitoring", kinds={"scikitlearn"}, owner=use_case.requirements.monitoring.owner
        ),
    )
    def realized(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        bench, day = project.open(use_case), days_of(context)[0]
        scored = use_case.clock.matured(day)
        quality = quality_of(bench, day)
        verdict = verdict_of(bench, day, limits) if limits else None
        told = _tell(quality, scored) if quality else why_nothing_is_judged(bench, day)
        say("realized_quality", told + (f"; {verdict.in_words}" if quality and verdict else ""))
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": quality.everyone.rows if quality else 0,
                "of_scoring_date": str(scored),
                **(quality.figures() if quality else {}),
            },
            check_results=[_check_realized(verdict, limits)] if limits and verdict else [],
        )

    return realized


def _retraining(limits: PsiLimits) -> str:
    hours = limits.retrain_within_hours
    return "retraining is due" + (f" within {hours} hours of the scoring date" if hours else "")


def _tell(quality: RealizedQuality, scored: date | None) -> str:
    """One line for people on the newest matured scoring date."""
    everyone = quality.everyone
    if everyone.base_rate is None:
        return f"{scored}: all {quality.undecided:,} outcomes are undecided"
    campaign = "-" if everyone.campaign_precision is None else f"{everyone.campaign_precision:.1%}"
    treated = f"; {quality.treated:,} were treated" if quality.treated else ""
    return f"{scored}: {campaign} of the campaign were positive, {everyone.base_rate:.1%} of all{treated}"


def _check_realized(verdict: Verdict, limits: RealizedQualityLimits) -> dg.AssetCheckResult:
    """Before enough weeks have matured there is nothing to fail; what cannot be told afterwards is a warning."""
    figures = {"precision": verdict.precision, "precision_of_everyone": verdict.precision_of_everyone}
    return dg.AssetCheckResult(
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


def _run_costs(use_case: UseCase) -> dg.AssetsDefinition:
    key = dg.AssetKey([use_case.name, "run_costs"])

    @dg.asset(
        name="run_costs",
        deps=[dg.AssetKey([use_case.name, "campaign_list"])],
        description="Time of the run so far and disk of the use case, against the budgets.",
        check_specs=[
            check_spec(
                "budgets", key, use_case, blocking=False, description="Minutes and gigabytes stay within budget."
            )
        ],
        op_tags={"dagster/priority": "-30"},
        **weekly_asset(use_case, group="monitoring", kinds={"python"}, owner=use_case.requirements.budgets.owner),
    )
    def run_costs(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        bench = project.open(use_case)
        started = context.run.tags.get(STARTED_AT)
        if started is None:
            started = str(context.instance.get_run_stats(context.run_id).start_time)
        minutes = (time.time() - float(started)) / 60
        spent = check_budgets(use_case.requirements.budgets, minutes=minutes, folder=bench.datasets.root)
        say("run_costs", "; ".join(f"{one.name} {one.used:.2f} of {one.allowed:g}" for one in spent))
        return dg.MaterializeResult(
            metadata={one.name: one.used for one in spent},
            check_results=[
                dg.AssetCheckResult(
                    check_name="budgets",
                    passed=all(one.is_kept for one in spent),
                    severity=dg.AssetCheckSeverity.ERROR,
                    metadata={f"{one.name}_allowed": one.allowed for one in spent},
                )
            ],
        )

    return run_costs
