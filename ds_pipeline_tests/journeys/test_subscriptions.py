"""subscription_churn on a small sample: simulated by its first run, trained on texts, and made again byte for byte.

The clock of the real use case begins 28 weeks after the simulated data; a smaller sample has fewer weeks up to the same
last one, so the copy begins later. Thresholds of so few users say nothing and are loosened.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from ds_pipeline_tests.journeys.conftest import REPOSITORY, Done, Journey, run_once

CASE = "subscription_churn"
USERS, WEEKS, FIRST = 1_000, 46, "2025-06-30"
FOLDER = Path("data/simulated") / CASE


def make_small(root: Path) -> Journey:
    """The project before its first run: no file of the use case is there."""
    journey = Journey(root, CASE)
    shutil.copytree(REPOSITORY / "configs" / CASE, journey.case)
    (root / ".dagster").mkdir(mode=0o700)
    for name in ("workspace.yaml", ".dagster/dagster.yaml"):
        shutil.copy(REPOSITORY / name, root / name)
    with journey.edit("problem.yaml") as problem:
        problem["clock"] |= {"first": FIRST}
    with journey.edit("sources.yaml") as sources:
        sources["simulation"] |= {"users": USERS, "weeks": WEEKS}
        sources["tables"]["users"]["k_anonymity"]["from_entities"] = 2 * USERS
    with journey.edit("requirements.yaml") as requirements:
        del requirements["stability"]
        requirements["leakage"]["shuffled_labels"] |= {"permutations": 5, "max_deviations": 10}
        requirements["label_quality"] = {
            name: limit if name == "owner" else 0.9 for name, limit in requirements["label_quality"].items()
        }
        del requirements["acceptance"]["gain_for_new_users"]  # of so few users hardly anybody is new
        for gate in requirements["acceptance"].values():
            gate |= {"minimum": 0.01} if "minimum" in gate else {"maximum": 0.9}
        requirements["data_minimums"] |= {"training_rows": 1000, "training_positives": 50}
        requirements["bootstrap"]["resamples"] = 100
        requirements["slices"]["min_support"] = 10  # positives of a group
        requirements.pop("cross_validation")
    with journey.edit("training.yaml") as training:
        training |= {"trials": 2, "validation_weeks": 3, "max_train_rows": 3000}
        training["search_space"]["max_iter"] = {"low": 20, "high": 40}
        training["calibration"]["folds"] = 2
    return journey


@pytest.fixture(scope="module")
def small(shared: Path) -> tuple[Journey, Done]:
    """The finished project and what its first run printed. Not to be changed."""
    return run_once(shared, "subscriptions", make_small, lambda journey: journey.cli("run"))


def test_a_run_simulates_what_is_missing_and_says_so(small: tuple[Journey, Done]) -> None:
    journey, done = small

    assert done.code == 0, done.text
    assert f"No file of {CASE} is there yet; sources.yaml says how to simulate them." in done.out
    assert f"{USERS:,} users, {WEEKS} weeks" in done.out
    assert "v0001" in done.out
    begins = {re.match(r"[ \d]+ s  masked_\w+ +", line).end() for line in done.out.splitlines() if "s  masked_" in line}
    assert len(begins) == 1  # one column, however long the name of a table is
    tables = {path.stem for path in (journey.root / FOLDER).glob("*.parquet")}
    assert tables == {"users", "subscriptions", "payments", "usage_events", "support_tickets", "emails_sent"}
    assert (journey.root / FOLDER / "truth" / "hazard.parquet").is_file()


def test_files_that_are_there_are_not_simulated_again(small: tuple[Journey, Done]) -> None:
    journey, _ = small

    refused = journey.cli("simulate")

    assert refused.code == 2
    assert "already there. Nothing was made" in refused.err


def test_the_model_is_trained_on_a_sample_of_the_decided_rows(small: tuple[Journey, Done]) -> None:
    journey, _ = small
    training = json.loads(next(journey.store.glob("registry/versions/v0001/bundle/training.json")).read_text())
    labels = pd.concat([pd.read_parquet(path) for path in journey.store.glob("datasets/labels/**/*.parquet")])

    assert training["rows"] == training["max_train_rows"] == 3000
    assert training["rows_there"] > 3000
    assert {"cancellation on record", "no cancellation on record"} < set(labels["decided_by"])
    assert labels["is_treated"].any()
    assert not labels["is_treated"].all()


def test_labels_are_what_the_simulation_knows(small: tuple[Journey, Done]) -> None:
    """Compared by counts: the labels hold tokens, and the truth the numbers behind them."""
    journey, _ = small
    labels = pd.concat([pd.read_parquet(path) for path in journey.store.glob("datasets/labels/**/*.parquet")])
    truth = pd.read_parquet(journey.root / FOLDER / "truth" / "hazard.parquet")
    truth = truth[truth["is_in_scope"] & truth["scoring_date"].isin(set(labels["scoring_date"]))]

    assert abs(len(labels) - len(truth)) < 0.03 * len(truth)  # late records move a few in and out of scope
    assert abs(labels["label"].mean() - truth["cancelled_within_30d"].astype(float).mean()) < 0.005
    assert abs(labels["is_treated"].mean() - truth["treated_within_30d"].mean()) < 0.01


def test_texts_are_masked_and_no_word_of_them_is_in_the_bundle(small: tuple[Journey, Done]) -> None:
    journey, _ = small
    tickets = pd.read_parquet(journey.root / FOLDER / "support_tickets.parquet")["body"].dropna()
    features = pd.concat([pd.read_parquet(path) for path in journey.store.glob("datasets/features/**/*.parquet")])
    bundle = next(journey.store.glob("registry/versions/v0001/bundle/model.joblib")).read_bytes()

    texts = features["last_ticket"].dropna()
    assert len(texts) > 100
    assert texts.str.contains("<").any()  # what stands for an identifier
    addresses = set(tickets.str.extract(r"([\w.]+@[\w.]+\w)")[0].dropna())
    assert addresses
    assert not [address for address in addresses if texts.str.contains(address, regex=False).any()]
    assert b"invoice" not in bundle
    assert b"discount" not in bundle


def test_the_same_version_comes_out_again(small: tuple[Journey, Done]) -> None:
    journey, _ = small

    again = journey.cli("reproduce")

    assert again.code == 0, again.text
    assert "v0001: same bytes: 3,000 rows" in again.out
