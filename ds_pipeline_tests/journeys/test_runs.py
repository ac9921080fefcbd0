"""The first run, the second, the one that starts from nothing, and the one that is refused."""

from __future__ import annotations

import os
import re
import shutil
import stat
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from ds_pipeline_tests.journeys.conftest import HASH_SEED

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Done, Journey

DAY = "2011-08-01"


def test_the_first_run_names_what_it_made(first_run: tuple[Journey, Done]) -> None:
    journey, done = first_run

    assert done.code == 0, done.text
    assert done.err == ""
    summary = done.out.partition("\nSummary\n")[2]
    assert re.search(r"^Champion +v0001, trained as of 2011-08-01, signed$", summary, re.MULTILINE)
    assert re.search(r"^Scores +\d+ customers for 2011-08-01, by v0001$", summary, re.MULTILINE)
    for path in re.findall(r"^(?:List|Report) +(\S+)$", summary, re.MULTILINE):
        assert (journey.root / path).is_file()
    assert len(re.findall(r"^(?:List|Report) ", summary, re.MULTILINE)) == 3


def test_the_summary_counts_the_rows_of_the_sources(first_run: tuple[Journey, Done]) -> None:
    journey, done = first_run
    rows = pd.read_parquet(journey.source["transactions"])
    known = rows[rows["InvoiceDate"] < pd.Timestamp(DAY)]
    kept = known.dropna(subset=["CustomerID"])

    aside = len(known) - len(kept)
    line = rf"^transactions +{len(known):,} +{len(kept):,} +{aside} +missing:customer_token {aside}"
    assert re.search(line, done.out, re.MULTILINE)
    assert f"{len(rows) - len(known)} further rows of the source became known on or after {DAY}" in done.out


def test_what_it_writes_is_private(first_run: tuple[Journey, Done]) -> None:
    root = first_run[0].root
    folders = [root / folder for folder in ("data/store", "data/deliveries", "data/reports", ".keys")]
    written = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    assert len(written) > 100

    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in written}

    assert modes == {(True, 0o700), (False, 0o600)}


def test_the_list_has_the_columns_of_the_contract_and_real_customers(first_run: tuple[Journey, Done]) -> None:
    journey = first_run[0]
    contract = yaml.safe_load((journey.case / "contract.yaml").read_text())
    folder = journey.root / "data" / "deliveries" / journey.name / DAY
    from_csv, from_parquet = (
        pd.read_csv(folder / "campaign_list.csv", float_precision="round_trip"),
        pd.read_parquet(folder / "campaign_list.parquet"),
    )

    assert list(from_csv) == list(from_parquet) == list(contract["columns"])
    assert from_csv.astype(str).equals(from_parquet.astype(str))
    customers = pq.read_table(journey.source["customers"])["customer_id"].to_pylist()
    assert set(from_csv["customer_id"]) <= set(customers)
    assert from_csv["customer_id"].is_unique
    assert from_csv["rank"].tolist() == list(range(1, len(from_csv) + 1))
    assert from_csv["score"].is_monotonic_decreasing
    assert (from_csv["scoring_date"] == DAY).all()
    assert from_csv["reason_1"].str.match(r"(raises|lowers): .+ \(.+\)$").all()


def test_the_report_needs_nothing_from_outside(first_run: tuple[Journey, Done]) -> None:
    page = (first_run[0].root / "data" / "reports" / "mini_lapse" / DAY / "evaluation.html").read_text()
    found: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "iframe", "link")
            found.extend(value or "" for name, value in attrs if name in ("src", "href"))

    Links().feed(page)

    assert found
    assert all(link.startswith(("data:image/", "#")) for link in found)
    assert "url(" not in page.replace("url(data:", "")
    assert "v0001" in page


def test_status_is_there_for_programs(journey: Journey) -> None:
    status = journey.status()

    assert status["champion"]["version"] == "v0001"
    assert status["champion"]["as_of"] == DAY
    assert status["champion"]["decision"] == "passed"
    assert {"precision_at_recall_60", "calibration", "training_rows"} <= {gate["name"] for gate in status["gates"]}
    assert all({"name", "value", "bound", "threshold", "passed"} <= set(gate) for gate in status["gates"])
    assert all(gate["passed"] for gate in status["gates"])
    assert status["latest_scores"]["scoring_date"] == DAY
    assert status["latest_scores"]["rows"] > 100
    assert [set(one) for one in status["quarantine"]] == [{"table", "reason", "rows"}]
    assert status["quarantine"][0]["table"] == "transactions"


def test_a_second_run_changes_nothing(recorded_journey: Journey) -> None:
    journey = recorded_journey
    serving, made = journey.serving(), journey.made()

    done = journey.cli("run")

    assert done.code == 0, done.text
    assert "all 13 weeks are there" in done.out
    assert "v0001 is this very candidate and is in force" in done.out
    assert "recorded earlier, unchanged" in done.out
    assert journey.serving() == serving
    assert journey.made() == made


def test_a_run_from_nothing_makes_the_same_bytes(new_journey: Journey, first_run: tuple[Journey, Done]) -> None:
    """The first run was another process under another hash seed: sets must not decide an order."""
    assert os.environ.get("PYTHONHASHSEED") != HASH_SEED

    done = new_journey.cli("run")

    assert done.code == 0, done.text
    assert new_journey.made() == first_run[0].made()


def test_rebuilding_the_history_makes_the_same_bytes(journey: Journey) -> None:
    made = journey.made()

    done = journey.cli("history", "--rebuild")

    assert done.code == 0, done.text
    assert journey.made() == made


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("datasets/masked/transactions/*/2011-06-20/*.parquet", id="masked-table"),
        pytest.param("datasets/features/*/2011-06-20/*.parquet", id="features"),
    ],
)
def test_a_damaged_week_is_healed_by_a_rebuild(journey: Journey, pattern: str) -> None:
    made = journey.made()
    next(journey.store.glob(pattern)).write_bytes(b"damaged")

    done = journey.cli("history", "--rebuild")

    assert done.code == 0, done.text
    assert journey.made() == made


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("datasets/masked/customers/*/2011-06-20", id="masked-table"),
        pytest.param("datasets/features/*/2011-06-20", id="features"),
        pytest.param("datasets/labels/*/2011-06-20", id="labels"),
    ],
)
def test_a_week_removed_by_hand_is_built_again(journey: Journey, pattern: str) -> None:
    made = journey.made()
    shutil.rmtree(next(journey.store.glob(pattern)))

    done = journey.cli("history")

    assert done.code == 0, done.text
    assert "weeks to build" in done.out
    assert journey.made() == made


def demand_too_much(journey: Journey) -> None:
    with journey.edit("requirements.yaml") as requirements:
        requirements["acceptance"]["precision_in_top_decile"]["minimum"] = 0.999


def test_an_impossible_threshold_leaves_the_champion_in_force(journey: Journey) -> None:
    demand_too_much(journey)
    before = journey.serving()

    done = journey.cli("run")

    assert done.code == 1, done.text
    assert re.search(r"^precision_in_top_decile .* >= 0.999 +refused", done.out, re.MULTILINE)
    assert "Refused. Nothing was promoted; v0001 goes on serving. Change features or training.yaml" in done.out
    assert "scored for 2011-08-01 by v0001" in done.out
    assert journey.serving() == before
    status = journey.status()
    assert status["champion"]["version"] == "v0001"
    assert [gate["name"] for gate in status["gates"] if not gate["passed"]] == ["precision_in_top_decile"]


def test_an_impossible_threshold_and_no_champion_scores_nothing(new_journey: Journey) -> None:
    demand_too_much(new_journey)

    done = new_journey.cli("run")

    assert done.code == 1, done.text
    assert "Not scored: the candidate was refused and no earlier version is in force." in done.out
    assert "Champion  none yet" in done.out
    assert "Refused. Nothing was promoted; no version is in force yet." in done.out
    assert not (new_journey.root / "data" / "deliveries").exists()
    assert not (new_journey.store / "datasets" / "scores").exists()
    assert new_journey.status()["champion"] is None


def test_a_run_over_budget_says_so_and_not_that_the_model_was_refused(journey: Journey) -> None:
    """The summary of a run over budget once said that the model was refused."""
    with journey.edit("requirements.yaml") as requirements:
        requirements["budgets"]["disk_gb"] = 0.0001

    done = journey.cli("score")

    assert done.code == 1, done.text
    assert "Over budget." in done.out
    assert "Refused" not in done.out


def test_what_is_printed_into_a_pipe_is_not_cut(journey: Journey) -> None:
    """Without a terminal the width is 80: tables must not lose their right-hand columns."""
    done = journey.cli("run", COLUMNS="80")

    assert "missing:customer_token" in done.out
    assert "…" not in done.out


def test_check_writes_nothing(journey: Journey) -> None:
    before = journey.everything()

    done = journey.cli("check")

    assert done.code == 0, done.text
    assert "Nothing was written." in done.out
    assert "customers: 240 rows read" in done.out
    assert journey.everything() == before


def test_status_before_the_first_run_says_what_to_do(new_journey: Journey) -> None:
    before = new_journey.everything()

    done = new_journey.cli("status")

    assert done.code == 0, done.text
    assert "ds-pipeline run mini_lapse" in done.out
    assert new_journey.everything() == before
    assert not Path(new_journey.root / "data" / "store").exists()
