"""Someone asks to be erased: nothing of them is left anywhere, they do not come back, and the model is made anew."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pandas as pd
import pytest

from ds_pipeline.masking.columns.tokens import tokenize
from ds_pipeline.project import Project, Settings
from ds_pipeline.store import snapshots
from ds_pipeline.training.fit import Candidate, train_candidate
from ds_pipeline.use_case.load import load_use_case
from ds_pipeline_tests.journeys.contents import texts

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Journey

SEARCHED = ("data/store", "data/reports", "data/deliveries", ".dagster", ".keys")
REASON = ("--reason", "request by letter of 3 August")


def person(journey: Journey) -> str:
    """The number of the customer with the highest score: in every table, in the scores and in the list."""
    return str(pd.read_csv(next(journey.root.glob("data/deliveries/*/*/*.csv")))["customer_id"][0])


def token(journey: Journey, one: str) -> str:
    case = load_use_case(journey.case)
    key = Project(Settings(project=journey.root, _env_file=None)).pseudonym_key(case.sources)  # type: ignore[call-arg]
    return str(tokenize(pd.Series([one]), key=key, domain="customer")[0])


def files_with(journey: Journey, *wanted: str) -> list[str]:
    """Each file, of all that was written, that holds one of the texts."""
    paths = [path for folder in SEARCHED for path in (journey.root / folder).rglob("*") if path.is_file()]
    assert len(paths) > 100
    found = [path for path in paths if any(one in text for text in texts(path) for one in wanted)]
    return sorted(path.relative_to(journey.root).as_posix() for path in found)


def sources_of(journey: Journey) -> dict[str, bytes]:
    """Masked tables and quarantine: every file and every pointer."""
    folders = [journey.store / "datasets" / name for name in ("masked", "quarantine")]
    return {
        path.relative_to(journey.store).as_posix(): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def record(journey: Journey, number: int = 1) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((journey.store / "erasures" / f"{number:06d}.json").read_text())["event"]
    return content


def test_nothing_of_the_person_is_left_and_nothing_comes_back(recorded_journey: Journey) -> None:
    """The whole way: asked, erased, the model marked, the history built again, a new model that never saw them."""
    journey = recorded_journey
    one = person(journey)
    wanted = one, token(journey, one)
    before = files_with(journey, *wanted)
    assert {name.split("/")[4] for name in before if name.startswith("data/store")} >= {
        "masked", "features", "labels", "scores",
    }  # fmt: skip
    assert not [name for name in before if name.startswith((".dagster", "data/reports"))], "tokens are in no log"

    done = journey.type("erase", journey.name, "--entity-id", one, *REASON, "--yes")

    assert done.code == 0, done.text
    assert one not in done.text
    assert files_with(journey, *wanted) == []
    assert "Erased 1 person" in done.out
    assert "v0001 of 2011-08-01 had seen" in done.out
    written = record(journey)
    assert sum(change["rows"] for change in written["changes"]) > 30
    assert [affected["version"] for affected in written["affected"]] == ["v0001"]
    due = journey.status()["erasures"]
    assert (due["people"], due["unfinished"]) == (1, False)
    assert due["retraining"] == "retraining is due: 1 person was erased since v0001 was trained"
    lost = journey.cli("reproduce")
    assert lost.code == 3, lost.text
    assert "v0001: not reproducible: erasure of 20" in lost.out

    filtered = sources_of(journey)
    again = journey.cli("run")

    assert again.code == 0, again.text
    assert "left out of people who were erased" in again.out
    assert "retraining is due: 1 person" not in again.out  # v0002 is in force by then
    assert "the rows of people who were erased since are removed: 1" in again.out
    assert sources_of(journey) == filtered  # ingestion leaves out exactly what was filtered
    assert files_with(journey, *wanted) == []
    status = journey.status()
    assert (status["champion"]["version"], status["erasures"]["retraining"]) == ("v0002", None)
    assert all(table["read"] - table["kept"] - table["suppressed"] >= 0 for table in status["tables"])
    assert {table["suppressed"] > 0 for table in status["tables"]} == {True}
    same = journey.cli("reproduce")
    assert same.code == 0, same.text
    assert journey.cli("verify").code == 0


def test_until_then_the_drift_of_a_week_says_that_retraining_is_due(journey: Journey) -> None:
    one = person(journey)
    journey.type("erase", journey.name, "--entity-id", one, *REASON, "--yes")
    stale = journey.cli("score")
    assert stale.code == 2, stale.text
    assert "ds-pipeline history" in stale.err
    assert journey.cli("history").code == 0

    done = journey.cli("score")

    assert done.code == 0, done.text
    assert "retraining is due: 1 person was erased since v0001 was trained" in done.out
    assert one not in files_with(journey, one)


def test_identifiers_come_from_a_file_or_from_the_standard_input(journey: Journey, tmp_path: Path) -> None:
    one = person(journey)
    asked = tmp_path / "asked.txt"
    asked.write_text(f"{one}\n\n 99 \n")
    refused = journey.type("erase", journey.name, "--file", "-", *REASON)
    assert (refused.code, "add --yes" in refused.text) == (2, True)

    no = journey.type("erase", journey.name, "--file", str(asked), *REASON, stdin="n\n")

    assert no.code == 1, no.text
    assert "2 people to erase" in no.out
    assert "1 person not found" in no.out
    assert "Nothing was changed" in no.out
    assert files_with(journey, token(journey, one))

    yes = journey.shell("ds-pipeline", "erase", journey.name, "--file", "-", *REASON, "--yes", stdin=asked.read_text())

    assert yes.code == 0, yes.text
    assert files_with(journey, one, token(journey, one)) == []


def test_what_cannot_be_an_identifier_is_not_shown(journey: Journey) -> None:
    done = journey.type("erase", journey.name, "--entity-id", "jane@example.org", *REASON, "--yes")

    assert done.code == 2, done.text
    assert "not whole numbers" in done.err
    assert "jane" not in done.text
    assert not (journey.store / "suppression").exists()


def die_at_write(left: int) -> None:
    """End this process as kill -9 does before its n-th write, or after the one before where that is the record."""
    write = snapshots._write_whole

    def dying(path: Path, content: bytes, *, replace: bool) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os._exit(137)
        write(path, content, replace=replace)
        if left == 1 and path.suffix == ".json" and "erasures" in str(path.parent):
            os._exit(137)

    snapshots._write_whole = dying


@pytest.mark.parametrize("step", [3, 20, 61])
def test_a_killed_erasure_stops_every_run_and_is_finished_by_the_next_call(journey: Journey, step: int) -> None:
    one = person(journey)
    wanted = one, token(journey, one)
    arguments = ("erase", journey.name, "--entity-id", one, *REASON, "--yes")
    code, *printed = journey.start(*arguments, first=partial(die_at_write, step)).wait()
    assert code == 137, printed
    assert journey.status()["erasures"]["unfinished"]

    for command in ("run", "history", "train", "score"):
        stopped = journey.cli(command)
        assert stopped.code == 2, stopped.text
        assert "--resume" in stopped.text
    done = journey.cli("erase", "--resume") if step % 2 else journey.type(*arguments)

    assert done.code == 0, done.text
    assert files_with(journey, *wanted) == []
    assert len(list((journey.store / "erasures").glob("*.json"))) == 1
    assert [change["rows"] for change in record(journey)["changes"]].count(0) == 0
    assert journey.cli("erase", "--resume").out == "No erasure was interrupted.\n"


def test_a_lost_suppression_key_stops_the_ingestion(journey: Journey) -> None:
    journey.type("erase", journey.name, "--entity-id", person(journey), *REASON, "--yes")
    (journey.root / ".keys" / "suppression.key").unlink()

    done = journey.cli("history", "--rebuild")

    assert done.code == 2, done.text
    assert "suppression.key: the key of the suppression list is missing" in done.err


def test_a_version_comes_out_the_same_byte_for_byte(journey: Journey) -> None:
    before = journey.everything()

    done = journey.cli("reproduce", "v0001")

    assert done.code == 0, done.text
    assert "v0001: same bytes" in done.out
    assert "scores of 2011-08-01: 0 of " in done.out
    assert {name for name, digest in journey.everything().items() if before.get(name) != digest} == set()


def another_model(*arguments: Any, **more: Any) -> Candidate:
    made = train_candidate(*arguments, **more)
    return replace(made, content=made.content + b"x")


def rewritten_history(journey: Journey) -> None:
    journey.rewrite("transactions", lambda frame: frame.assign(UnitPrice=frame["UnitPrice"] * 2))
    assert journey.cli("history").code == 0


def removed_week(journey: Journey) -> None:
    journey.forget("features", "2011-06-20")


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        pytest.param(rewritten_history, 3, "not reproducible: rebuilt history", id="rebuilt"),
        pytest.param(removed_week, 3, "not reproducible: missing weeks: features or labels of 1 ", id="missing-week"),
    ],
)
def test_a_version_whose_rows_are_not_there_is_not_reproducible(
    journey: Journey, change: Callable[[Journey], None], code: int, said: str
) -> None:
    change(journey)

    done = journey.cli("reproduce")

    assert done.code == code, done.text
    assert said in done.out


def test_another_model_is_said_to_differ(journey: Journey) -> None:
    with mock.patch("ds_pipeline.promotion.reproduce.train_candidate", another_model):
        done = journey.cli("reproduce")

    assert done.code == 1, done.text
    assert "v0001: differs" in done.out


def test_a_version_that_never_was_is_named(journey: Journey) -> None:
    done = journey.cli("reproduce", "v0007")

    assert done.code == 2, done.text
    assert "v0007: no such version. Known: v0001." in done.err
