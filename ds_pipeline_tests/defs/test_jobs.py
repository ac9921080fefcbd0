"""The jobs of a use case, and which assets each of them makes."""

from __future__ import annotations

import dagster as dg
import pytest

from ds_pipeline.defs.assemble import assets_of
from ds_pipeline.defs.jobs import HISTORY, SERVING, TRAINING, job_name, jobs_of
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.use_case.load import UseCase

ALL = ("history", "training", "scoring", "weekly")


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest) -> dict[str, set[str]]:
    """The names of the assets of each job of retail_lapse."""
    use_case = request.getfixturevalue("retail_lapse")
    definitions = dg.Definitions(
        assets=assets_of(use_case), jobs=jobs_of(use_case), resources={"project": ProjectResource()}
    )
    return {
        job.name.removeprefix("retail_lapse_"): {key.path[-1] for key in job.asset_layer.executable_asset_keys}
        for job in (definitions.resolve_job_def(job_name("retail_lapse", one)) for one in ALL)
    }


def test_there_are_four_jobs_named_after_their_use_case(shop: UseCase) -> None:
    assert [job.name for job in jobs_of(shop)] == [f"shop_{job}" for job in ALL]


def test_each_job_makes_its_assets_and_no_others(made: dict[str, set[str]]) -> None:
    masked = {name for name in made["history"] if name.startswith("masked_")}

    assert masked == {"masked_transactions", "masked_customers"}
    assert made["history"] == masked | set(HISTORY)
    assert made["training"] == set(TRAINING)
    assert made["scoring"] == set(SERVING)


def test_a_monday_is_everything_but_training(made: dict[str, set[str]]) -> None:
    assert made["weekly"] == made["history"] | made["scoring"]
    assert not made["weekly"] & made["training"]


def test_every_asset_is_made_by_a_job(made: dict[str, set[str]], retail_lapse: UseCase) -> None:
    names = {key.path[-1] for asset in assets_of(retail_lapse) for key in asset.keys}

    assert names == made["weekly"] | made["training"]
