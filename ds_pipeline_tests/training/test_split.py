"""No label of a fitting week reaches into the validation weeks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest

from ds_pipeline.clock import Clock
from ds_pipeline.errors import TrainingError
from ds_pipeline.training.split import inner_parts, inner_split
from ds_pipeline.use_case.load import UseCase


def test_an_embargo_of_the_lag_lies_between_fit_and_validation(clock: Clock) -> None:
    month = replace(clock, horizon_days=30)  # a lag of five weeks
    weeks = [clock.first + timedelta(weeks=week) for week in range(10)]

    split = inner_split(month, weeks, validation_weeks=3)

    assert split.validate == weeks[7:]
    assert split.fit == weeks[:3]
    assert month.label_window(split.fit[-1]).known_before <= month.instant(split.validate[0])
    assert month.label_window(weeks[3]).known_before > month.instant(split.validate[0])


@pytest.mark.parametrize(
    "count", [pytest.param(0, id="none"), pytest.param(2, id="validation"), pytest.param(3, id="embargo")]
)
def test_too_few_weeks_are_refused(clock: Clock, count: int) -> None:
    """Without any week it was an IndexError."""
    weeks = [date(2011, 3, 7) + timedelta(weeks=week) for week in range(count)]

    with pytest.raises(TrainingError, match=rf"{count} training weeks are too few .* At least 4 are needed"):
        inner_split(replace(clock, settle_days=7), weeks, validation_weeks=2)


def test_as_many_weeks_as_the_message_asks_for_are_enough(clock: Clock) -> None:
    weeks = [date(2011, 3, 7) + timedelta(weeks=week) for week in range(4)]

    assert inner_split(replace(clock, settle_days=7), weeks, validation_weeks=2).fit == weeks[:1]


def test_the_inner_parts_are_those_of_the_search(rows: pd.DataFrame, case: UseCase) -> None:
    """Ten weeks, two of them for validation, behind an embargo of one."""
    fit, validate = inner_parts(rows, case)

    weeks = sorted(set(rows["scoring_date"]))
    assert sorted(set(fit["scoring_date"])) == weeks[:8]
    assert sorted(set(validate["scoring_date"])) == weeks[8:]
    with pytest.raises(TrainingError, match="too few"):
        inner_parts(rows[rows["scoring_date"] == weeks[0]], case)
