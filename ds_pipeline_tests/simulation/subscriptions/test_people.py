"""Claims about identities."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ds_pipeline.simulation.subscriptions.people import LOCALES, draw_people, email_of, phone_of, pool, wave_of
from ds_pipeline.simulation.subscriptions.timeline import END

RESERVED = re.compile(
    r"(44|0)(7700900|2079460|161496)\d+|4930231\d+|496990009\d+|492214710\d+|331990\d+|33639\d+|468465004\d+|"
    r"4631390\d+|1?(202|312|415)55501\d\d"
)


def test_every_person_has_an_address_of_their_own_on_a_domain_for_examples(frames: dict[str, pd.DataFrame]):
    users = frames["users"]
    assert users["email"].str.fullmatch(r"[a-z.]+\.[a-z0-9]+@example\.(org|com|net)").all()
    assert (users.groupby("email")["user_id"].nunique() == 1).all()
    assert len({email_of("", "", number) for number in range(20_000)}) == 20_000


def test_telephone_numbers_are_those_set_aside_for_fiction():
    digits = np.random.default_rng(0).integers(0, 10, (40, 8))
    numbers = [re.sub(r"\D", "", phone_of(locale, row)) for locale in LOCALES for row in digits]
    assert all(RESERVED.fullmatch(number) for number in numbers)


def test_everyone_is_of_age_at_sign_up_and_below_eighty_at_the_end(frames: dict[str, pd.DataFrame]):
    people = draw_people(np.random.default_rng(0), np.arange(500))
    assert people.age.min() >= 25
    assert people.age.max() < 80
    users = frames["users"].query("birth_date >= @pd.Timestamp('1900-01-01').date()")
    born = pd.to_datetime(users["birth_date"]).dt.tz_localize("UTC")
    assert ((users["signed_up_at"] - born).dt.days / 365.25 >= 18).all()
    assert ((pd.Timestamp(END, tz="UTC") - born).dt.days / 365.25 < 91).all()


def test_a_pool_is_the_same_each_time_and_written_as_people_write():
    assert pool("ja_JP") == pool.__wrapped__("ja_JP")
    assert any(ord(letter) > 0x3000 for letter in pool("ja_JP").families[0])


def test_about_half_of_the_users_are_in_each_price_rise():
    wave = wave_of(draw_people(np.random.default_rng(0), np.arange(2_000)).locale)
    assert 0.4 < wave.mean() < 0.6
