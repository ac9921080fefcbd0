"""Each test finds anew: what another one found, perhaps by a stand-in for the engine, is forgotten."""

import pytest

from ds_pipeline.masking.text.remembered import forget


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    forget()
    yield
    forget()
