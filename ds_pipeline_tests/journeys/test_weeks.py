"""What the weeks bring: a new Monday, corrected sources, changed SQL, another key, Ctrl-C."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from ds_pipeline_tests.journeys.conftest import Done, Journey, copy


@pytest.fixture
def week_later(earlier_run: tuple[Journey, Done], tmp_path: Path) -> Journey:
    """A champion of 25 July, and a Monday later."""
    finished, done = earlier_run
    assert done.code == 0, done.text
    return copy(finished, tmp_path / "project")


def log_of(journey: Journey, day: str) -> pd.DataFrame:
    (path,) = (journey.store / "datasets" / "scores" / day).glob("*.parquet")
    return pq.read_table(path).to_pandas()


def test_a_new_monday_needs_its_week_and_then_is_scored_by_the_champion(week_later: Journey) -> None:
    journey = week_later

    too_early = journey.cli("score")
    assert too_early.code == 2, too_early.text
    assert "2011-08-01" in too_early.err
    assert "ds-pipeline history mini_lapse --date 2011-08-01" in too_early.err

    built = journey.cli("history")
    assert built.code == 0, built.text
    assert "1 of 13 weeks to build" in built.out
    done = journey.cli("score")
    assert done.code == 0, done.text
    assert "scored for 2011-08-01 by v0001" in done.out


def test_changed_sql_does_not_break_what_serves(week_later: Journey) -> None:
    """The champion is scored with its own features, whatever the file says by now."""
    journey = week_later
    assert journey.cli("history").code == 0
    assert journey.cli("score").code == 0
    journey.replace("features/rhythm.sql", "min(days_ago) as", "min(days_ago) + 1 as")

    done = journey.cli("score", "--supersede", "--reason", "are they the same?")

    assert done.code == 2, done.text
    assert "v0001 is in force for 2011-08-01 and gives the scores that are recorded" in done.err


def test_a_rollback_scores_the_next_monday_with_the_earlier_version(week_later: Journey) -> None:
    journey = week_later
    with journey.edit("training.yaml") as training:
        training["seed"] += 1
    assert journey.cli("train", "--date", "2011-07-25").code == 0
    assert journey.cli("history").code == 0
    assert journey.cli("rollback", "--reason", "complaints").code == 0

    done = journey.cli("score")

    assert done.code == 0, done.text
    assert "scored for 2011-08-01 by v0001" in done.out
    assert set(log_of(journey, "2011-08-01")["model_version"]) == {"v0001"}


def test_a_corrected_source_is_read_again_and_recorded_scores_stay(journey: Journey) -> None:
    recorded = log_of(journey, "2011-08-01")
    journey.rewrite("transactions", lambda frame: frame.assign(UnitPrice=frame["UnitPrice"] + 0.5))

    done = journey.cli("run")

    assert done.code == 0, done.text
    assert "13 of 13 weeks to build" in done.out
    assert "v0002 is in force" in done.out
    assert "by v0001 (recorded earlier and final, although the features have changed since)" in done.out
    assert "13 weeks differ from what was stored before" in done.out
    assert log_of(journey, "2011-08-01").equals(recorded)


def test_under_another_key_the_tokens_fit_nobody_and_nothing_is_delivered(journey: Journey) -> None:
    before = journey.serving()

    done = journey.cli("score", DS_PIPELINE_PSEUDONYM_KEY="another-key-of-forty-characters-or-so-123")

    assert done.code == 2, done.text
    assert "were recorded under the pseudonym key" in done.err
    assert "another-key" not in done.text
    assert journey.serving() == before


def test_a_contract_that_has_ended_delivers_nothing(journey: Journey) -> None:
    with journey.edit("contract.yaml") as contract:
        contract["sunset"] = "2011-07-31"
    before = journey.serving()

    done = journey.cli("score")

    assert done.code == 2, done.text
    assert "the contract ended on 2011-07-31" in done.err
    assert journey.serving() == before


def test_ctrl_c_is_a_message_and_the_next_run_goes_on(new_recorded_journey: Journey) -> None:
    """Dagster takes Ctrl-C for a failed step, and the user once read the name of its exception."""
    journey = new_recorded_journey
    started = journey.start("run", journey.name)
    started.until("features")
    started.interrupt()
    code, _, errors = started.wait()

    assert code == 130
    assert errors.strip().endswith("run the same command again to go on.")
    assert "Traceback" not in errors
    assert "Interrupted" not in errors
    assert journey.cli("history").code == 0


def test_two_first_runs_at_once_both_end_and_leave_a_project_that_works(new_recorded_journey: Journey) -> None:
    """Both made the Dagster database, which then had two heads for good."""
    journey = new_recorded_journey
    command = ("history", journey.name, "--date", "2011-05-30")
    ends = [run.wait() for run in [journey.start(*command) for _ in range(2)]]

    assert [code for code, _, _ in ends] == [0, 0], ends
    again = journey.type(*command)
    assert again.code == 0, again.text
    assert "all 4 weeks are there" in again.out


def test_a_week_that_has_drifted_is_an_exit_code_and_in_the_status(journey: Journey) -> None:
    """From cron it ended like any other, and the status told nothing of it."""
    before = journey.serving()
    journey.rewrite("transactions", lambda rows: rows.assign(Quantity=rows["Quantity"] * 40))
    assert journey.cli("history").code == 0

    done = journey.cli("score", "--strict")

    assert done.code == 1, done.text
    assert "drift fails. See above, and: ds-pipeline status mini_lapse." in done.out
    assert re.search(r"drift +FAILS: .*retraining is due: .*spend_gbp_90d", journey.cli("status").out)
    changed = {name for name, digest in journey.serving().items() if before.get(name) != digest}
    assert {Path(name).parent.parent.parent.name for name in changed} == {"deliveries"}  # the reasons are unknown now
