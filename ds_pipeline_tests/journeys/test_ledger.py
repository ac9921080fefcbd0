"""Declared, looked at, judged: what a user sees of the ledger, and what happens where someone goes around it."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest import mock

from ds_pipeline.promotion import judge as judging
from ds_pipeline.training import candidate as training
from ds_pipeline.training import declare as declaring
from ds_pipeline_tests.journeys.conftest import digests

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Done, Journey

DAY = "2011-08-01"


def entries(journey: Journey) -> list[dict[str, Any]]:
    paths = sorted((journey.store / "ledger").glob("*.json"))
    return [json.loads(path.read_text())["event"] for path in paths]


def kinds(journey: Journey) -> list[str]:
    return [entry["says"]["kind"] for entry in entries(journey)]


def runs(journey: Journey) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(journey.cli("runs", "--json").out)
    return found


def limit(journey: Journey, configurations: int) -> None:
    with journey.edit("requirements.yaml") as requirements:
        requirements["holdout"]["max_configurations"] = configurations


def another_configuration(journey: Journey) -> None:
    with journey.edit("training.yaml") as content:
        content["seed"] += 1


def materialize(journey: Journey, asset: str) -> Done:
    return journey.materialize(f"key:{journey.name}/{asset}", DAY)


def test_a_run_is_declared_before_it_is_looked_at_and_judged(journey: Journey) -> None:
    assert kinds(journey) == ["declared", "looked", "judged", "promoted", "scored"]
    (run,) = runs(journey)
    assert (run["run"], run["as_of"], run["verdict"], run["promoted_as"]) == (1, DAY, "passed", "v0001")
    assert run["configuration"]["digest"] == entries(journey)[1]["says"]["configuration"]
    assert set(run["parameters"]) >= {"learning_rate", "max_iter"}
    assert "precision_in_top_decile" in {gate["name"] for gate in run["gates"]}
    assert 0 < run["metrics"]["average_precision"] < 1


def test_training_the_same_configuration_again_costs_nothing(journey: Journey) -> None:
    limit(journey, 2)  # this changes the requirements, and so is the second configuration
    for _ in range(2):
        done = journey.cli("train")
        assert done.code == 0, done.text
    assert [run["verdict"] for run in runs(journey)] == ["passed"] * 3


def test_past_the_budget_it_is_refused_until_a_person_says_why(journey: Journey) -> None:
    limit(journey, 2)
    assert journey.cli("train").code == 0
    another_configuration(journey)

    refused = journey.cli("train")
    allowed = journey.cli("allow-holdout", "--reason", "the seed of the first was a mistake")
    passed = journey.cli("train")

    assert refused.code == 1, refused.text
    assert re.search(r"^holdout_configurations +3 +- +<= 2 +refused", refused.out, re.MULTILINE)
    assert "ds-pipeline allow-holdout" in refused.out
    assert allowed.code == 0, allowed.text
    assert "1 more for the holdout weeks 2011-07-04 to 2011-07-18" in allowed.out
    assert passed.code == 0, passed.text
    page = (journey.root / "data" / "reports" / journey.name / DAY / "evaluation.html").read_text()
    assert "the seed of the first was a mistake" in page
    shown = journey.cli("runs").out
    assert "Override of " in shown
    assert "the seed of the first was a mistake" in shown


def test_an_override_needs_a_clean_reason(journey: Journey) -> None:
    for reason in ("  ", "asked for by zarathea.wexcombeaa0@example.org"):
        done = journey.cli("allow-holdout", "--reason", reason)
        assert done.code == 2, done.text
        assert "example.org" not in done.err
    assert "allowed" not in kinds(journey)


def test_an_evaluation_that_is_killed_after_looking_has_cost_its_look(journey: Journey) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    another_configuration(journey)
    with mock.patch.object(judging, "evaluate", die):
        journey.cli("train")

    assert kinds(journey)[-2:] == ["declared", "looked"]
    assert runs(journey)[-1]["verdict"] == "evaluation not finished"


def test_a_ledger_that_is_gone_is_an_error_and_no_fresh_start(journey: Journey) -> None:
    before = journey.serving()
    shutil.rmtree(journey.store / "ledger")
    (journey.store / "ledger.json").unlink()

    done = journey.cli("train")

    assert done.code == 2, done.text
    assert "Nobody can say how often the holdout was looked at" in done.err
    assert not (journey.store / "ledger" / "000001.json").exists()
    assert journey.serving() == before
    assert journey.cli("runs").code == 2


def test_an_edit_between_training_and_evaluation_is_refused(journey: Journey) -> None:
    """The evaluation is another process, which loads the edited files as if they had always been so."""
    assert materialize(journey, "candidate").code == 0
    before = kinds(journey)
    with journey.edit("requirements.yaml") as requirements:
        requirements["acceptance"]["precision_in_top_decile"]["minimum"] = 0.02

    done = materialize(journey, "holdout_evaluation")

    assert done.code != 0
    assert "requirements.yaml has changed since the candidate was trained" in done.text
    assert kinds(journey) == before


def test_an_edit_while_it_trains_is_refused(journey: Journey) -> None:
    before = journey.serving()
    train = training.train_candidate

    def edited_meanwhile(*arguments: Any, **named: Any) -> Any:
        with journey.edit("requirements.yaml") as requirements:
            requirements["acceptance"]["precision_in_top_decile"]["minimum"] = 0.02
        return train(*arguments, **named)

    with mock.patch.object(training, "train_candidate", edited_meanwhile):
        done = journey.cli("train")

    assert done.code == 2, done.text
    assert "requirements.yaml changed while this run was at work" in done.err
    assert kinds(journey)[-1] == "declared"
    assert runs(journey)[-1]["verdict"] == "not evaluated"
    assert journey.serving() == before


def test_an_edit_between_the_steps_of_one_run_is_refused(journey: Journey) -> None:
    """The run has loaded its files at its start, so its own use case does not show the edit."""
    before = journey.serving()
    lineage = training.lineage

    def edited_after(*arguments: Any) -> Any:
        journey.replace("requirements.yaml", "acceptance:", "# eased\nacceptance:")
        return lineage(*arguments)

    with mock.patch.object(training, "lineage", edited_after):
        done = journey.cli("train")

    assert done.code == 2, done.text
    assert "requirements.yaml changed while this run was at work" in done.err
    assert "looked" not in kinds(journey)[3:]
    assert journey.serving() == before


def test_two_runs_are_compared(journey: Journey) -> None:
    another_configuration(journey)
    assert journey.cli("train").code == 0

    text = journey.cli("runs", "--compare", "1", "2")
    plain = json.loads(journey.cli("runs", "--compare", "1", "2", "--json").out)

    assert text.code == 0, text.text
    assert re.search(r"^file training.yaml +[0-9a-f]{12} +[0-9a-f]{12}$", text.out, re.MULTILINE)
    assert re.search(r"^promoted as +v0001 +v0002$", text.out, re.MULTILINE)
    assert "requirements.yaml" not in text.out
    assert {"run", "file", "metric"} <= {one["what"] for one in plain}
    assert journey.cli("runs", "--compare", "1", "9").code == 2


def test_before_the_first_training_there_are_no_runs(new_journey: Journey) -> None:
    before = new_journey.everything()
    done = new_journey.cli("runs")
    assert (done.code, done.out) == (0, "No training has begun yet.\n")
    assert new_journey.everything() == before


def test_a_ledger_that_is_gone_is_missed_by_the_bundles_whoever_removed_the_evaluations(journey: Journey) -> None:
    shutil.rmtree(journey.store / "ledger")
    (journey.store / "ledger.json").unlink()
    shutil.rmtree(journey.store / "documents" / "evaluation")
    before = journey.serving()

    done = journey.cli("train")

    assert done.code == 2, done.text
    assert "ledger" in done.err
    assert journey.serving() == before


def test_nothing_is_promoted_that_the_ledger_does_not_know(journey: Journey) -> None:
    shutil.rmtree(journey.store / "ledger")
    (journey.store / "ledger.json").unlink()
    before = journey.serving()

    done = journey.cli("promote", "--reason", "it was judged")

    assert done.code == 2, done.text
    assert "ledger" in done.err
    assert journey.serving() == before


def test_a_registry_that_is_gone_is_an_error_and_no_fresh_start(journey: Journey) -> None:
    """It said ok, and the next candidate would have been v0001 once more, compared with nothing."""
    shutil.rmtree(journey.store / "registry")

    for command in ("verify", "status", "train", "score"):
        done = journey.cli(command)

        assert done.code == 2, done.text
        assert "ledger/000004.json names v0001, but history/000001.json is not there" in done.text
        assert "Restore registry/ of the use case from a backup" in done.text
    assert not list((journey.store / "registry").rglob("*.json"))
    assert kinds(journey) == ["declared", "looked", "judged", "promoted", "scored"]


def test_without_ledger_and_evaluations_scores_and_lists_miss_the_registry(journey: Journey) -> None:
    """Whoever has removed all but what was scored, and then that too, has not begun anew."""
    for name in ("registry", "ledger", "documents"):
        shutil.rmtree(journey.store / name)
    (journey.store / "ledger.json").unlink()
    lists = journey.root / "data" / "deliveries"
    before = digests(lists, journey.root)

    for witness in ("the prediction log of 2011-08-01", "the list campaign_list.csv of 2011-08-01"):
        for command in ("verify", "status", "train", "score"):
            done = journey.cli(command)

            assert done.code == 2, (witness, done.text)
            assert f"{witness} names v0001, but the history lacks it; known: no version" in " ".join(done.text.split())
        shutil.rmtree(journey.store / "datasets" / "scores", ignore_errors=True)
    assert not list((journey.store / "registry").rglob("*.json"))
    assert digests(lists, journey.root) == before


def test_an_entry_dated_before_the_last_one_is_refused_and_one_that_was_signed_is_found(journey: Journey) -> None:
    before, earlier = kinds(journey), datetime(2011, 8, 1, tzinfo=UTC)
    with mock.patch.object(declaring, "now", return_value=earlier):
        refused = journey.cli("train")
    assert refused.code == 2, refused.text
    assert "2011-08-01 00:00:00 UTC is before the last event" in refused.err
    assert kinds(journey) == before

    bench = journey.open()
    last = bench.ledger.entries(known={})[-1]
    bench.ledger.append(last.model_copy(update={"number": 6, "previous": last.digest, "at": earlier}))

    found = journey.cli("verify")

    assert found.code == 2, found.text
    assert "ledger/000006.json: dated 2011-08-01 00:00:00 UTC, before the event that it follows" in found.out


def never_trained(journey: Journey) -> Journey:
    """The project with its history and nothing that was trained."""
    for name in ("registry", "ledger", "documents", "datasets/scores"):
        shutil.rmtree(journey.store / name)
    (journey.store / "ledger.json").unlink()
    shutil.rmtree(journey.root / "data" / "deliveries")
    return journey


def test_a_candidate_that_was_refused_is_not_promoted_under_requirements_cut_down_to_what_it_reaches(
    journey: Journey,
) -> None:
    """A model of noise missed six gates. With calibration alone asked for, the same bytes came into force."""
    never_trained(journey)
    with journey.edit("requirements.yaml") as requirements:
        for gate in ("precision_at_recall_60", "precision_in_top_decile", "gain_over_recency_rule"):
            requirements["acceptance"][gate]["minimum"] = 0.99
    assert journey.cli("train").code == 1
    assert kinds(journey) == ["declared", "looked", "judged"]

    with journey.edit("requirements.yaml") as requirements:
        asked = requirements["acceptance"]
        requirements["acceptance"] = {"calibration": asked["calibration"]}
        del requirements["label_quality"]
    elsewhere = journey.cli("train", "--date", "2011-07-11")  # whose holdout shares no week with the one looked at
    with journey.edit("requirements.yaml") as requirements:
        requirements["acceptance"]["precision_at_recall_60"] = asked["precision_at_recall_60"] | {"minimum": 0.01}
    cut, earlier = journey.cli("train"), journey.cli("train", "--date", "2011-07-11")

    assert elsewhere.code == 2, elsewhere.text
    assert "no approval does away with that floor" in elsewhere.err
    assert earlier.code == 2, earlier.text
    assert "acceptance.precision_in_top_decile.minimum: at least 0.99 is gone (owner: crm-analytics)" in earlier.err
    assert cut.code == 2, cut.text
    assert "acceptance.precision_in_top_decile.minimum: at least 0.99 is gone (owner: crm-analytics)" in cut.err
    assert "label_quality.max_undecided_share: at most 0.5 is gone (owner: data-science)" in cut.err
    assert f"ds-pipeline approve-requirements {journey.name} --date {DAY} --reason" in cut.err
    assert kinds(journey) == ["declared", "looked", "judged"]
    assert journey.status()["champion"] is None

    part = journey.cli("approve-requirements", "--owner", "data-science", "--reason", "ours are not needed")
    still = journey.cli("train")

    assert part.code == 0, part.text
    assert "Approved for data-science. Recorded as ledger/000004.json" in part.out
    assert "label_quality" not in still.err
    assert "acceptance.precision_in_top_decile.minimum: at least 0.99 is gone (owner: crm-analytics)" in still.err

    assert journey.cli("approve-requirements", "--reason", "a pilot without a list").code == 0
    agreed = journey.cli("train")

    assert agreed.code == 0, agreed.text
    for kept in ("data/reports/{}/{}/evaluation.html", "data/store/{}/registry/versions/v0001/bundle/model_card.md"):
        text = (journey.root / kept.format(journey.name, DAY)).read_text()
        assert "a pilot without a list" in text
        assert "ours are not needed" in text
    assert "a pilot without a list" in journey.cli("runs").out
