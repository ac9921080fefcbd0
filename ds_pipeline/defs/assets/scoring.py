"""scores and campaign_list: the week's answer, and what the consumer receives."""

from datetime import timedelta

import dagster as dg

from ds_pipeline.defs.partitions import days_of, weekly_asset
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.progress import say
from ds_pipeline.scoring.lists import deliver
from ds_pipeline.scoring.serve import score_day
from ds_pipeline.use_case.load import UseCase

# In a run of everything the scores wait for the promotion, although they do not depend on it: a refusal must not stop
# them, and a promotion should serve at once. Dagster starts the ready step with the highest priority.
AFTER_THE_REST = {"dagster/priority": "-10"}


def scoring_assets(use_case: UseCase) -> list[dg.AssetsDefinition]:
    """Scores and list of a use case."""
    return [_scores(use_case), _campaign_list(use_case)]


def _scores(use_case: UseCase) -> dg.AssetsDefinition:
    @weekly_asset(
        use_case,
        "scores",
        after=["features"],
        description=(
            "Probability, rank, decile and decision for everyone in scope, by the version in force for the date. "
            "Recorded once: a rerun reads the prediction log and changes nothing."
        ),
        group="scoring",
        kinds={"scikitlearn"},
        op_tags=AFTER_THE_REST,
    )
    def scores(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        week = score_day(project.open(use_case), days_of(context)[0])
        say("scores", week.summary)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(week.scores),
                "model_version": week.model_version,
                "is_new": week.is_new,
                "features_have_changed_since": week.features_have_changed,
                "erased_since": week.erased,
                "mean_score": None if week.scores.empty else float(week.scores["score"].mean()),
                "chosen": week.chosen,
            }
        )

    return scores


def _campaign_list(use_case: UseCase) -> dg.AssetsDefinition:
    contract = use_case.contract
    policy = None
    if use_case.clock.last is None:
        policy = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=7, hours=contract.freshness_hours))

    @weekly_asset(
        use_case,
        "campaign_list",
        after=["scores"],
        description=f"{contract.consumer}: {contract.selection}. If it fails: {contract.failure_behaviour}",
        group="scoring",
        kinds=set(contract.format),
        freshness_policy=policy,
        op_tags=AFTER_THE_REST,
    )
    def campaign_list(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        delivery = deliver(project.open(use_case), days_of(context)[0])
        say("campaign_list", delivery.summary)
        return dg.MaterializeResult(
            metadata={"dagster/row_count": delivery.rows, "left_out": delivery.left_out, "files": delivery.files}
        )

    return campaign_list
