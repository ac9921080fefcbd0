"""features: one row per member of the population, as everything was known before the scoring date."""

import dagster as dg
import pyarrow as pa

from ds_pipeline.boundary.leak_check import require_clean_table
from ds_pipeline.defs.partitions import check_spec, days_of, report_weeks, weekly_asset
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.digests import SHORT
from ds_pipeline.features.build import features_schema
from ds_pipeline.features.replay import require_equal, sample_day
from ds_pipeline.features.schema import features_frame_schema, require_valid
from ds_pipeline.features.weeks import features_of_days, replayed_features
from ds_pipeline.progress import say
from ds_pipeline.use_case.load import UseCase


def features_asset(use_case: UseCase) -> dg.AssetsDefinition:
    """The features of a use case."""
    key = dg.AssetKey([use_case.name, "features"])

    @dg.asset(
        name="features",
        deps=[dg.AssetKey([use_case.name, f"masked_{name}"]) for name in use_case.sources.tables],
        description=(
            "Features of everyone in scope at the scoring date, made from rows known strictly before it. "
            "Read by training and by scoring: the same partition, so the two cannot differ."
        ),
        check_specs=[
            check_spec(
                "schema", key, use_case, blocking=True, description="Columns, types, nulls and ranges of features.yaml."
            ),
            check_spec(
                "replay",
                key,
                use_case,
                blocking=True,
                description="A sampled week, rebuilt from sources cut at its date, has the same bytes.",
            ),
        ],
        **weekly_asset(
            use_case, group="features", kinds={"duckdb", "pandera"}, owner=use_case.problem.owner, ranged=True
        ),
    )
    def features(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        bench = project.open(use_case)
        days = days_of(context)
        made = features_of_days(bench, use_case, days)
        require_valid(pa.concat_tables(made.values()).to_pandas(), features_frame_schema(use_case), where="features")
        require_clean_table(bench, pa.concat_tables(made.values()), where="features")
        replayed = sample_day(days)
        require_equal(replayed, made[replayed], replayed_features(bench, replayed))
        inputs = bench.datasets.inputs_digests(days[-1])
        metadata = {}
        for day, table in made.items():
            snapshot = bench.datasets.store.put(
                table, dataset=bench.datasets.features, partition=str(day), info={"inputs": inputs[day]}
            )
            metadata[day] = {"dagster/row_count": table.num_rows, "digest": snapshot.digest}
        rows = sum(table.num_rows for table in made.values())
        say("features", f"{rows:,} rows in {len(days)} weeks; {replayed} replayed from its sources: same bytes")
        checks = [
            dg.AssetCheckResult(
                check_name="schema", passed=True, metadata={"rows": rows}
            ),  # require_valid raised otherwise
            dg.AssetCheckResult(  # require_equal raised otherwise
                check_name="replay",
                passed=True,
                metadata={"week": str(replayed), "sql_and_schema": use_case.features_digest[:SHORT]},
            ),
        ]
        return report_weeks(context, metadata, checks, schema=features_schema(use_case))

    return features
