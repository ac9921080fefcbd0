"""matured_labels and candidate: what happened, and a model trained on it."""

from datetime import date
from typing import Any

import dagster as dg

from ds_pipeline.defs.partitions import days_of, report_weeks, weekly_asset
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.progress import say
from ds_pipeline.training.candidate import SignedCandidate, sign_candidate
from ds_pipeline.training.labels import labels_schema
from ds_pipeline.training.weeks import LabelWeeks, mature_labels
from ds_pipeline.use_case.load import UseCase


def training_assets(use_case: UseCase) -> list[dg.AssetsDefinition]:
    """Labels and candidate of a use case."""
    return [_matured_labels(use_case), _candidate(use_case)]


def _matured_labels(use_case: UseCase) -> dg.AssetsDefinition:
    lag = use_case.clock.lag_weeks

    @weekly_asset(
        use_case,
        "matured_labels",
        after=["features"],
        description=(
            f"What happened to the population of the scoring date {lag} weeks earlier, the newest whose horizon of "
            f"{use_case.problem.horizon_days} days has closed. Empty in the first {lag} weeks."
        ),
        group="training",
        kinds={"duckdb"},
        is_ranged=True,
    )
    def matured_labels(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        made = mature_labels(project.open(use_case), days_of(context))
        say("matured_labels", made.summary)
        return report_weeks(context, _label_facts(made, use_case), [], schema=labels_schema(use_case.problem.entity))

    return matured_labels


def _candidate(use_case: UseCase) -> dg.AssetsDefinition:
    @weekly_asset(
        use_case,
        "candidate",
        after=["features", "matured_labels"],
        description=(
            "A model trained on the weeks before the holdout and its embargo, hyperparameters chosen on inner "
            "weeks. The same inputs give the same bytes. Signed; it serves nobody until its evaluation lets it."
        ),
        group="training",
        kinds={"scikitlearn", "optuna"},
    )
    def candidate(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        made = sign_candidate(project.open(use_case), days_of(context)[0])
        say("candidate", made.summary)
        return dg.MaterializeResult(metadata=_candidate_facts(made))

    return candidate


def _label_facts(made: LabelWeeks, use_case: UseCase) -> dict[date, dict[str, Any]]:
    return {
        day: {
            "dagster/row_count": table.num_rows,
            "of_scoring_date": str(use_case.clock.matured(day) or "none yet"),
            **made.figures(day),
        }
        for day, table in made.weeks.items()
    }


def _candidate_facts(made: SignedCandidate) -> dict[str, Any]:
    trained = made.trained
    return {
        "dagster/row_count": trained.rows,
        "rows_there": trained.rows_there,
        "undecided": made.undecided,
        "positives": trained.positives,
        "first_week": str(trained.weeks[0]),
        "last_week": str(trained.weeks[-1]),
        "parameters": trained.search.parameters,
        "validation_average_precision": trained.search.average_precision,
        "digest": made.digest,
    }
