"""The four jobs of a use case: history builds weeks, training decides, scoring serves, weekly is a whole Monday.

History and weekly never train.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from ds_pipeline.use_case.load import UseCase

HISTORY = ("features", "matured_labels")
TRAINING = ("candidate", "holdout_evaluation", "promotion")
SERVING = ("scores", "campaign_list", "drift", "realized_quality", "run_costs", "leak_scan")


def job_name(use_case: str, job: str) -> str:
    """The name in Dagster of history, training, scoring or weekly of a use case."""
    return f"{use_case}_{job}"


def jobs_of(use_case: UseCase) -> Sequence[Any]:
    """history (many weeks at once), training (one date), scoring (one date), weekly (one date, ingestion included)."""
    masked = tuple(f"masked_{name}" for name in use_case.sources.tables)
    parts = {
        "history": ((*masked, *HISTORY), "Masked tables, features and labels of a range of weeks; trains nothing."),
        "training": (TRAINING, "Train a candidate, evaluate it on the holdout and promote it if every gate passes."),
        "scoring": (SERVING, "Score one week with the version in force, deliver the list, watch drift and budgets."),
        "weekly": ((*masked, *HISTORY, *SERVING), "Everything one Monday needs, except training."),
    }
    return [
        dg.define_asset_job(
            job_name(use_case.name, job),
            selection=dg.AssetSelection.assets(*[dg.AssetKey([use_case.name, name]) for name in names]),
            description=description,
            tags={"use_case": use_case.name},
        )
        for job, (names, description) in parts.items()
    ]
