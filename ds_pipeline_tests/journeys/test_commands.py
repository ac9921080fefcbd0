"""What a newcomer types first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Journey

COMMANDS = ("run", "history", "train", "score", "status", "verify", "rollback", "promote", "check", "redact")


def test_help_lists_every_command(new_journey: Journey) -> None:
    done = new_journey.type("--help")

    assert done.code == 0
    assert all(f" {command} " in done.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(new_journey: Journey, command: str) -> None:
    done = new_journey.type(command, "--help")

    assert done.code == 0
    assert f"Usage: ds-pipeline {command}" in done.out
    assert len(done.out.splitlines()) > 5


def test_no_command_shows_the_help(new_journey: Journey) -> None:
    assert "Usage: ds-pipeline" in new_journey.type().text


def test_an_unknown_command_is_a_message(new_journey: Journey) -> None:
    done = new_journey.type("rnu", "mini_lapse")

    assert done.code == 2
    assert "No such command 'rnu'" in done.err
    assert "Traceback" not in done.text


def test_outside_of_a_project_it_says_what_is_expected(journey: Journey) -> None:
    done = journey.cli("status", DS_PIPELINE_PROJECT=str(journey.root / "data"))

    assert done.code == 2
    assert done.err.startswith("ds-pipeline: ")
    assert "Traceback" not in done.text
    assert str(journey.root) not in done.text
