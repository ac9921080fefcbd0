"""Across the boundary: weeks come out masked and counted, and what a library says of a cell stays inside."""

from __future__ import annotations

import pytest

from ds_pipeline.boundary.cross import values_stay_inside
from ds_pipeline.errors import SourceError


def assert_stands_alone(error: Exception) -> None:
    """Neither a cause nor a context: Dagster writes both into its event log, cell and all."""
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_what_a_library_says_of_a_cell_stays_inside() -> None:
    expected = pytest.raises(SourceError, match=r"clients: a cell cannot be handled \(ValueError")
    with expected as error, values_stay_inside("clients"):
        raise ValueError("cannot parse anna@example.org")
    assert "anna" not in str(error.value)
    assert_stands_alone(error.value)
