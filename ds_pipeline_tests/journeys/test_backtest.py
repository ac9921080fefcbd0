"""A backtest writes its report and nothing else; the champion is scored with its own features."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.promotion.champion import score_champion
from ds_pipeline.training.labelled import labelled_rows
from ds_pipeline.workbench import Workbench

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Journey

DAY = "2011-08-01"


def test_a_backtest_writes_its_report_and_that_it_looked_and_nothing_else(journey: Journey) -> None:
    before = journey.everything()

    done = journey.cli("backtest", "--every", "2")

    assert done.code == 0, done.text
    after = journey.everything()
    folder, store = f"data/reports/{journey.name}/backtest/{DAY}", f"data/store/{journey.name}"
    entry = f"{store}/ledger/000006.json"
    assert after.keys() - before.keys() == {f"{folder}/backtest.csv", f"{folder}/backtest.html", entry}
    assert {name for name in before if after[name] != before[name]} == {f"{store}/ledger.json"}
    assert "those of v0001 for every model" in done.out
    assert re.search(r"^\d+ of 26 weeks: earlier ones have too little to train on", done.out, re.MULTILINE)
    # Lag 2, holdout 3: the first model could be of 2011-06-20; 200 rows to train on are there after the first week.
    weeks = pd.read_csv(journey.root / folder / "backtest.csv")
    assert weeks["scoring_date"].tolist() == ["2011-06-20", "2011-06-27"]  # the holdout begins on 2011-07-04
    assert (weeks["trained_until"] < weeks["trained_as_of"]).all()
    assert weeks["age_weeks"].tolist() == [place % 2 for place in range(len(weeks))]
    assert weeks["precision"].between(0, 1).all()
    assert weeks["prior_precision"].tolist() == weeks["base_rate"].tolist()
    assert f"Report    {folder}/backtest.html" in done.out


def test_the_holdout_is_shown_for_a_look_at_it_and_the_same_backtest_gives_the_same_bytes(journey: Journey) -> None:
    """It showed the weeks that candidates are judged on, and counted nothing."""
    asked = ("backtest", "--weeks", "2", "--trials", "1", "--spend-a-look")
    with journey.edit("training.yaml") as training:
        training["seed"] += 1
    assert journey.cli(*asked).code == 0
    first = journey.everything()

    done = journey.cli(*asked)

    assert done.code == 0, done.text
    assert journey.everything() == first
    assert "searched for each model, 1 trials" in done.out
    assert re.search(r"^2011-07-18 ", done.out, re.MULTILINE)
    shown = json.loads((journey.store / "ledger" / "000006.json").read_text())["event"]["says"]
    assert (shown["kind"], shown["weeks"]) == ("backtested", ["2011-07-11", "2011-07-18"])

    with journey.edit("training.yaml") as training:
        training["seed"] += 1
    judged = journey.cli("train")  # the champion's configuration, that of the backtest, and this one

    assert judged.code == 0, judged.text
    page = (journey.root / "data" / "reports" / journey.name / DAY / "evaluation.html").read_text()
    assert "Look 3 at these weeks: the bound is at 98.33 %." in page


def test_a_backtest_without_history_says_what_to_build(new_journey: Journey) -> None:
    done = new_journey.cli("backtest")

    assert done.code == 2
    assert "Build them with: ds-pipeline history" in done.err
    assert "Traceback" not in done.text


@pytest.fixture
def bench(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """The finished project as assets see it."""
    monkeypatch.setenv("DAGSTER_HOME", journey.env["DAGSTER_HOME"])
    return journey.open()


def test_a_champion_of_other_features_is_scored_with_its_own(bench: Workbench) -> None:
    """Another SQL that says the same: its features are built anew, and the scores must not change by a bit."""
    day = date.fromisoformat(DAY)
    rows = labelled_rows(bench, bench.use_case.clock.holdout(day), until=day).rows.iloc[::-1]
    same = score_champion(bench, day, rows)
    name, sql = next(iter(bench.use_case.feature_sql.items()))
    files = {**bench.use_case.files, name: f"-- another\n{sql}".encode()}
    other = replace(bench, use_case=replace(bench.use_case, files=files))
    assert other.use_case.features_digest != bench.use_case.features_digest
    unusable = rows.assign(**dict.fromkeys(bench.use_case.features.of_role("input"), np.nan))

    own = score_champion(other, day, unusable)

    assert same is not None
    assert own is not None
    assert (own.facts.version, own.facts.problem) == ("v0001", None)
    assert own.scores is not None
    assert same.scores is not None
    assert own.scores.index.equals(rows.index)
    assert own.scores.tolist() == same.scores.tolist()


def test_a_row_that_the_champion_does_not_know_is_a_problem(bench: Workbench) -> None:
    day = date.fromisoformat(DAY)
    rows = labelled_rows(bench, bench.use_case.clock.holdout(day), until=day).rows
    strange = rows.assign(customer_token=rows["customer_token"].where(rows.index > 0, "nobody"))
    files = {**bench.use_case.files, "features.yaml": bench.use_case.files["features.yaml"] + b"# another\n"}
    other = replace(bench, use_case=replace(bench.use_case, files=files))

    champion = score_champion(other, day, strange)

    assert champion is not None
    assert champion.scores is None
    assert f"1 of {len(rows):,} rows of the holdout are not in its own population" in str(champion.facts.problem)
