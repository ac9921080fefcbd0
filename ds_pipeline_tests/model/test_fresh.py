"""A call in a fresh interpreter: its own process, its result or its error, and nothing of what fails in between."""

from __future__ import annotations

import os
import signal
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from ds_pipeline.clock import Clock
from ds_pipeline.errors import ClockError
from ds_pipeline.model.fresh import begin_fresh, call_fresh, in_turn

MONDAY = date(2011, 3, 7)


def test_each_call_has_a_process_of_its_own_and_the_results_keep_their_order() -> None:
    first, second, third = call_fresh([partial(eval, f"({number}, __import__('os').getpid())") for number in range(3)])

    assert (first[0], second[0], third[0]) == (0, 1, 2)
    assert len({first[1], second[1], third[1], os.getpid()}) == 4


def test_what_a_call_prints_does_not_spoil_its_result() -> None:
    assert call_fresh([partial(eval, "print('x') or 7")]) == [7]


def test_nothing_of_dagster_is_imported_and_the_environment_is_that_of_the_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    monkeypatch.setenv("OF_THE_PARENT", "yes")
    asked = (
        "('dagster' in __import__('sys').modules, __import__('os').environ.get('OF_THE_PARENT'), "
        "__import__('os').environ.get('PYTHONHASHSEED'))"
    )

    assert call_fresh([partial(eval, asked)]) == [(False, "yes", None)]


def test_an_error_with_a_message_for_people_comes_through() -> None:
    clock = Clock("UTC", MONDAY, None, horizon_days=7, settle_days=0, holdout_weeks=1)

    with pytest.raises(ClockError, match="2011-03-08"):
        call_fresh([partial(clock.require, date(2011, 3, 8))])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        pytest.param(partial(signal.raise_signal, signal.SIGKILL), "was killed by signal 9", id="killed"),
        pytest.param(partial(int, "4711 is a value"), "failed", id="an-error-of-the-code"),
        pytest.param(partial(os._exit, 0), "ended without an answer", id="no-answer"),
    ],
)
def test_a_process_that_does_not_come_to_its_end_is_an_error_without_a_value(call: partial, said: str) -> None:
    with pytest.raises(ChildProcessError) as error:
        call_fresh([call])

    assert said in str(error.value)
    assert "4711" not in str(error.value)


def test_the_parent_goes_on_meanwhile(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    with begin_fresh([partial(eval, f"open({str(gate)!r}).read()")]) as results:
        gate.write_text("open")  # until the call reads it, this waits, and so does the call without it
        assert results() == ["open"]


def test_what_nobody_waits_for_is_killed(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    with begin_fresh([partial(eval, f"[open({str(gate)!r}, 'w'), __import__('time').sleep(600)]")]):
        started = gate.open()  # the call is at work

    assert started.read() == ""  # nobody holds the other end: its process has ended
    started.close()


def test_calls_in_turn_share_an_interpreter() -> None:
    asked = partial(eval, "__import__('os').getpid()")

    (answers,) = call_fresh([partial(in_turn, asked, asked)])

    assert len(answers) == 2
    assert len({*answers, os.getpid()}) == 2
