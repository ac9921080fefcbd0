"""Claims about what subscribers write."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ds_pipeline.simulation.customers import TEST_CARDS
from ds_pipeline.simulation.subscriptions.behaviour import HOST
from ds_pipeline.simulation.subscriptions.life import ANNUAL, FREE, MONTHLY, live
from ds_pipeline.simulation.subscriptions.people import FIRST_USER, draw_people
from ds_pipeline.simulation.subscriptions.tickets import (
    GREETINGS,
    IDENTITIES,
    MIX,
    POLITE,
    SENTENCES,
    SIGNATURES,
    TOPICS,
    ticket_rows,
    write,
)
from ds_pipeline.simulation.subscriptions.timeline import Timeline


def test_tickets_hold_identities_of_the_writer_and_of_others(frames: dict[str, pd.DataFrame]):
    tickets = frames["support_tickets"].dropna(subset=["body"])
    own = tickets.merge(frames["users"].drop_duplicates("user_id"), on="user_id")
    signed = [name in body for name, body in zip(own["full_name"], own["body"], strict=True)]
    assert 0.1 < np.mean(signed) < 0.5
    for column in ("phone", "email"):
        assert any(value in body for value, body in zip(own[column], own["body"], strict=True)), column
    assert tickets["body"].str.contains("|".join(TEST_CARDS)).any()
    assert tickets["body"].str.contains("My colleague ").any()
    assert not tickets["body"].str.contains("[{}]").any()


def test_some_tickets_hold_no_identity_at_all(frames: dict[str, pd.DataFrame]):
    plain = {text for part in (*SENTENCES.values(), GREETINGS, POLITE) for text in part}
    bodies = frames["support_tickets"]["body"].dropna()

    def rest(body: str) -> str:
        for text in sorted(plain, key=len, reverse=True):
            body = body.replace(text, "") if text else body
        return body.strip()

    assert 0.1 < (bodies.map(rest) == "").mean() < 0.5


def test_topics_have_sentences_and_shares():
    assert set(TOPICS) == set(SENTENCES)
    assert np.allclose(MIX.sum(axis=1), 1)
    assert all("{" in text for text in (*IDENTITIES, *SIGNATURES))


def test_those_who_leave_write_about_it_first(frames: dict[str, pd.DataFrame]):
    tickets = frames["support_tickets"].dropna(subset=["body"]).reset_index(names="ticket")
    ended = frames["subscriptions"].query("status == 'cancelled'")[["user_id", "cancelled_at"]]
    pairs = tickets.merge(ended, on="user_id")
    wait = pairs["cancelled_at"] - pairs["opened_at"]
    cancels = tickets["ticket"].isin(pairs.loc[wait.between(pd.Timedelta(0), pd.Timedelta(days=42)), "ticket"])

    def share_about(*topics: str) -> float:
        sentences = [re.escape(text) for topic in topics for text in SENTENCES[topic]]
        return cancels[tickets["body"].str.contains("|".join(sentences))].mean()

    assert share_about("cancel", "competitor", "export", "price") > 2 * share_about("how_to", "feature", "praise")


def dice(**rolls: int) -> np.ndarray:
    """24 rolls of nought but for those given by position."""
    return np.array([rolls.get(f"d{place}", 0) for place in range(24)], dtype=np.int64)


def test_the_dice_decide_the_whole_text() -> None:
    people = draw_people(np.random.default_rng(0), np.array([FIRST_USER]))
    most = {f"d{place}": 2**31 - 1 for place in (4, 6, 9)}

    bare = write("price", people, 0, dice(**most, d2=5, d8=3))
    full = write("price", people, 0, dice(d5=1, d7=4, d10=0))

    assert bare == "The new price is too high for what I use."
    assert full == (
        "Hello, The new price is too high for what I use. Is there a cheaper plan? I cannot justify this any longer. "
        f"Please answer to {people.email[0]}, not to the old address. Thank you in advance. \n"
        f"Regards, {people.full_name(0)}"
    )


def test_a_sentence_is_not_said_twice() -> None:
    people = draw_people(np.random.default_rng(0), np.array([FIRST_USER]))

    assert write("price", people, 0, dice(d3=2, d5=2)).count("I am not willing to pay more") == 1


def test_tickets_have_running_numbers_and_are_recorded_within_ninety_minutes_or_two_days() -> None:
    timeline = Timeline(30)
    people = draw_people(np.random.default_rng(0), FIRST_USER + np.arange(300))
    life = live(np.random.default_rng(1), timeline, wave=np.zeros(300, np.int64))

    rows = ticket_rows(np.random.default_rng(2), timeline, life, people, first_number=50).to_pandas()
    delay = (rows["recorded_at"] - rows["opened_at"]).dt.total_seconds() / 60

    assert rows["ticket_id"].tolist() == list(range(50, 50 + len(rows)))
    assert set(rows["channel"]) <= {"email", "chat", "phone"}
    assert (delay % (24 * 60)).between(1, 90).all()
    assert (delay // (24 * 60)).isin([0, 1, 2]).all()
    week = ((rows["opened_at"] - pd.Timestamp(timeline.start)).dt.days // 7).to_numpy()
    assert np.isin(life.standing[rows[HOST], week], (FREE, MONTHLY, ANNUAL)).all()
