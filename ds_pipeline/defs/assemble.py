"""Assemble the assets, checks, jobs and schedules of each use case into Dagster definitions."""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from ds_pipeline.defs.assets.evaluation import evaluation_asset
from ds_pipeline.defs.assets.features import features_asset
from ds_pipeline.defs.assets.ingestion import ingestion_assets
from ds_pipeline.defs.assets.leaks import leak_scan_asset
from ds_pipeline.defs.assets.monitoring import monitoring_assets
from ds_pipeline.defs.assets.registry import promotion_asset
from ds_pipeline.defs.assets.scoring import scoring_assets
from ds_pipeline.defs.assets.training import training_assets
from ds_pipeline.defs.jobs import jobs_of
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.defs.schedules import weekly_schedule
from ds_pipeline.errors import ConfigError, DsPipelineError
from ds_pipeline.use_case.load import UseCase, load_use_case

# Partitioned checks and backfill policies are marked preview and beta: docs/decisions/0003-weekly-partitions.md.
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
warnings.filterwarnings("ignore", category=dg.BetaWarning)
# The weekly job is of one week at a time, so the smallest of its policies is the one that is meant.
warnings.filterwarnings("ignore", message="Asset job .* materializes assets with varying BackfillPolicies")
# The weekly job holds assets that build a range at once and assets that take one date; it is backfilled week by week.
warnings.filterwarnings("ignore", message="(?s)Asset job .* multiple backfill policies")


def build_definitions(configs: Path) -> dg.Definitions:
    """The definitions of every use case in a folder; a broken one becomes a failing asset and stops no other."""
    parts = [_definitions_of(folder) for folder in _use_case_folders(configs)]
    shared = dg.Definitions(
        resources={"project": ProjectResource()},
        # In one process: a step costs 27 ms there and 2.6 s in a process of its own, and no week is large.
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(shared, *parts)


def assets_of(use_case: UseCase) -> list[dg.AssetsDefinition]:
    """All assets of one use case, in the order of the flow."""
    return [
        *ingestion_assets(use_case),
        features_asset(use_case),
        *training_assets(use_case),
        evaluation_asset(use_case),
        promotion_asset(use_case),
        *scoring_assets(use_case),
        *monitoring_assets(use_case),
        leak_scan_asset(use_case),
    ]


def _use_case_folders(configs: Path) -> Iterator[Path]:
    return (folder for folder in sorted(configs.iterdir()) if folder.is_dir() and not folder.name.startswith("."))


def _definitions_of(folder: Path) -> dg.Definitions:
    try:
        use_case = load_use_case(folder)
        return dg.Definitions(
            assets=assets_of(use_case),
            jobs=jobs_of(use_case),
            schedules=[weekly_schedule(use_case)] if use_case.clock.last is None else [],
        )
    except DsPipelineError as error:
        return dg.Definitions(assets=[_broken(re.sub(r"[^A-Za-z0-9_]", "_", folder.name), str(error))])


def _broken(name: str, message: str) -> dg.AssetsDefinition:
    @dg.asset(name="broken_use_case", key_prefix=[name], group_name="broken", description=message)
    def broken_use_case() -> None:
        raise ConfigError(message)

    return broken_use_case
