"""Inputs alone over time: what is written back after the outcome rises on the newest weeks, what is honest does not."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.evaluation.checks.input_trends import InputTrend, check_input_trends, input_trends
from ds_pipeline.evaluation.checks.leakage import single_feature_aucs
from ds_pipeline.evaluation.checks.material import Checked
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.requirements import Leakage
from ds_pipeline_tests.evaluation.checks.made_up import material

PEOPLE, TRAINING, HOLDOUT, REST = 600, 14, 6, 4  # weeks; after the holdout some pass before the source is read
DAYS = [date(2024, 1, 1) + timedelta(weeks=week) for week in range(TRAINING + HOLDOUT)]
NUMBER = {"unit": "x", "nullable": True, "role": "input", "meaning": "made up", "dtype": "float64"} | {
    "minimum": -99, "maximum": 99
}  # fmt: skip
FEATURES = FeatureSet.model_validate({"features": {"activity": NUMBER, "status": NUMBER}})


def history(*, seed: int = 3, shuffled: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People who lapse and come back, each week 0 or 1; status is that of the day the source was read, in all weeks.

    Args:
        shuffled: the status of somebody else, which tells nothing.
    """
    rng = np.random.default_rng(seed)
    mood = rng.normal(size=(PEOPLE, 1))
    weeks = []
    for _ in range(TRAINING + HOLDOUT + REST):  # a mood that changes slowly
        weeks.append(mood)
        mood = 0.9 * mood + np.sqrt(1 - 0.9**2) * rng.normal(size=(PEOPLE, 1))
    moods = np.hstack(weeks)
    away = (moods + 0.5 * rng.normal(size=moods.shape) > 0.4).astype(int)
    status = moods[:, -1] + 0.3 * rng.normal(size=PEOPLE)
    status = rng.permutation(status) if shuffled else status
    rows = pd.concat(
        pd.DataFrame(
            {
                "token": [f"t{number}" for number in range(PEOPLE)], "scoring_date": day, "label": away[:, week],
                "activity": moods[:, week] + 1.5 * rng.normal(size=PEOPLE), "status": status,
            }
        )
        for week, day in enumerate(DAYS)
    )  # fmt: skip
    is_training = rows["scoring_date"] < DAYS[TRAINING]
    return rows[is_training], rows[~is_training]


def of(training: pd.DataFrame, holdout: pd.DataFrame, limit: float | None = 0.05) -> Any:
    leakage = Leakage(max_single_feature_auc=0.9, max_single_feature_rise=limit, owner="ds")
    use_case = SimpleNamespace(
        requirements=SimpleNamespace(leakage=leakage), features=FEATURES, problem=SimpleNamespace(entity="token")
    )
    return material(use_case=use_case, labelled=training, holdout=holdout)


def trends(training: pd.DataFrame, holdout: pd.DataFrame) -> dict[str, InputTrend]:
    return {one.input: one for one in input_trends(training, holdout, FEATURES, entity="token")}


def test_a_column_that_is_written_back_rises_on_the_newest_weeks() -> None:
    """It passed everything: .64 alone in training, .85 on the last week, and every replay gave the same bytes."""
    training, holdout = history()

    checked = check_input_trends(of(training, holdout))

    status, activity = trends(training, holdout)["status"], trends(training, holdout)["activity"]
    assert status.training is not None
    assert status.newest is not None
    assert status.newest - status.training > 0.15
    assert (activity.rise, status.week in DAYS[TRAINING:]) == (0.0, True)
    measured = checked.measurements["single_feature_rise"]
    assert measured.value == status.rise
    assert measured.value > 0.05
    assert str(measured.note).startswith("The largest is of status: 0.")
    assert [one.input for one in checked.findings["input_trends"]] == ["status", "activity"]
    (pooled,) = [one for one in single_feature_aucs(training, FEATURES, entity="token") if one.input == "status"]
    assert pooled.auc is not None
    assert pooled.auc < 0.7  # far below any limit on the level


@pytest.mark.parametrize("seed", range(8))
def test_what_tells_the_same_in_all_weeks_does_not_rise(seed: int) -> None:
    assert {one.rise for one in trends(*history(seed=seed, shuffled=True)).values()} == {0.0}


def test_weeks_are_compared_with_weeks() -> None:
    """A level that moves from week to week dilutes the rank over all of training, and would look like a rise."""
    training, holdout = history(shuffled=True)
    level = {day: 2.0 * (week % 5) for week, day in enumerate(DAYS[:TRAINING])}
    moving = training.assign(activity=training["activity"] + training["scoring_date"].map(level))

    found = trends(moving, holdout)["activity"]

    (pooled,) = [one.auc for one in single_feature_aucs(moving, FEATURES, entity="token") if one.input == "activity"]
    assert pooled is not None
    assert found.holdout is not None
    assert found.holdout - pooled > 0.05
    assert found.rise == 0.0


def test_the_rise_is_what_chance_leaves_of_the_difference() -> None:
    """By hand: an area of 1 has no standard error, so that the whole difference to training stays."""
    rows = pd.DataFrame({"token": [f"t{n}" for n in range(80)], "label": [0] * 40 + [1] * 40})
    training = rows.assign(scoring_date=DAYS[0], activity=[0.0, 1.0] * 40, status=0.0)
    holdout = rows.assign(scoring_date=DAYS[-1], activity=[0.0] * 40 + [1.0] * 40, status=0.0)

    found = trends(training, holdout)

    assert (found["activity"].training, found["activity"].newest) == (pytest.approx(0.5), 1.0)
    assert found["activity"].rise == pytest.approx(0.5)
    assert found["status"].rise == 0.0


def test_of_weeks_that_are_too_small_the_newest_row_of_each_person_is_compared() -> None:
    """A shop with eight positives a week has a trend as well."""
    training, holdout = history()
    few = {f"t{number}" for number in range(200)}
    small, later = training[training["token"].isin(few)], holdout[holdout["token"].isin(few)]
    turn = later["token"].str[1:].astype(int) % HOLDOUT  # each person is there once
    later = later[[DAYS[TRAINING:].index(day) == one for day, one in zip(later["scoring_date"], turn, strict=True)]]
    assert later.groupby("scoring_date")["label"].sum().max() < 20

    found = trends(small, later)["status"]

    assert (found.week, found.rise is not None) == (DAYS[-1], True)


def test_weeks_with_few_rows_of_a_label_tell_nothing() -> None:
    training, holdout = history()

    checked = check_input_trends(of(training, holdout.assign(label=0)))

    assert "no input can be compared" in str(checked.measurements["single_feature_rise"].problem)


def test_nothing_is_measured_that_nobody_asks_for() -> None:
    assert check_input_trends(of(*history(), limit=None)) == Checked()
