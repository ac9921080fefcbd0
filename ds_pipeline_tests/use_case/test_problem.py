"""The problem statement: dates, zones and names as a person may write them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.problem import ClockDates, Problem, Truth

CLOCK = {"time_zone": "Europe/London", "first": date(2011, 3, 7), "last": date(2011, 12, 5)}
TRUTH = {"path": "data/truth.parquet", "entity": "id", "scoring_date": "day", "probability": "p"}


def clock(**changes: Any) -> ClockDates:
    return ClockDates.model_validate(CLOCK | changes, strict=True)


def test_a_date_may_be_in_quotes_and_the_last_one_open() -> None:
    assert clock(first="2011-03-07").first == date(2011, 3, 7)
    assert clock(last=None).last is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"first": date(2011, 3, 8)}, "2011-03-08 is a Tuesday; .* such as 2011-03-07 or 2011-03-14",
                     id="tuesday"),
        pytest.param({"last": date(2011, 3, 6)}, "2011-03-06 is a Sunday; .* such as 2011-02-28 or 2011-03-07",
                     id="sunday"),
        pytest.param({"first": "someday"}, "'someday' is not a date; expected one such as 2011-03-07", id="word"),
        pytest.param({"first": "2011-02-30"}, "is not a date", id="no-such-day"),
        pytest.param({"time_zone": "Europe/Lodnon"}, "unknown time zone 'Europe/Lodnon'", id="zone"),
        pytest.param({"time_zone": "Europe"}, "unknown time zone 'Europe'", id="folder-of-zones"),
        pytest.param({"time_zone": "../x"}, "unknown time zone", id="path"),
        pytest.param({"time_zone": ""}, "unknown time zone ''", id="no-zone"),
    ],
)  # fmt: skip
def test_a_clock_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        clock(**changes)


@pytest.mark.parametrize("path", ["/etc/truth.parquet", "../truth.parquet", "data/../../truth.parquet"])
def test_the_truth_lies_inside_the_project(path: str) -> None:
    with pytest.raises(ValidationError, match="relative to the project and stay inside it"):
        Truth.model_validate(TRUTH | {"path": path})

    assert Truth.model_validate(TRUTH).path == "data/truth.parquet"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"entity": "Customer"}, "entity", id="capital"),
        pytest.param({"entity": "2nd"}, "entity", id="digit-first"),
        pytest.param({"entity": "a-b"}, "entity", id="hyphen"),
        pytest.param({"title": " "}, "title", id="blank"),
        pytest.param({"horizon_days": 0}, "horizon_days", id="no-horizon"),
        pytest.param({"horizon_days": 367}, "horizon_days", id="over-a-year"),
        pytest.param({"settle_days": -1}, "settle_days", id="negative"),
        pytest.param({"out_of_scope": [""]}, "out_of_scope", id="empty-entry"),
        pytest.param({"horizon": 30}, "horizon", id="unknown"),
    ],
)
def test_a_field_out_of_its_range_is_refused(retail_lapse: UseCase, changes: dict[str, Any], field: str) -> None:
    values = retail_lapse.problem.model_dump()
    assert Problem.model_validate(values) == retail_lapse.problem

    with pytest.raises(ValidationError) as error:
        Problem.model_validate(values | changes)

    assert {item["loc"][0] for item in error.value.errors()} == {field}
