"""Label rates of holdout weeks and segments beside their history in training."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.evaluation.checks.label_rates import RateShift, check_label_rates
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline_tests.evaluation.checks.made_up import of_labels

BEFORE, WEEK = date(2024, 1, 1), date(2024, 4, 1)
GATE = "label_rate_shift"


def rows_of(day: date, positives: int, rows: int, area: str | None = "N", first: int = 0) -> pd.DataFrame:
    """Rows of different entities, the positives first."""
    return pd.DataFrame(
        {
            "scoring_date": day,
            "token": [f"t{number}" for number in range(first, first + rows)],
            "area": area,
            "label": (np.arange(rows) < positives).astype(int),
        }
    )


def run(
    training: pd.DataFrame, holdout: pd.DataFrame, *, segments: tuple[str, ...] = (), min_support: int = 50
) -> tuple[dict[tuple[str, str], RateShift], Measurement]:
    features = SimpleNamespace(of_role=lambda role: segments if role == "slice" else ())
    of = of_labels(features, min_support=min_support, labelled=training, holdout=holdout)
    findings, measured = check_label_rates(of)
    assert list(measured) == [GATE]
    return {(one.by, one.group): one for one in findings["rate_shifts"]}, measured[GATE]


def test_a_shift_is_what_sampling_does_not_explain() -> None:
    """20 % of 400 became 50 % of 100: standard errors 0.02 and 0.05, so 0.3 - 1.96 * 0.0539 is left."""
    found, measured = run(rows_of(BEFORE, 80, 400), rows_of(WEEK, 50, 100))

    left = 0.3 - 1.96 * (0.2 * 0.8 / 400 + 0.5 * 0.5 / 100) ** 0.5
    week = found[("scoring_date", "2024-04-01")]
    assert (week.rows, week.rate, week.history_rows, week.history_rate) == (100, 0.5, 400, 0.2)
    assert week.shift == pytest.approx(left)
    assert measured.value == pytest.approx(left)
    assert measured.note == "The largest is of scoring_date 2024-04-01: 50.0% after 20.0%."


@pytest.mark.parametrize("positives", [15, 25])
def test_what_sampling_explains_is_no_shift(positives: int) -> None:
    _, measured = run(rows_of(BEFORE, 80, 400), rows_of(WEEK, positives, 100))
    assert (measured.value, measured.note) == (0.0, None)


def test_a_fall_counts_like_a_rise() -> None:
    assert run(rows_of(BEFORE, 200, 400), rows_of(WEEK, 5, 100))[1].value == pytest.approx(0.385, abs=0.001)


def test_a_segment_is_compared_with_its_own_history() -> None:
    """Both areas together are the same as before; one has lost its positives to the other."""
    training = pd.concat([rows_of(BEFORE, 80, 400, "N"), rows_of(BEFORE, 80, 400, "SW", first=400)])
    holdout = pd.concat([rows_of(WEEK, 80, 200, "N"), rows_of(WEEK, 0, 200, "SW", first=200)])

    found, measured = run(training, holdout, segments=("area",))

    assert found[("scoring_date", "2024-04-01")].shift == 0.0
    assert (found[("area", "N")].rate, found[("area", "N")].history_rate) == (0.4, 0.2)
    assert found[("area", "SW")].shift == pytest.approx(0.2 - 1.96 * 0.02)
    assert measured.value == found[("area", "SW")].shift
    assert measured.note == "The largest is of area: 0.0% after 20.0%."  # the group is not said


def test_rows_of_one_entity_are_no_more_evidence_than_one() -> None:
    """A hundred entities with the same label in each of eight weeks: the error is that of a hundred rows."""
    once = rows_of(WEEK, 30, 100)
    weeks = pd.concat([once.assign(scoring_date=WEEK + timedelta(weeks=week)) for week in range(8)])

    found, _ = run(rows_of(BEFORE, 80, 400), weeks, segments=("area",))

    expected = 0.1 - 1.96 * (0.2 * 0.8 / 400 + 0.3 * 0.7 / 100) ** 0.5
    assert found[("area", "N")].rows == 800
    assert found[("area", "N")].shift == pytest.approx(expected)
    assert expected < 0.003  # of independent rows 0.05 would be left


def test_groups_with_too_few_rows_on_either_side_are_not_judged() -> None:
    training = pd.concat([rows_of(BEFORE, 80, 400, "N"), rows_of(BEFORE, 0, 40, "SW", first=400)])
    holdout = pd.concat(
        [
            rows_of(WEEK, 20, 100, "N"),
            rows_of(WEEK, 60, 60, "SW", first=100),
            rows_of(WEEK, 60, 60, "new", first=200),
            rows_of(WEEK, 10, 10, None, first=300),
        ]
    )

    found, _ = run(training, holdout, segments=("area",))

    assert {group: one.shift for (by, group), one in found.items() if by == "area"} == {
        "N": 0.0, "SW": None, "new": None, "missing": None
    }  # fmt: skip
    assert (found[("area", "new")].history_rows, found[("area", "new")].history_rate) == (0, None)


def test_without_a_group_that_can_be_judged_there_is_a_problem() -> None:
    for training, holdout in (
        (rows_of(BEFORE, 8, 40), rows_of(WEEK, 50, 100)),
        (rows_of(BEFORE, 0, 0), rows_of(WEEK, 50, 100)),
        (rows_of(BEFORE, 80, 400), rows_of(WEEK, 0, 0)),
    ):
        _, measured = run(training, holdout, segments=("area",))
        assert measured.problem == "no week or segment has 50 rows in training and in the holdout"
