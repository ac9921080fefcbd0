"""Claims about usage, payments and e-mails of lives made by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ds_pipeline.simulation.subscriptions import behaviour
from ds_pipeline.simulation.subscriptions.behaviour import HOST, draw_pace, email_rows, payment_rows, usage_rows
from ds_pipeline.simulation.subscriptions.hazard import CONTENT
from ds_pipeline.simulation.subscriptions.life import ANNUAL, CANCELLED, FREE, MONTHLY, NOT_YET, Life
from ds_pipeline.simulation.subscriptions.timeline import DAY, WEEK, Timeline

TIMELINE = Timeline(30)  # the second price rise is in week 18
NOON = DAY // 2
Change = tuple[int, int, int]  # who, when, becomes


def life_of(people: int, changes: Sequence[Change], *, wave: int = 1, consents: bool = True) -> Life:
    """Content people with these changes, by person and time; one subscription each."""
    who, when, becomes = (np.array(part, dtype=np.int64) for part in zip(*changes, strict=True))
    standing = np.full((people, TIMELINE.weeks), NOT_YET)
    for person, at, after in changes:
        standing[person, max(0, -(-at // WEEK)) :] = after
    shape = standing.shape
    return Life(
        wave=np.full(people, wave), consents=np.full(people, consents), signed_up=np.zeros(people, np.int64),
        standing=standing, mood=np.full(shape, CONTENT), campaign=np.zeros(shape, bool), probability=np.zeros(shape),
        who=who, when=when, becomes=becomes, spell=np.zeros(len(who), np.int64),
    )  # fmt: skip


def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def days_since_start(times: pa.ChunkedArray) -> np.ndarray:
    return (times.to_numpy() - np.datetime64(TIMELINE.start)) / np.timedelta64(1, "D")


def pay(life: Life, **shares: float) -> pd.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(behaviour, "FAILED_PAYMENTS", np.full(5, shares.get("failed", 0.0)))
        patch.setattr(behaviour, "CORRECTED_PAYMENTS", shares.get("corrected", 0.0))
        return payment_rows(rng(), TIMELINE, life, first_number=100).to_pandas()


def test_a_subscription_is_used_from_the_day_after_it_begins_to_the_day_before_it_ends() -> None:
    life = life_of(2, [(0, 3 * DAY + NOON, MONTHLY), (0, 10 * DAY + NOON, CANCELLED), (1, -9 * DAY, FREE)])

    days = behaviour._subscribed_days(TIMELINE, life)

    assert np.flatnonzero(days[0]).tolist() == [4, 5, 6, 7, 8, 9]
    assert days[1].all()


def test_a_subscription_that_ends_on_its_first_day_is_never_used() -> None:
    life = life_of(1, [(0, 3 * DAY + 1, MONTHLY), (0, 3 * DAY + NOON, CANCELLED)])

    assert not behaviour._subscribed_days(TIMELINE, life).any()


def test_usage_is_recorded_at_two_the_next_night_or_one_to_nine_days_later() -> None:
    life = life_of(40, [(person, -5 * DAY, MONTHLY) for person in range(40)])

    usage = usage_rows(rng(), TIMELINE, life, np.full(40, 2.0))
    delay = (usage["recorded_at"].to_numpy() - usage["used_on"].to_numpy()) / np.timedelta64(1, "h")

    assert set(delay) <= {26.0 + 24 * late for late in range(10)}
    assert 0.005 < (delay > 26).mean() < 0.05
    assert (days_since_start(usage["used_on"]) % 1 == 0).all()
    assert min(usage["sessions"].to_pylist()) == 1
    assert min(usage["minutes"].to_pylist()) >= 1
    assert max(usage["minutes"].to_pylist()) <= 600
    assert not usage.to_pandas().duplicated([HOST, "used_on"]).any()


def test_the_free_plan_is_used_less_and_older_people_have_a_slower_pace() -> None:
    people = 200
    used = {
        plan: usage_rows(
            rng(), TIMELINE, life_of(people, [(one, -DAY, plan) for one in range(people)]), np.full(people, 0.5)
        ).num_rows
        for plan in (FREE, MONTHLY)
    }
    young, old = draw_pace(rng(), np.full(50, 25.0)), draw_pace(rng(), np.full(50, 75.0))

    assert used[FREE] < 0.7 * used[MONTHLY]
    assert np.log(young / old) == pytest.approx(np.full(50, 0.2))


def test_the_monthly_plan_is_charged_each_thirty_days_until_it_ends() -> None:
    life = life_of(1, [(0, 0, MONTHLY), (0, 95 * DAY, CANCELLED)])

    payments = pay(life)

    assert days_since_start(pa.array(payments["charged_at"])).round(3).tolist() == [0.001, 30.001, 60.001, 90.001]
    assert payments["payment_id"].tolist() == [100, 101, 102, 103]
    assert set(payments["amount_cents"]) == {990}
    assert payments["method"].nunique() == 1


def test_nobody_is_charged_before_the_start_for_a_free_plan_or_after_the_end() -> None:
    life = life_of(2, [(0, -45 * DAY, MONTHLY), (0, 15 * DAY + 61, CANCELLED), (1, 0, FREE)])

    payments = pay(life)

    # 45 days before the start: charges at -45, -15 and 15 days; one second before the end counts.
    assert days_since_start(pa.array(payments["charged_at"])).round(3).tolist() == [15.001]
    assert payments[HOST].tolist() == [0]


@pytest.mark.parametrize(
    ("wave", "first_dear"), [pytest.param(1, 5, id="in-week-18"), pytest.param(0, 0, id="long-ago")]
)
def test_the_price_rises_in_the_week_of_the_market(wave: int, first_dear: int) -> None:
    payments = pay(life_of(1, [(0, 0, MONTHLY)], wave=wave))

    # Charges at 0, 30, .., 210 days; week 18 begins at 126 days.
    assert payments["amount_cents"].tolist() == [990] * first_dear + [1190] * (7 - first_dear)


def test_the_annual_plan_has_one_price_and_one_charge_a_year() -> None:
    assert pay(life_of(1, [(0, 0, ANNUAL)]))["amount_cents"].tolist() == [9900]


def test_a_failed_payment_is_tried_again_three_days_later_if_there_still_is_a_subscription() -> None:
    life = life_of(1, [(0, 0, MONTHLY), (0, 32 * DAY, CANCELLED)])

    payments = pay(life, failed=1.0).sort_values("charged_at")

    assert days_since_start(pa.array(payments["charged_at"])).round().tolist() == [0, 3, 30]
    assert payments["outcome"].iloc[[0, 2]].tolist() == ["failed", "failed"]


def test_a_correction_repeats_the_payment_days_later_with_the_right_outcome() -> None:
    life = life_of(1, [(0, 0, MONTHLY)])
    right = pay(life)

    corrected = pay(life, corrected=1.0)
    first, again = corrected.iloc[: len(right)], corrected.iloc[len(right) :].reset_index(drop=True)

    assert first["payment_id"].tolist() == again["payment_id"].tolist() == right["payment_id"].tolist()
    assert set(first["outcome"]) == {"failed"}
    assert again["outcome"].tolist() == right["outcome"].tolist()
    assert set((again["recorded_at"] - first["recorded_at"]).dt.days) <= {1, 2, 3, 4, 5}


@pytest.mark.parametrize(("consents", "weeks"), [(True, [11, 13, 15]), (False, [])])
def test_newsletters_go_each_other_week_to_who_consents_and_is_there(consents: bool, weeks: list[int]) -> None:
    life = life_of(1, [(0, 10 * WEEK, FREE), (0, 15 * WEEK + 6 * DAY, CANCELLED)], consents=consents)

    emails = email_rows(rng(), TIMELINE, life, first_number=7)

    assert (days_since_start(emails["sent_at"]) // 7).tolist() == weeks
    assert set(emails["kind"].to_pylist()) == ({"newsletter"} if consents else set())
    assert emails["email_id"].to_pylist() == [7 + turn for turn in range(len(weeks))]
    assert ((emails["recorded_at"].to_numpy() - emails["sent_at"].to_numpy()) == np.timedelta64(3, "D")).all()


def test_nobody_gets_an_email_after_a_cancellation_in_the_same_week() -> None:
    gone = life_of(1, [(0, 10 * WEEK, FREE), (0, 11 * WEEK + DAY, CANCELLED)])

    assert email_rows(rng(), TIMELINE, gone, first_number=0).num_rows == 0


def test_a_rise_is_announced_four_weeks_ahead_to_who_pays_by_the_month_with_or_without_consent() -> None:
    life = life_of(2, [(0, 0, MONTHLY), (1, 0, ANNUAL)], consents=False)

    emails = email_rows(rng(), TIMELINE, life, first_number=0)

    assert emails["kind"].to_pylist() == ["price_notice"]
    assert emails[HOST].to_pylist() == [0]
    assert (days_since_start(emails["sent_at"]) // 7).tolist() == [14]
    assert emails["is_campaign_treatment"].to_pylist() == [False]


def test_retention_emails_are_the_campaign_of_monthly_subscribers() -> None:
    life = life_of(2, [(0, 0, MONTHLY), (1, 0, FREE)], consents=False)
    life.campaign[:, 6] = True

    emails = email_rows(rng(), TIMELINE, life, first_number=0).to_pandas().query("kind == 'retention'")

    assert emails[HOST].tolist() == [0]
    assert emails["is_campaign_treatment"].tolist() == [True]
