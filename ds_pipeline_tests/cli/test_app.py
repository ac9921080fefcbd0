"""The command line itself: what it is asked for, and how it ends."""

from __future__ import annotations

import os
import sys
from datetime import date

import pytest
import typer
from typer.testing import CliRunner

from ds_pipeline.cli import app as commands
from ds_pipeline.errors import ClockError, ConfigError, RegistryError
from ds_pipeline.workbench import Workbench


@pytest.mark.parametrize("name", ["../retail_lapse", "a b", "", "/tmp", "configs/retail_lapse"])
def test_a_use_case_is_named_and_no_path(name: str) -> None:
    with pytest.raises(ConfigError, match="the name of a folder under configs/"):
        commands._open(name)


def test_the_date_is_the_newest_unless_one_is_named(bench: Workbench) -> None:
    assert commands._day_of(bench, None) == bench.use_case.clock.last == date(2011, 12, 5)
    assert commands._day_of(bench, "2011-11-28") == date(2011, 11, 28)


@pytest.mark.parametrize("text", ["yesterday", "2011-13-01", "05/12/2011", ""])
def test_a_date_that_is_none_is_answered_with_an_example(bench: Workbench, text: str) -> None:
    with pytest.raises(ClockError, match=f"--date {text}: expected a date such as 2011-12-05"):
        commands._day_of(bench, text)


def test_a_date_that_is_no_scoring_date_is_an_error_of_the_clock(bench: Workbench) -> None:
    with pytest.raises(ClockError, match="2011-12-06"):
        commands._day_of(bench, "2011-12-06")


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_a_reason_says_something(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="it is empty"):
        commands._say_something(text)

    assert commands._say_something(" ok ") == " ok "


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        pytest.param(RegistryError("v0001 is broken."), commands.WRONG, "ds-pipeline: v0001 is broken.\n", id="ours"),
        pytest.param(SystemExit(130), commands.INTERRUPTED, "ds-pipeline: Stopped. What was finished is kept; run the "
                     "same command again to go on.\n", id="interrupted"),
        pytest.param(SystemExit(commands.REFUSED), commands.REFUSED, "", id="refused"),
        pytest.param(SystemExit(0), 0, "", id="done"),
    ],
)  # fmt: skip
def test_an_error_of_ours_is_a_message_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raised: BaseException, code: int, said: str
) -> None:
    def work() -> None:
        raise raised

    monkeypatch.setattr(commands, "app", work)
    before = os.umask(0o022)
    try:
        with pytest.raises(SystemExit) as end:
            commands.main()
        assert os.umask(0o022) == 0o077  # what is written is the owner's alone
    finally:
        os.umask(before)

    assert end.value.code == code
    assert capsys.readouterr() == ("", said)


def test_an_error_of_anybody_else_keeps_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(commands, "app", work)
    before = os.umask(0o022)
    try:
        with pytest.raises(ZeroDivisionError):
            commands.main()
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["rollback", "x", "--reason", " "], "it is empty", id="blank-reason"),
        pytest.param(["rollback", "x"], "--reason", id="no-reason"),
        pytest.param(["score", "x", "--supersede"], "go together", id="superseded-without-a-reason"),
        pytest.param(["score", "x", "--reason", "late"], "go together", id="a-reason-for-nothing"),
        pytest.param(["score", "x", "--supersede", "--reason", " "], "it is empty", id="superseded-for-nothing"),
        pytest.param(["allow-holdout", "x", "--reason", "r", "--more", "0"], "--more", id="none-more"),
        pytest.param(["erase", "x"], "--reason is needed", id="erase-without-reason"),
        pytest.param(["erase", "x", "--resume", "--reason", "r"], "--resume finishes what was begun", id="resume"),
        pytest.param(["erase", "x", "--reason", "r", "--file", "-"], "add --yes", id="nobody-to-ask"),
        pytest.param(["erase", "x", "--reason", " ", "--entity-id", "a"], "", id="erase-for-no-reason"),
        pytest.param(["mistakes", "x", "--examples", "101"], "--examples", id="too-many"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_opened(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(commands, "_open", lambda name: opened.append(name) or sys.exit(99))
    monkeypatch.setenv("COLUMNS", "200")

    done = CliRunner().invoke(commands.app, arguments)

    if said:
        assert (done.exit_code, opened) == (2, [])
        assert said in done.output
    else:
        assert opened == ["x"]


@pytest.mark.parametrize(("code", "exits"), [(0, False), (1, True), (3, True)])
def test_only_a_code_ends_the_process(code: int, exits: bool) -> None:
    if not exits:
        commands._finish(code)
        return
    with pytest.raises(SystemExit) as end:
        commands._finish(code)
    assert end.value.code == code
