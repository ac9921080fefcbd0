"""Claims about the truth: it is the exact probability, and what happens agrees with it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.simulation.subscriptions.hazard import (
    CANCEL_RATE,
    CONTENT,
    LEAVING,
    MOVES,
    SWITCH_RATE,
    Risk,
    cancel_within_horizon,
    draw_risk,
    happened_within_horizon,
    next_mood,
)
from ds_pipeline.simulation.subscriptions.tables import TRUTH
from ds_pipeline.simulation.subscriptions.timeline import DAY, HORIZON_WEEKS, WEEK, Timeline


def flat_risk(subscribers: int) -> Risk:
    """Nothing multiplies the rates of anybody; the tenure does as always."""
    ones = np.ones((subscribers, 10 + HORIZON_WEEKS))
    return Risk(fixed=ones, price=ones, rise_week=np.zeros(subscribers, np.int64))


def test_the_rows_of_the_chain_of_moods_sum_to_one():
    assert MOVES.sum(axis=1) == pytest.approx(np.ones(len(MOVES)))
    assert (MOVES >= 0).all()


def test_the_probability_agrees_with_living_through_the_horizon():
    """A simulation of its own, with a clock of a quarter day, of people who begin in the worst and the best mood."""
    people = 40_000
    rng = np.random.default_rng(5)
    for begin in (LEAVING, CONTENT):
        mood = np.full(people, begin)
        alive, cancelled = np.ones(people, bool), np.zeros(people, bool)
        for quarter in range(4 * 30):
            if quarter % 28 == 0:
                mood = next_mood(mood, rng.random(people))
            leave = alive & (rng.random(people) < 1.4 * CANCEL_RATE[mood] / 28)  # 1.4: the first 8 weeks
            switch = alive & ~leave & (rng.random(people) < SWITCH_RATE[mood] / 28)
            cancelled |= leave
            alive &= ~leave & ~switch
        truth = cancel_within_horizon(flat_risk(1), 2, np.array([begin]), np.array([1]))[0]
        error = (truth * (1 - truth) / people) ** 0.5
        assert cancelled.mean() == pytest.approx(truth, abs=4 * error + 0.01 * truth)


def test_what_happens_agrees_with_the_truth_at_every_level(frames: dict[str, pd.DataFrame]):
    truth = frames[TRUTH].dropna(subset=["cancelled_within_30d"])
    truth = truth[truth["cancel_probability_30d"] > 0]
    levels = pd.cut(truth["cancel_probability_30d"], [0, 0.01, 0.03, 0.1, 0.3, 0.5, 1])
    table = (
        truth.astype({"cancelled_within_30d": float})
        .groupby(levels, observed=True)
        .agg(
            expected=("cancel_probability_30d", "mean"),
            found=("cancelled_within_30d", "mean"),
            users=("user_id", "nunique"),
        )
    )
    assert len(table) == 6
    # Rows of one user overlap: the users are the independent draws.
    error = (table["expected"] * (1 - table["expected"]) / table["users"]) ** 0.5
    assert ((table["found"] - table["expected"]).abs() < 4 * error).all()
    assert truth["cancelled_within_30d"].mean() == pytest.approx(truth["cancel_probability_30d"].mean(), rel=0.1)


def test_a_cancellation_counts_for_the_mondays_of_the_thirty_days_before_it():
    # Five hours into week 6; the Monday of week 2 is 28 days before, that of week 1 is 35.
    happened = happened_within_horizon(8, 1, np.array([0]), np.array([6 * WEEK + 5 * 3600]))
    assert np.flatnonzero(happened[0]).tolist() == [2, 3, 4, 5, 6]
    # Three days into week 6: 31 days after the Monday of week 2.
    happened = happened_within_horizon(8, 1, np.array([0]), np.array([6 * WEEK + 3 * DAY]))
    assert np.flatnonzero(happened[0]).tolist() == [3, 4, 5, 6]


def test_a_price_rise_and_a_campaign_move_the_hazard_only_of_whom_they_concern():
    timeline = Timeline(60)
    campaign = np.zeros((2, timeline.weeks + HORIZON_WEEKS), bool)
    campaign[1, 10] = True
    risk = draw_risk(np.random.default_rng(1), timeline, wave=np.array([0, 0]), campaign=campaign)
    rise = timeline.price_rise_weeks[0]
    old, new = np.array([rise - 20, rise - 20]), np.array([rise, rise])
    assert (risk.at(rise, old) > 1.3 * risk.at(rise, new) / 1.4).all()
    assert risk.at(rise - 6, old) == pytest.approx(risk.fixed[:, rise - 6])  # not announced yet
    assert risk.fixed[1, 11] == pytest.approx(0.7 * risk.fixed[1, 10])
    assert risk.fixed[0, 11] == pytest.approx(risk.fixed[0, 10])


def test_the_base_rate_and_the_best_possible_are_those_of_the_problem(frames: dict[str, pd.DataFrame]):
    """Recall 0.60 at precision 0.30 has to be within reach, with room for a model that does not know the truth."""
    truth = frames[TRUTH].query("is_in_scope").dropna(subset=["cancelled_within_30d"])
    truth = truth.sort_values("cancel_probability_30d", ascending=False)
    hits = truth["cancelled_within_30d"].astype(int).cumsum().to_numpy()
    recall, precision = hits / hits[-1], hits / np.arange(1, len(hits) + 1)
    assert 0.04 < truth["cancelled_within_30d"].astype(float).mean() < 0.08
    assert recall[precision >= 0.30].max() > 0.72
    assert precision[np.argmax(recall >= 0.60)] > 0.42


def test_age_and_gender_have_no_effect_on_the_truth(frames: dict[str, pd.DataFrame]):
    users = (
        frames["users"].drop_duplicates("user_id").assign(year=lambda one: pd.to_datetime(one["birth_date"]).dt.year)
    )
    truth = frames[TRUTH].query("is_in_scope").groupby("user_id")["cancel_probability_30d"].mean()
    joined = users.set_index("user_id").join(truth, how="inner")
    by_gender = joined.groupby("gender")["cancel_probability_30d"].agg(["mean", "sem"])
    apart = by_gender.loc["female", "mean"] - by_gender.loc["male", "mean"]
    assert abs(apart) < 4 * (by_gender.loc[["female", "male"], "sem"] ** 2).sum() ** 0.5
    young = joined["year"] > 1980
    means, errors = (joined.groupby(young)["cancel_probability_30d"].agg(how) for how in ("mean", "sem"))
    assert abs(means[True] - means[False]) < 4 * (errors**2).sum() ** 0.5
