"""The arithmetic of scoring dates: windows, lag, embargo and holdout, through clock changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_pipeline.clock import WEEK, Clock
from ds_pipeline.errors import ClockError

RETAIL = Clock("Europe/London", date(2011, 3, 7), date(2011, 12, 5), horizon_days=30, settle_days=0, holdout_weeks=8)
NEW_YORK = replace(RETAIL, time_zone="America/New_York")
# London and New York change on different Sundays, Kathmandu is 5:45 ahead, Sao Paulo and Beirut skip midnight itself.
ZONES = ("UTC", "Europe/London", "America/New_York", "Asia/Kathmandu", "America/Sao_Paulo", "Asia/Beirut")
mondays = st.integers(0, 52 * 60).map(lambda week: date(1990, 1, 1) + week * WEEK)
clocks = st.builds(
    Clock,
    time_zone=st.sampled_from(ZONES),
    first=mondays,
    last=st.none(),
    horizon_days=st.integers(1, 366),
    settle_days=st.integers(0, 60),
    holdout_weeks=st.integers(1, 60),
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        pytest.param("Europe/London", date(2011, 3, 21), utc(2011, 3, 21), id="London-winter"),
        pytest.param(
            "Europe/London", date(2011, 3, 28), utc(2011, 3, 27, 23), id="London-after-the-change-of-27-March"
        ),
        pytest.param("Europe/London", date(2011, 10, 24), utc(2011, 10, 23, 23), id="London-summer"),
        pytest.param(
            "Europe/London", date(2011, 10, 31), utc(2011, 10, 31), id="London-after-the-change-of-30-October"
        ),
        pytest.param("America/New_York", date(2011, 3, 7), utc(2011, 3, 7, 5), id="New-York-winter"),
        pytest.param(
            "America/New_York", date(2011, 3, 14), utc(2011, 3, 14, 4), id="New-York-after-the-change-of-13-March"
        ),
        pytest.param("Asia/Kathmandu", date(2011, 3, 7), utc(2011, 3, 6, 18, 15), id="Kathmandu"),
    ],
)
def test_a_scoring_date_begins_at_midnight_in_its_zone(zone: str, day: date, expected: datetime) -> None:
    assert replace(RETAIL, time_zone=zone).instant(day) == expected


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param(date(2011, 3, 28), 7 * 24 - 1, id="spring"),
        pytest.param(date(2011, 10, 31), 7 * 24 + 1, id="autumn"),
        pytest.param(date(2011, 6, 6), 7 * 24, id="summer"),
    ],
)
def test_a_week_with_a_clock_change_is_an_hour_shorter_or_longer(day: date, hours: int) -> None:
    start, end = RETAIL.known_window(day)

    assert start is not None
    assert end - start == timedelta(hours=hours)


def test_the_first_partition_holds_everything_earlier() -> None:
    assert RETAIL.known_window(date(2011, 3, 7)) == (None, utc(2011, 3, 7))


def test_the_label_window_ends_after_the_horizon_in_local_days() -> None:
    window = RETAIL.label_window(date(2011, 10, 10))

    assert (window.start, window.end) == (utc(2011, 10, 9, 23), utc(2011, 11, 9))
    assert window.known_before == utc(2011, 11, 14)


@pytest.mark.parametrize(
    ("horizon", "settle", "lag"),
    [
        pytest.param(30, 0, 5, id="30-days"),
        pytest.param(28, 0, 4, id="whole-weeks"),
        pytest.param(28, 1, 5, id="one-day-to-settle"),
        pytest.param(1, 0, 1, id="one-day"),
    ],
)
def test_the_lag_is_rounded_up_to_weeks(horizon: int, settle: int, lag: int) -> None:
    assert replace(RETAIL, horizon_days=horizon, settle_days=settle).lag_weeks == lag


def test_retail_lapse_at_the_end_of_its_data() -> None:
    day = date(2011, 12, 5)

    assert RETAIL.lag_weeks == 5
    assert RETAIL.matured(day) == date(2011, 10, 31)
    assert (RETAIL.holdout(day)[0], RETAIL.holdout(day)[-1]) == (date(2011, 9, 12), date(2011, 10, 31))
    assert len(RETAIL.holdout(day)) == 8
    assert (RETAIL.training(day)[0], RETAIL.training(day)[-1]) == (date(2011, 3, 7), date(2011, 8, 8))


def test_labels_mature_after_the_lag_and_not_a_week_earlier() -> None:
    assert RETAIL.matured(date(2011, 4, 4)) is None
    assert RETAIL.matured(date(2011, 4, 11)) == date(2011, 3, 7)


def test_the_earliest_date_that_can_train_is_named_and_can_train() -> None:
    with pytest.raises(ClockError, match="earliest date that can train is 2011-07-04") as error:
        RETAIL.training(date(2011, 6, 27))

    assert "8 holdout weeks and twice the lag of 5 weeks" in str(error.value)
    assert RETAIL.training(date(2011, 7, 4)) == [date(2011, 3, 7)]


@pytest.mark.parametrize(
    ("day", "message"),
    [
        pytest.param(date(2011, 3, 9), "found a Wednesday. Use 2011-03-07 or 2011-03-14", id="not-a-Monday"),
        pytest.param(date(2011, 2, 28), "first scoring date is 2011-03-07", id="before-the-first"),
        pytest.param(date(2011, 12, 12), "last scoring date is 2011-12-05", id="after-the-last"),
    ],
)
def test_a_day_that_is_no_scoring_date_is_refused(day: date, message: str) -> None:
    with pytest.raises(ClockError, match=message):
        RETAIL.require(day)


@pytest.mark.parametrize(
    ("clock", "now", "newest"),
    [
        pytest.param(RETAIL, utc(2011, 3, 27, 22, 59), date(2011, 3, 21), id="a-minute-before-Monday-in-London"),
        pytest.param(RETAIL, utc(2011, 3, 27, 23), date(2011, 3, 28), id="Monday-in-London-is-still-Sunday-in-UTC"),
        pytest.param(NEW_YORK, utc(2011, 3, 14, 3, 59), date(2011, 3, 7), id="still-Sunday-in-New-York"),
        pytest.param(RETAIL, utc(2026, 1, 1), date(2011, 12, 5), id="historical"),
    ],
)
def test_the_newest_scoring_date_is_the_last_monday_that_has_begun(clock: Clock, now: datetime, newest: date) -> None:
    assert clock.newest(now) == newest


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ClockError, match="no time zone"):
        RETAIL.newest(datetime(2011, 6, 6))


def test_there_is_no_newest_date_before_the_first() -> None:
    with pytest.raises(ClockError, match="the first is 2011-03-07"):
        RETAIL.newest(utc(2011, 3, 6))


@given(clock=clocks, weeks=st.integers(0, 200))
def test_no_label_of_a_training_week_looks_into_the_holdout(clock: Clock, weeks: int) -> None:
    day = clock.first + 2 * clock.lag + (clock.holdout_weeks - 1 + weeks) * WEEK
    begin = clock.instant(clock.holdout(day)[0])

    for trained in clock.training(day):
        window = clock.label_window(trained)
        assert window.end <= begin
        assert window.known_before <= begin
    assert clock.label_window(clock.holdout(day)[-1]).known_before <= clock.instant(day)


@given(clock=clocks, weeks=st.integers(1, 60))
def test_weeks_tile_time_without_gap_or_overlap(clock: Clock, weeks: int) -> None:
    windows = [clock.known_window(day) for day in clock.dates_until(clock.first + weeks * WEEK)]

    assert windows[0][0] is None
    assert [start for start, _ in windows[1:]] == [end for _, end in windows[:-1]]
    assert all(start < end for start, end in windows if start is not None)


@given(clock=clocks, weeks=st.integers(0, 200))
def test_a_week_is_trained_on_evaluated_on_or_neither(clock: Clock, weeks: int) -> None:
    day = clock.first + 2 * clock.lag + (clock.holdout_weeks - 1 + weeks) * WEEK

    assert len(clock.training(day)) == weeks + 1
    assert not set(clock.training(day)) & set(clock.holdout(day))
    assert clock.matured(day) == clock.holdout(day)[-1]
