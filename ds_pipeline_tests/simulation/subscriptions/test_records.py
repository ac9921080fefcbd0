"""Claims about what is on record of the subscribers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.simulation.subscriptions import records
from ds_pipeline.simulation.subscriptions.life import ANNUAL, CANCELLED, FREE, MONTHLY, Life
from ds_pipeline.simulation.subscriptions.people import FIRST_USER, draw_people
from ds_pipeline.simulation.subscriptions.timeline import DAY, END, Timeline


def test_a_price_rise_reaches_every_monthly_subscription_of_its_market(frames: dict[str, pd.DataFrame]):
    versions = frames["subscriptions"].sort_values("recorded_at", kind="stable")
    newest = versions.drop_duplicates("subscription_id", keep="last")
    running = newest.query("plan == 'monthly' and status == 'active' and price_eur > 0")
    began_early = running["started_at"] < pd.Timestamp("2025-06-01", tz="UTC")
    dear = running["price_eur"].astype(str) == "11.90"
    assert began_early.sum() > 200
    assert dear[began_early].mean() > 0.97  # but for those whose beginning is recorded after the rise


TIMELINE = Timeline(30)  # the second price rise is in week 18
Change = tuple[int, int, int]  # who, when, becomes


def life_of(people: int, changes: Sequence[Change], spells: Sequence[int]) -> Life:
    """People of the second price rise with these changes, by person and time."""
    who, when, becomes = (np.array(part, dtype=np.int64) for part in zip(*changes, strict=True))
    nothing = np.zeros((people, TIMELINE.weeks), np.int64)
    signed_up = np.array([when[np.flatnonzero(who == person)[0]] for person in range(people)])
    return Life(
        wave=np.ones(people, np.int64), consents=np.arange(people) % 2 == 0, signed_up=signed_up, standing=nothing,
        mood=nothing, campaign=nothing > 0, probability=nothing * 0.0, who=who, when=when, becomes=becomes,
        spell=np.array(spells),
    )  # fmt: skip


def days(values: pd.Series) -> list[float | None]:
    since = (values - pd.Timestamp(TIMELINE.start)) / pd.Timedelta(days=1)
    return [None if pd.isna(value) else round(value, 2) for value in since]


def subscriptions(life: Life, *, mistakes: float = 0.0) -> pd.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "FALSE_CANCELLATIONS", mistakes)
        return records.subscription_rows(np.random.default_rng(2), TIMELINE, life).to_pandas()


def test_a_subscription_has_a_version_for_each_change_and_for_the_rise_of_its_price() -> None:
    life = life_of(
        1,
        [(0, 0, FREE), (0, 10 * DAY, MONTHLY), (0, 140 * DAY, CANCELLED), (0, 170 * DAY, MONTHLY)],
        spells=[0, 0, 0, 1],
    )

    rows = subscriptions(life)

    assert rows["subscription_number"].tolist() == [0, 0, 0, 0, 1]
    assert rows["plan"].tolist() == ["free", "monthly", "monthly", "monthly", "monthly"]
    assert rows["status"].tolist() == ["active", "active", "active", "cancelled", "active"]
    assert rows["price_cents"].tolist() == [0, 990, 1190, 1190, 1190]
    assert days(rows["changed_at"]) == [0, 10, 126.01, 140, 170]
    assert days(rows["started_at"]) == [0, 0, 0, 0, 170]
    assert days(rows["cancelled_at"]) == [None, None, None, 140, None]


def test_the_annual_plan_and_who_has_left_get_no_dearer() -> None:
    life = life_of(2, [(0, 0, ANNUAL), (1, 0, MONTHLY), (1, 20 * DAY, CANCELLED)], spells=[0, 0, 0])

    rows = subscriptions(life)

    assert rows["price_cents"].tolist() == [9900, 990, 990]
    assert rows["plan"].tolist() == ["annual", "monthly", "monthly"]


def test_a_cancellation_by_mistake_is_taken_back_one_to_three_days_later() -> None:
    life = life_of(1, [(0, 0, MONTHLY), (0, 20 * DAY, CANCELLED)], spells=[0, 0])

    rows = subscriptions(life, mistakes=1.0)
    wrong, back = rows.iloc[1], rows.iloc[2]

    assert rows["status"].tolist() == ["active", "cancelled", "active", "cancelled"]
    assert (back["changed_at"] - wrong["changed_at"]).days in (1, 2, 3)
    assert 0 < days(rows["changed_at"])[1] < days(rows["changed_at"])[2] < 20
    assert pd.isna(back["cancelled_at"])


def test_everything_is_recorded_within_minutes_or_one_to_twelve_days_later() -> None:
    life = life_of(3_000, [(person, 0, FREE) for person in range(3_000)], spells=[0] * 3_000)

    rows = subscriptions(life)
    delay = (rows["recorded_at"] - rows["changed_at"]).dt.total_seconds()

    assert set(delay // DAY) <= set(range(13))
    assert max(delay // DAY) > 4
    assert (delay % DAY).between(5, 899).all()
    assert (delay >= DAY).mean() == pytest.approx(0.034, abs=0.01)


@pytest.mark.parametrize(
    ("born", "typed"),
    [
        pytest.param(date(1975, 3, 14), date(1965, 3, 14), id="earlier"),
        pytest.param(date(1960, 3, 14), date(1970, 3, 14), id="later"),
        pytest.param(date(1964, 2, 29), date(1954, 2, 28), id="leap-day"),
        pytest.param(date(1970, 5, 31), date(1960, 5, 28), id="end-of-a-month"),
    ],
)
def test_a_mistyped_birth_date_is_ten_years_off_and_plausible(born: date, typed: date) -> None:
    assert records._mistyped(born) == typed


def test_a_user_begins_as_signed_up_and_a_mistyped_birth_date_is_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MISTYPED_BIRTH_DATES", 1.0)
    monkeypatch.setattr(records, "ADDRESS_CHANGES", 0.0)
    monkeypatch.setattr(records, "EMAIL_CHANGES", 0.0)
    numbers = FIRST_USER + np.arange(2)
    people = draw_people(np.random.default_rng(0), numbers)
    life = life_of(2, [(0, 3 * DAY, FREE), (1, -900 * DAY, FREE)], spells=[0, 0])

    rows = records.user_rows(np.random.default_rng(0), TIMELINE, life, people, numbers).to_pandas()

    assert rows["user_id"].tolist() == [numbers[0], numbers[0], numbers[1], numbers[1]]
    assert days(rows["signed_up_at"]) == [3, 3, -900, -900]
    assert rows["accepts_marketing"].tolist() == [True, True, False, False]
    for person in range(2):
        typed, born = rows["birth_date"].iloc[2 * person : 2 * person + 2]
        assert abs(born.year - typed.year) == 10
        assert (END - born).days == int(people.age[person] * 365.25)
    # One to five weeks after the week of the sign-up, or of the start for who was there before.
    assert 7 <= days(rows["updated_at"])[1] < 7 * 7
    assert 7 <= days(rows["updated_at"])[3] < 6 * 7


def test_a_move_changes_the_address_and_nothing_else_and_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MISTYPED_BIRTH_DATES", 0.0)
    monkeypatch.setattr(records, "ADDRESS_CHANGES", 0.2)
    monkeypatch.setattr(records, "EMAIL_CHANGES", 0.2)
    numbers = FIRST_USER + np.arange(1)
    people = draw_people(np.random.default_rng(0), numbers)

    rows = records.user_rows(
        np.random.default_rng(0), TIMELINE, life_of(1, [(0, -DAY, FREE)], spells=[0]), people, numbers
    ).to_pandas()

    address, email = ["street_address", "town", "postcode"], ["email"]
    kept = ["full_name", "phone", "country", "gender", "birth_date", "accepts_marketing", "signed_up_at"]
    assert (rows[kept].nunique() == 1).all()
    assert rows["updated_at"].is_monotonic_increasing
    steps = [
        (before[address].tolist() != after[address].tolist(), before[email].tolist() != after[email].tolist())
        for (_, before), (_, after) in pairwise(rows.iterrows())
    ]
    assert len(steps) > 4
    assert not [step for step in steps if step == (True, True)]
    assert (True, False) in steps
    assert rows["email"].nunique() == 2  # the second address is the same each time
