"""Claims about the calendar of the simulated business."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from ds_pipeline.simulation.subscriptions.timeline import DAY, END, PRICE_RISES, WEEK, Timeline


def test_every_run_ends_on_the_same_monday_and_more_weeks_begin_earlier() -> None:
    short, long = Timeline(12), Timeline(14)

    assert (short.start, long.start) == (date(2025, 11, 24), date(2025, 11, 10))
    assert long.mondays[-1] == short.mondays[-1] == date(2026, 2, 9)
    assert short.seconds == 12 * 7 * 24 * 60 * 60
    assert END.weekday() == 0


def test_mondays_are_a_week_apart_and_numbered_from_nought() -> None:
    timeline = Timeline(12)

    assert len(timeline.mondays) == 12
    assert [timeline.week_of(day) for day in timeline.mondays] == list(range(12))
    assert timeline.week_of(date(2025, 11, 17)) == -1


@pytest.mark.parametrize(("weeks", "rises"), [(12, [-25, 0]), (60, [23, 48])])
def test_planned_dates_stay_where_they_are(weeks: int, rises: list[int]) -> None:
    timeline = Timeline(weeks)

    assert timeline.price_rise_weeks.tolist() == rises
    assert [timeline.week_of(day) for day in PRICE_RISES] == rises


def test_seconds_become_instants_before_and_after_the_first_monday() -> None:
    stamps = Timeline(12).to_timestamps(np.array([0, -1, 90_061]))

    assert stamps.tolist() == [np.datetime64(text, "us").item() for text in (
        "2025-11-24T00:00:00", "2025-11-23T23:59:59", "2025-11-25T01:01:01",
    )]  # fmt: skip
    assert (DAY, WEEK) == (86_400, 604_800)


def test_people_go_through_their_bills_from_the_second_week_of_december_to_the_end_of_january() -> None:
    timeline = Timeline(12)

    season = dict(zip(timeline.mondays, timeline.hazard_season(12).tolist(), strict=True))

    assert [day for day, factor in season.items() if factor == 1.35] == [
        date(2025, 12, day) for day in (8, 15, 22, 29)
    ] + [date(2026, 1, day) for day in (5, 12, 19, 26)]
    assert set(season.values()) == {1.0, 1.35}


@pytest.mark.parametrize(
    ("day", "factor"),
    [
        pytest.param(date(2025, 12, 19), 1.0, id="a-friday-in-december"),
        pytest.param(date(2025, 12, 20), 0.75, id="a-saturday"),
        pytest.param(date(2025, 12, 22), 0.5, id="holidays-begin"),
        pytest.param(date(2026, 1, 3), 0.375, id="a-saturday-of-the-holidays"),
        pytest.param(date(2026, 1, 5), 1.0, id="holidays-are-over"),
        pytest.param(date(2025, 7, 1), 0.85, id="summer"),
        pytest.param(date(2025, 8, 31), 0.85 * 0.75, id="a-sunday-in-summer"),
        pytest.param(date(2025, 9, 1), 1.0, id="summer-is-over"),
    ],
)
def test_usage_has_weekends_holidays_and_a_summer(day: date, factor: float) -> None:
    timeline = Timeline(40)

    assert timeline.usage_season()[(day - timeline.start).days] == pytest.approx(factor)
