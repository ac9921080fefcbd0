"""One simulated block of users, shared by the tests: a year of two thousand."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from ds_pipeline.simulation.subscriptions.blocks import blocks
from ds_pipeline.simulation.subscriptions.timeline import Timeline

SEED = 11


@pytest.fixture(scope="session")
def timeline() -> Timeline:
    return Timeline(60)


@pytest.fixture(scope="session")
def simulated(timeline: Timeline) -> dict[str, pa.Table]:
    """Every table of 2,000 users, the truth included."""
    return next(blocks(timeline, users=2_000, seed=SEED))


@pytest.fixture(scope="session")
def frames(simulated: dict[str, pa.Table]) -> dict[str, pd.DataFrame]:
    return {name: table.to_pandas() for name, table in simulated.items()}
