"""features: one row per member of the population, as everything was known before the scoring date."""

from datetime import date

import dagster as dg

from ds_pipeline.defs.partitions import Check, days_of, report_weeks, weekly_asset
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.digests import SHORT
from ds_pipeline.features.build import features_schema
from ds_pipeline.features.weeks import FeatureWeeks, make_features
from ds_pipeline.progress import say
from ds_pipeline.use_case.load import UseCase


def features_asset(use_case: UseCase) -> dg.AssetsDefinition:
    """The features of a use case."""

    @weekly_asset(
        use_case,
        "features",
        after=[f"masked_{name}" for name in use_case.sources.tables],
        description=(
            "Features of everyone in scope at the scoring date, made from rows known strictly before it. "
            "Read by training and by scoring: the same partition, so the two cannot differ."
        ),
        group="features",
        kinds={"duckdb", "pandera"},
        is_ranged=True,
        checks=[
            Check("schema", "Columns, types, nulls and ranges of features.yaml."),
            Check("replay", "A sampled week, rebuilt from sources cut at its date, has the same bytes."),
        ],
    )
    def features(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        made = make_features(project.open(use_case), days_of(context))
        say("features", made.summary)
        return report_weeks(context, _facts(made), _checks(made, use_case), schema=features_schema(use_case))

    return features


def _facts(made: FeatureWeeks) -> dict[date, dict[str, int | str]]:
    return {day: {"dagster/row_count": week.rows, "digest": week.digest} for day, week in made.weeks.items()}


def _checks(made: FeatureWeeks, use_case: UseCase) -> list[dg.AssetCheckResult]:
    """Both have passed: nothing would be stored otherwise."""
    facts: dict[str, dict[str, int | str]] = {
        "schema": {"rows": made.rows},
        "replay": {"week": str(made.replayed), "sql_and_schema": use_case.features_digest[:SHORT]},
    }
    return [dg.AssetCheckResult(check_name=name, passed=True, metadata=metadata) for name, metadata in facts.items()]
