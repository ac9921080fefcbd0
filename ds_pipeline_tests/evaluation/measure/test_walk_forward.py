"""The plan of a backtest and the figures of a week, by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.clock import Clock
from ds_pipeline.errors import ClockError, EvaluationError
from ds_pipeline.evaluation.measure.walk_forward import Step, by_age, measure_weeks, walk_forward

# Lag 2, holdout 3: the first date that can train is first + 2 * 2 + 2 = 6 weeks later.
FIRST = date(2011, 1, 3)
CLOCK = Clock(
    time_zone="UTC", first=FIRST, last=FIRST + timedelta(weeks=20), horizon_days=14, settle_days=0, holdout_weeks=3
)
DAY = FIRST + timedelta(weeks=6)


def week(number: int) -> date:
    return FIRST + timedelta(weeks=number)


def numbers(days: list[date]) -> list[int]:
    return [(day - FIRST).days // 7 for day in days]


def plan(**changes: int) -> list[tuple[int, int, list[int]]]:
    """Of each model: its week, its last training week, the weeks it serves."""
    asked = {"weeks": 100, "every": 4, "least_weeks": 1} | changes
    steps = walk_forward(CLOCK, until=week(asked.pop("until", 20)), with_holdout=True, **asked)
    return [(numbers([step.day])[0], numbers(step.training)[-1], numbers(step.serves)) for step in steps]


def test_every_model_serves_until_the_next_one() -> None:
    # Labels have matured up to week 18; a model of week d is trained up to d - 2 - 2 - 2.
    assert plan() == [
        (6, 0, [6, 7, 8, 9]),
        (10, 4, [10, 11, 12, 13]),
        (14, 8, [14, 15, 16, 17]),
        (18, 12, [18]),
    ]


def test_only_the_newest_weeks_are_scored() -> None:
    assert plan(weeks=3, every=2) == [(16, 10, [16, 17]), (18, 12, [18])]


def test_a_model_that_could_not_have_been_trained_is_left_out() -> None:
    assert plan(least_weeks=11, every=5) == [(16, 10, [16, 17, 18])]


def test_a_backtest_made_earlier_knows_fewer_outcomes() -> None:
    assert plan(until=9) == [(6, 0, [6, 7])]


def test_no_label_that_a_model_is_trained_on_had_matured_later() -> None:
    for step in walk_forward(CLOCK, until=week(20), weeks=100, every=1, least_weeks=1, with_holdout=True):
        assert max(step.training) + CLOCK.lag <= step.day
        assert max(step.training) + CLOCK.lag <= CLOCK.holdout(step.day)[0]
        assert min(step.serves) == step.day


def test_without_a_week_it_says_how_much_history_is_missing() -> None:
    with pytest.raises(EvaluationError, match=r"first model that could have served is of 2011-02-14.*2 more weeks"):
        plan(until=6)


def test_a_date_that_is_none_is_refused() -> None:
    with pytest.raises(ClockError):
        walk_forward(CLOCK, until=date(2011, 5, 3), weeks=1, every=1, least_weeks=1, with_holdout=True)


STEP = Step(DAY, [FIRST], [DAY, DAY + timedelta(weeks=1)])
SCORES = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]


def served(
    labels: list[float | None], *, day: date = DAY, scores: list[float] = SCORES, baseline: list[float] = SCORES
) -> pd.DataFrame:
    names = [f"c{number}" for number in range(len(labels))]
    label = pd.array(labels, dtype="Int8")
    return pd.DataFrame({"scoring_date": day, "who": names, "score": scores, "baseline": baseline, "label": label})


def measure(*frames: pd.DataFrame, share: float = 0.2) -> pd.DataFrame:
    step = Step(DAY, [FIRST], [frame["scoring_date"].iloc[0] for frame in frames])
    return measure_weeks(pd.concat(frames, ignore_index=True), [step], entity="who", top_share=share)


def test_the_figures_of_a_week() -> None:
    row = measure(served([1, 0, 1, 1, 0, 0, 0, 0, 0, 1])).iloc[0]
    assert (row["rows"], row["positives"], row["undecided"], row["base_rate"]) == (10, 4, 0, 0.4)
    assert (row["precision"], row["recall"]) == (1 / 2, 1 / 4)
    assert row["average_precision"] == pytest.approx((1 / 1 + 2 / 3 + 3 / 4 + 4 / 10) / 4)
    assert (row["prior_precision"], row["prior_recall"], row["prior_average_precision"]) == (0.4, 0.2, 0.4)


def test_the_baseline_is_ranked_by_itself() -> None:
    row = measure(served([1, 0, 1, 1, 0, 0, 0, 0, 0, 1], baseline=SCORES[::-1])).iloc[0]
    assert (row["baseline_precision"], row["baseline_recall"]) == (1 / 2, 1 / 4)
    assert row["baseline_average_precision"] == pytest.approx((1 / 1 + 2 / 7 + 3 / 8 + 4 / 10) / 4)


def test_an_undecided_row_takes_its_place_in_the_list_and_counts_nowhere_else() -> None:
    row = measure(served([None, 1, 1, 0, 0, 0, 0, 0, 0, 0])).iloc[0]
    assert (row["undecided"], row["base_rate"]) == (1, 2 / 9)
    assert (row["precision"], row["recall"], row["average_precision"]) == (1.0, 1 / 2, 1.0)


def test_ties_go_by_the_entity_whatever_order_rows_come_in() -> None:
    frame = served([1, 0, 0, 0, 0, 0, 0, 0, 0, 0], scores=[0.5] * 10)
    assert measure(frame, share=0.1)["precision"].tolist() == [1.0]
    assert measure(frame.iloc[::-1], share=0.1)["precision"].tolist() == [1.0]


def test_the_share_is_rounded_up_without_the_error_of_floating_point() -> None:
    frame = served([1] * 7 + [0] * 93, scores=list(np.linspace(1, 0, 100)), baseline=[0.0] * 100)
    assert measure(frame, share=0.07)["recall"].tolist() == [1.0]
    assert measure(frame, share=0.061)["recall"].tolist() == [1.0]


def test_what_cannot_be_told_is_not_a_number() -> None:
    row = measure(served([0] * 10, baseline=[np.nan, *SCORES[1:]])).iloc[0]
    assert row["precision"] == 0
    assert np.isnan([row["recall"], row["average_precision"], row["baseline_precision"]]).all()
    unknown = measure(served([None] * 10)).iloc[0]
    assert np.isnan([unknown["precision"], unknown["base_rate"], unknown["prior_precision"]]).all()


def test_each_week_carries_the_age_of_its_model() -> None:
    later = served([1, 0] * 5, day=DAY + timedelta(weeks=1))
    found = measure_weeks(pd.concat([served([0, 1] * 5), later]), [STEP], entity="who", top_share=0.1)
    assert found["age_weeks"].tolist() == [0, 1]
    assert found["trained_as_of"].tolist() == [DAY, DAY]
    assert found["trained_until"].tolist() == [FIRST, FIRST]
    assert by_age(found)[["age_weeks", "weeks", "precision"]].to_numpy().tolist() == [[0, 1, 0.0], [1, 1, 1.0]]


def test_a_week_without_rows_is_refused() -> None:
    with pytest.raises(EvaluationError, match=str(DAY + timedelta(weeks=1))):
        measure_weeks(served([0, 1] * 5), [STEP], entity="who", top_share=0.1)


def test_a_score_that_is_no_probability_is_refused() -> None:
    with pytest.raises(EvaluationError, match="1 of 10 scores"):
        measure(served([0, 1] * 5, scores=[float("nan"), *SCORES[1:]]))


def test_without_the_holdout_the_last_week_is_the_one_before_it() -> None:
    # Labels have matured up to week 18, of which the holdout takes three.
    asked: dict[str, Any] = {"until": week(20), "weeks": 2, "every": 4, "least_weeks": 1}

    assert numbers(walk_forward(CLOCK, with_holdout=True, **asked)[-1].serves)[-1] == 18
    assert numbers(walk_forward(CLOCK, with_holdout=False, **asked)[-1].serves)[-1] == 15


def test_where_the_holdout_is_all_there_is_the_way_to_see_it_is_named() -> None:
    with pytest.raises(EvaluationError, match="With --spend-a-look the holdout is shown as well"):
        walk_forward(CLOCK, until=week(8), weeks=1, every=1, least_weeks=1, with_holdout=False)
