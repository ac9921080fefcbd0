"""Claims about what subscribers write."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ds_pipeline.simulation.customers import TEST_CARDS
from ds_pipeline.simulation.subscriptions.tickets import (
    GREETINGS,
    IDENTITIES,
    MIX,
    POLITE,
    SENTENCES,
    SIGNATURES,
    TOPICS,
)


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
