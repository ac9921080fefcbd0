"""The acceptance tests a stakeholder runs: green on a champion that keeps what was agreed, red where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from ds_pipeline_tests.journeys.conftest import REPOSITORY, Done, Journey

FOLDER = str(REPOSITORY / "ds_pipeline_tests" / "acceptance")


def judge(journey: Any) -> Done:
    """The command that a stakeholder runs, inside this process."""
    apart = [argument for plugin in ("cacheprovider", "faulthandler", "xdist") for argument in ("-p", f"no:{plugin}")]
    with journey.inside() as (out, err):
        code = pytest.main([FOLDER, "--use-case", journey.name, *apart])
    return Done(int(code), out.getvalue(), err.getvalue())


def test_a_champion_that_passed_its_gates_is_accepted(journey: Any) -> None:
    before = journey.everything()

    done = journey.shell("pytest", FOLDER, "--use-case", journey.name, "-p", "no:cacheprovider")

    assert done.code == 0, done.text
    assert "13 passed" in done.out  # 5 thresholds, 2 data minimums, undecided labels, 5 others
    assert "test_the_threshold_is_reached[mini_lapse-calibration] PASSED" in done.out
    assert journey.everything() == before


def test_a_threshold_that_is_missed_and_requirements_that_changed_are_told(journey: Any) -> None:
    with journey.edit("requirements.yaml") as requirements:
        requirements["acceptance"]["precision_at_recall_60"]["minimum"] = 0.99

    done = judge(journey)

    assert done.code == 1
    assert "test_the_threshold_is_reached[mini_lapse-precision_at_recall_60]" in done.out
    assert "asked for at least 0.99: misses by" in done.out
    assert "requirements.yaml has changed since v0001 was judged" in done.out
    assert "FAILED" not in "".join(line for line in done.out.splitlines() if "mini_lapse-calibration" in line)


def test_a_list_that_does_not_fit_is_told_without_a_value_of_it(journey: Any) -> None:
    path = next((journey.root / "data" / "deliveries").rglob("campaign_list.csv"))
    head, first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([head, *rest, first]) + "\n")

    done = judge(journey)

    assert done.code == 1
    assert "the highest score does not come first" in done.out
    assert first.split(",")[0] not in done.text  # the customer's number


def test_a_changed_bundle_is_not_judged(journey: Any) -> None:
    bundle = next(journey.store.glob("registry/versions/v0001/bundle/evaluation.json"))
    bundle.write_text(bundle.read_text().replace("0.", "0.9", 1))

    done = judge(journey)

    assert done.code == 1
    assert "evaluation.json was changed after it was promoted" in done.out


def test_without_a_champion_it_fails_with_the_command_that_makes_one(new_journey: Any) -> None:
    """Eleven skipped tests and exit code 0 looked like a champion that was accepted."""
    done = judge(new_journey)

    assert done.code != 0
    assert "no champion to judge yet: mini_lapse. Make one with: ds-pipeline run mini_lapse" in done.err
    assert "Traceback" not in done.text
    assert "passed" not in done.text


def test_a_use_case_that_does_not_exist_is_a_message(new_journey: Any) -> None:
    done = judge(Journey(new_journey.root, "mini_laps"))

    assert done.code != 0
    assert "mini_laps" in done.err
    assert "Traceback" not in done.text
