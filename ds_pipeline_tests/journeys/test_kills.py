"""kill -9 at any moment: then the state is the old one or the new one, and the next run ends as an undisturbed one."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ds_pipeline.sql import sandbox
from ds_pipeline.store.snapshots import WRITING

if TYPE_CHECKING:
    import random

    from ds_pipeline_tests.journeys.conftest import Done, Journey

# The line after which the run is killed, so that every stage is met on a machine of any speed.
STAGES = ("masked_transactions", "holdout_evaluation", "promotion")


def kill_after(journey: Journey, stage: str, *, seconds: float, command: str = "run") -> str:
    """Start a command and kill it some time after the first line about a stage. What it had printed."""
    started = journey.start(command, journey.name)
    printed = started.until(stage)
    time.sleep(seconds)
    started.kill()
    return printed


def test_a_run_that_is_killed_again_and_again_ends_as_an_undisturbed_one(
    new_recorded_journey: Journey, first_run: tuple[Journey, Done], rng: random.Random
) -> None:
    journey = new_recorded_journey
    for stage in STAGES:
        delay = rng.uniform(0, 0.6)
        printed = kill_after(journey, stage, seconds=delay)
        assert stage in printed
        where = f"killed {delay:.3f} s after {stage}"
        checked = journey.cli("verify")
        assert "ok" in checked.out or "No version was ever promoted" in checked.out, (where, checked.text)
        champion = journey.status()["champion"]
        assert champion is None or (champion["version"], champion["bundle"]) == ("v0001", "ok"), where

    done = journey.cli("run")

    assert done.code == 0, done.text
    assert journey.made().keys() == first_run[0].made().keys()
    assert journey.made() == first_run[0].made()
    assert journey.cli("verify").out.split() == ["history", "ok", "v0001", "ok", "ledger", "ok", "store", "ok"]
    folder = journey.root / "data" / "deliveries"
    assert sorted(path.name for path in folder.rglob("*.*")) == [
        "campaign_list.csv",
        "campaign_list.parquet",
        "manifest.json",
    ]


def test_a_run_killed_while_it_serves_leaves_the_old_list_or_the_new(journey: Journey, rng: random.Random) -> None:
    before = journey.serving()

    kill_after(journey, "Scoring", seconds=rng.uniform(0, 0.8), command="score")

    after = journey.serving()
    assert {name: after.get(name) for name in before} == before
    assert all(WRITING in name for name in after.keys() - before.keys())


def test_what_a_killed_run_was_writing_is_removed_a_day_later(journey: Journey) -> None:
    """Half a list names customers: the scan at the end of the next run took that for a leak.

    And where no command had run before in the process, the file was open to others, which that scan tells too.
    """
    folder = journey.root / "data" / "deliveries" / journey.name / "2011-08-01"
    old, young = folder / f"{WRITING}old", folder / f"{WRITING}young"
    old.write_bytes(b"half a list")
    young.write_bytes((folder / "campaign_list.csv").read_bytes()[:900])  # another run may be writing it
    for path in (old, young):
        path.chmod(0o600)  # as the run that was killed had made them
    yesterday = time.time() - 25 * 60 * 60
    os.utime(old, (yesterday, yesterday))

    done = journey.cli("score")

    assert done.code == 0, done.text
    assert not old.exists()
    assert young.exists()


def take_little() -> None:
    sandbox.CHECK_MEMORY = "64 MiB"


def test_sql_that_cannot_be_stopped_ends_its_command_and_nothing_else(journey: Journey) -> None:
    """One call that makes one huge value took what memory there was, whatever the limits."""
    before = journey.serving()
    (journey.case / "features" / "huge.sql").write_text(
        "select customer_token, repeat('x', 2000000000) from population"
    )

    code, out, err = journey.start("check", journey.name, first=take_little).wait()

    said = "ds-pipeline: features/huge.sql: the query takes more than 2 times the 64.0 MiB of memory that it may."
    assert (code, out, err.startswith(said), len(err.splitlines())) == (2, "", True, 1), err
    assert journey.serving() == before
