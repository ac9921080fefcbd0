"""Promotion, rollback, verification, and a champion that is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from unittest import mock

import pandas as pd
import pytest

from ds_pipeline.promotion import holdout_ledger as noting
from ds_pipeline.promotion import promote as promoting
from ds_pipeline_tests.journeys.conftest import Journey

EARLIER = datetime(2026, 1, 5, 9, tzinfo=UTC)


def events(journey: Journey) -> list[dict]:
    paths = sorted((journey.store / "registry" / "history").glob("*.json"))
    return [json.loads(path.read_text())["event"] for path in paths]


def test_the_page_of_a_version_is_kept(promoted_twice: Journey) -> None:
    """A later evaluation of the same date replaced the page of the version in force."""
    folder = promoted_twice.root / "data" / "reports" / promoted_twice.name / "2011-08-01"
    kept = folder / "evaluation-v0002.html"
    before = kept.read_bytes()
    assert before == (folder / "evaluation.html").read_bytes()
    assert (folder / "evaluation-v0001.html").is_file()

    done = promoted_twice.cli("train")

    assert done.code == 0, done.text
    assert "Report    data/reports/" in done.out
    assert "gates that apply passed, 1 does not apply" in done.out
    assert "the candidate is the champion" in (folder / "evaluation.html").read_text()
    assert kept.read_bytes() == before
    found = json.loads(promoted_twice.cli("runs", "--json").out)
    assert [run["promoted_as"] for run in found] == ["v0001", "v0002", None]


def test_a_rollback_is_recorded_and_recorded_scores_stay(promoted_twice: Journey) -> None:
    journey, scores = promoted_twice, [name for name in promoted_twice.serving().items() if "scores" in name[0]]

    done = journey.cli("rollback", "--reason", "complaints from the campaign team")

    assert done.code == 0, done.text
    assert "v0001 (as of 2011-08-01) is in force" in done.out
    last = events(journey)[-1]
    assert (last["kind"], last["version"], last["reason"]) == ("rollback", "v0001", "complaints from the campaign team")
    assert last["actor"]
    assert journey.status()["champion"]["version"] == "v0001"
    scored = journey.cli("score")
    assert scored.code == 0, scored.text
    assert "scored for 2011-08-01 by v0001 (recorded earlier, unchanged)" in scored.out
    assert [name for name in journey.serving().items() if "scores" in name[0]] == scores


def test_a_list_that_is_still_out_is_named_and_replaced(promoted_twice: Journey) -> None:
    """A rollback left the list of the bad version with the campaign, and the date could not be scored again."""
    journey, because = promoted_twice, ("--supersede", "--reason", "another version serves now")
    assert journey.cli("score", *because).code == 0
    folder = journey.root / "data" / "deliveries" / journey.name / "2011-08-01"
    bad = (folder / "campaign_list.csv").read_bytes()

    rolled_back = journey.cli("rollback", "--reason", "complaints from the campaign team")
    out = journey.status()["still_out"]
    done = journey.cli("score", *because)

    assert "Still out: the list of 2011-08-01 by v0002. Replace it: ds-pipeline score" in rolled_back.out
    assert out == {"2011-08-01": "v0002"}
    assert done.code == 0, done.text
    assert "they replace those of v0002" in done.out
    assert journey.status()["still_out"] == {}
    listed = pd.read_csv(folder / "campaign_list.csv")
    assert (set(listed["model_version"]), set(listed["replaces"])) == ({"v0001"}, {"v0002"})
    assert bad in [path.read_bytes() for path in folder.glob("campaign_list.replaced-*.csv")]
    assert json.loads((folder / "manifest.json").read_text())["replaces"]["model_version"] == "v0002"
    assert "nothing was replaced" in journey.cli("score", *because).err
    assert journey.cli("verify").code == 0


def test_the_next_run_does_not_promote_what_was_rolled_back(promoted_twice: Journey) -> None:
    journey = promoted_twice
    journey.cli("rollback", "--reason", "complaints")
    before = journey.serving()

    done = journey.cli("run")

    assert done.code == 1, done.text
    assert "v0002 is this very candidate" in done.out
    assert "rollback --to v0002" in done.out
    assert "Not promoted. All gates passed" in done.out
    assert "Refused." not in done.out
    assert journey.serving() == before
    assert journey.status()["champion"]["version"] == "v0001"


def test_a_rollback_can_be_taken_back(promoted_twice: Journey) -> None:
    """And no clock holds it up: one that was ahead at the first rollback has been set right since."""
    promoted_twice.cli("rollback", "--reason", "complaints")

    with (
        mock.patch.object(promoting, "now", return_value=EARLIER),
        mock.patch.object(noting, "now", return_value=EARLIER),
    ):
        done = promoted_twice.cli("rollback", "--to", "v0002", "--reason", "they were about something else")

    assert done.code == 0, done.text
    *_, before, last = events(promoted_twice)
    assert [event["version"] for event in events(promoted_twice)] == ["v0001", "v0002", "v0001", "v0002"]
    assert last["at"] == before["at"]
    assert last["reason"] == (
        "they were about something else (dated as the event before it; the clock said 2026-01-05 09:00:00 UTC)"
    )
    assert promoted_twice.cli("verify").code == 0


@pytest.mark.parametrize("reason", [pytest.param("", id="empty"), pytest.param("  ", id="blanks")])
def test_a_rollback_needs_a_reason(promoted_twice: Journey, reason: str) -> None:
    before = promoted_twice.serving()

    done = promoted_twice.cli("rollback", "--reason", reason)

    assert done.code == 2
    assert "--reason" in done.err
    assert "Traceback" not in done.text
    assert promoted_twice.serving() == before


def test_a_newer_candidate_takes_over_for_its_date_and_later_only(journey: Journey) -> None:
    """A champion of an earlier date scores the weeks up to the next one; nothing is scored by a later version."""
    done = journey.cli("run", "--date", "2011-07-25")

    assert done.code == 1, done.text
    assert "A promotion never goes back" in done.out
    assert "Not scored" in done.out


def test_an_unrelated_edit_does_not_bring_back_what_was_rolled_back(promoted_twice: Journey) -> None:
    """A comment in contract.yaml made the same model a new candidate, and undid the rollback."""
    journey = promoted_twice
    journey.cli("rollback", "--reason", "complaints")
    contract = journey.root / "configs" / journey.name / "contract.yaml"
    contract.write_text(contract.read_text() + "# a comment\n")

    done = journey.cli("train")

    assert done.code == 1, done.text
    assert "v0002 is this very candidate" in done.out
    assert journey.status()["champion"]["version"] == "v0001"


def test_recorded_scores_of_a_version_that_does_not_verify_are_not_delivered_again(journey: Journey) -> None:
    """The list was written first, and the broken bundle noticed afterwards."""
    path = journey.store / "registry" / "versions" / "v0001" / "bundle" / "model.joblib"
    path.write_bytes(path.read_bytes() + b"x")
    before = journey.serving()

    done = journey.cli("score")

    assert done.code == 2, done.text
    assert "model.joblib was changed" in done.err
    assert "campaign_list" not in done.out
    assert journey.serving() == before


def test_verify_finds_everything_in_order(journey: Journey) -> None:
    done = journey.cli("verify")

    assert done.code == 0, done.text
    assert done.out.split() == ["history", "ok", "v0001", "ok", "ledger", "ok", "store", "ok"]


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        pytest.param("versions/v0001/bundle/model.joblib", "model.joblib was changed", id="model"),
        pytest.param("versions/v0001/bundle/decision.json", "decision.json was changed", id="decision"),
        pytest.param("versions/v0001/bundle/manifest.json", "manifest.json is not the one", id="manifest"),
        pytest.param("versions/v0001/bundle/use_case/label.sql", "use_case/label.sql was changed", id="use-case"),
        pytest.param("versions/v0001/bundle.sig", "bundle.sig", id="signature"),
        pytest.param("history/000001.json", "history/000001.json", id="history"),
    ],
)
def test_verify_names_what_was_changed(journey: Journey, pattern: str, named: str) -> None:
    path = journey.store / "registry" / pattern
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    done = journey.cli("verify")

    assert done.code == 2, done.text
    assert named in done.text
    assert "Traceback" not in done.text


def test_a_lost_champion_is_replaced_only_on_demand(journey: Journey) -> None:
    (journey.store / "registry" / "versions" / "v0001" / "bundle" / "model.joblib").unlink()
    before = journey.serving()

    refused = journey.cli("run")
    assert refused.code == 2, refused.text
    assert "model.joblib is missing" in refused.err
    assert journey.serving() == before

    done = journey.cli("promote", "--replace-lost", "--reason", "the disk was lost")
    assert done.code == 0, done.text
    assert "v0002 is in force" in done.out
    assert events(journey)[-1]["kind"] == "replace_lost"
    assert journey.cli("score").code == 2  # the week was scored by the version that is lost: drift cannot be measured
    assert journey.status()["champion"]["version"] == "v0002"
