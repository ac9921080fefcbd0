"""promotion: a candidate whose decision is in force becomes a signed version; nothing else changes what serves."""

import dagster as dg

from ds_pipeline.defs.partitions import Check, days_of, weekly_asset
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.progress import say
from ds_pipeline.promotion.promote import promote_candidate
from ds_pipeline.registry.promotion import Promotion
from ds_pipeline.use_case.load import UseCase

IN_FORCE = "is_in_force"


def promotion_asset(use_case: UseCase) -> dg.AssetsDefinition:
    """The promotion of a use case."""

    @weekly_asset(
        use_case,
        "promotion",
        after=["holdout_evaluation"],
        description=(
            "The signed version that came of the decision. It verifies the decision again: that every gate passed, "
            "and that candidate, holdout, requirements and code are the very ones that were judged."
        ),
        group="registry",
        kinds={"scikitlearn"},
        checks=[
            Check(IN_FORCE, "The candidate serves from now on, or does already. A promotion never goes back in time.")
        ],
    )
    def promotion(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        bench, day = project.open(use_case), days_of(context)[0]
        made = promote_candidate(bench, day, actor="pipeline", reason="all gates passed")
        say("promotion", made.reason or f"{made.champion.version} is in force")
        champion = {"champion": made.champion.version, "as_of": str(made.champion.as_of)}
        return dg.MaterializeResult(metadata={"outcome": made.outcome, **champion}, check_results=[_in_force(made)])

    return promotion


def _in_force(made: Promotion) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(check_name=IN_FORCE, passed=made.outcome != "refused", description=made.reason)
