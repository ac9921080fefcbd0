"""Claims about what is wrong on purpose: as much as is declared, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ds_pipeline.simulation.subscriptions.dirt import DIRT, Dirt, soil


def make_table(rows: int) -> pa.Table:
    return pa.table({"user_id": np.arange(rows), "minutes": np.full(rows, 5), "body": ["Zoë ruft an"] * rows})


def test_a_clean_table_without_dirt_stays_as_it_is():
    table = make_table(50)
    assert soil(table, Dirt(), np.random.default_rng(0)).equals(table)


def test_faults_come_in_the_declared_shares():
    rows = 20_000
    dirt = Dirt(doubles=0.02, strangers=0.01, slips={"minutes": (-1, 0.03)}, garbled="body", garbled_share=0.05)
    found = soil(make_table(rows), dirt, np.random.default_rng(0)).to_pandas()
    assert len(found) / rows == pytest.approx(1.02, abs=0.005)
    assert (found["user_id"] >= 90_000_000).mean() == pytest.approx(0.01, abs=0.004)
    assert (found["minutes"] == -1).mean() == pytest.approx(0.03, abs=0.006)
    assert (found["body"] == "ZoÃ« ruft an").mean() == pytest.approx(0.05, abs=0.008)


def test_a_double_stands_next_to_its_original_and_equals_it():
    found = soil(make_table(300), Dirt(doubles=0.1), np.random.default_rng(0)).to_pandas()
    doubled = found.duplicated(keep=False)
    assert 0 < doubled.sum() < 100
    assert (np.diff(found["user_id"]) >= 0).all()


def test_a_clash_has_the_key_of_another_row_and_another_value():
    dirt = Dirt(clashes="minutes", clash_share=0.1)
    found = soil(make_table(300), dirt, np.random.default_rng(0)).to_pandas()
    twice = found[found.duplicated("user_id", keep=False)]
    assert len(twice) > 0
    assert all(sorted(one) == [5, 6] for one in twice.groupby("user_id")["minutes"].agg(list))


def test_the_tables_hold_the_declared_doubles(frames: dict[str, pd.DataFrame]):
    for name, dirt in DIRT.items():
        rows = len(frames[name])
        expected = dirt.doubles * rows
        assert abs(frames[name].duplicated().sum() - expected) <= 4 * expected**0.5 + 1, name


def test_some_events_are_dated_before_their_user_signed_up(frames: dict[str, pd.DataFrame]):
    signed_up = frames["users"].drop_duplicates("user_id").set_index("user_id")["signed_up_at"]
    for name, when in (("payments", "charged_at"), ("usage_events", "used_on")):
        known = frames[name][frames[name]["user_id"].isin(signed_up.index)]
        early = known[when] < known["user_id"].map(signed_up)
        expected = DIRT[name].misdated_share * len(known)
        assert 0 < early.sum() <= expected + 4 * expected**0.5, name


def test_slips_are_found_in_the_columns_that_declare_them(frames: dict[str, pd.DataFrame]):
    assert 0.0003 < (frames["usage_events"]["minutes"] == -1).mean() < 0.002
    assert frames["usage_events"]["sessions"].isna().mean() > 0
    assert frames["usage_events"]["exports"].notna().all()
    assert (frames["subscriptions"]["price_eur"] >= -1).all()
