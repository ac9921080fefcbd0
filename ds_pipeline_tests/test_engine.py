"""Where work runs changes neither its results nor its errors, and a name that is no engine is refused."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import joblib
import numpy as np
import pytest
import threadpoolctl

from ds_pipeline import engine, errors
from ds_pipeline.clock import Clock
from ds_pipeline.errors import AnonymityError, ClockError, EngineError

ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
ENGINES = ["sequential", "threading", "loky"]
CLOCK = Clock("UTC", date(2011, 3, 7), None, horizon_days=7, settle_days=0, holdout_weeks=1)


@pytest.fixture(params=ENGINES)
def named(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(engine.VARIABLE, request.param)
    return str(request.param)


@pytest.mark.usefixtures("named")
def test_results_come_in_the_order_of_the_items() -> None:
    factor = 3

    assert engine.run(lambda item: factor * item, range(20), suits="threading") == [3 * item for item in range(20)]


@pytest.mark.usefixtures("named")
def test_an_error_keeps_its_type_and_its_message() -> None:
    monday = CLOCK.first

    with pytest.raises(ClockError, match="2011-03-08") as error:
        engine.run(CLOCK.require, [monday, monday.replace(day=8)], suits="loky", n_jobs=2)
    assert error.value.__cause__ is None  # no page of another process


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_can_be_sent(kind: type[Exception]) -> None:
    figures = {"figures": {"groups": 2}} if kind is AnonymityError else {}

    error = pickle.loads(pickle.dumps(kind("too few", **figures)))

    assert (type(error), str(error), vars(error)) == (kind, "too few", figures)


def test_processes_are_others_and_compute_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(_: int) -> tuple[int, set[int]]:
        np.ones((2, 2)) @ np.ones((2, 2))
        return os.getpid(), {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}

    monkeypatch.setenv(engine.VARIABLE, "loky")
    found = engine.run(look, range(4), suits="threading", n_jobs=2)

    assert os.getpid() not in {pid for pid, _ in found}
    assert all(threads <= {1} for _, threads in found)


def test_without_a_name_each_piece_of_work_runs_as_suits_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(engine.VARIABLE, raising=False)

    assert set(engine.run(lambda _: os.getpid(), range(4), suits="threading", n_jobs=2)) == {os.getpid()}
    assert os.getpid() not in engine.run(lambda _: os.getpid(), range(4), suits="loky", n_jobs=2)


def test_a_killed_process_is_said_without_a_page_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engine.VARIABLE, "loky")

    with pytest.raises(EngineError, match="was killed, most often because no memory was left") as error:
        engine.run(signal.raise_signal, [signal.SIGKILL] * 2, suits="loky", n_jobs=2)
    assert error.value.__suppress_context__
    assert engine.run(abs, [-1, -2], suits="loky", n_jobs=2) == [1, 2]  # and the next one has new processes


def test_a_process_imports_nothing_from_the_folder_it_is_called_in(tmp_path: Path) -> None:
    """A file with the name of a library would run in the place of it."""
    (tmp_path / "joblib.py").write_text("raise SystemExit('taken from here')", encoding="utf-8")
    call = "from ds_pipeline import engine; print(engine.run(abs, [-1, -2], suits='loky', n_jobs=2))"

    done = subprocess.run([sys.executable, "-P", "-c", call], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "[1, 2]\n", "")


def test_large_arrays_are_written_to_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engine.VARIABLE, "loky")
    monkeypatch.setattr(joblib.Parallel, "__init__", _noted(joblib.Parallel.__init__, said := []))

    assert engine.run(len, [np.zeros(500_000)] * 2, suits="loky", n_jobs=2) == [500_000] * 2
    assert said == [None]


def _noted(init: object, said: list[object]) -> object:
    def noted(self: object, *args: object, **options: object) -> None:
        said.append(options["max_nbytes"])
        init(self, *args, **options)  # type: ignore[operator]

    return noted


def test_an_engine_that_is_unknown_is_refused_without_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engine.VARIABLE, "spark://secret@host")

    with pytest.raises(EngineError, match=r"expected loky, sequential, threading or ray://host:port\.") as error:
        engine.run(abs, [-1, -2], suits="loky")
    assert "secret" not in str(error.value)


def test_an_empty_name_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engine.VARIABLE, "")

    assert engine.run(abs, [-1], suits="loky") == [1]
    assert engine.cores() == joblib.cpu_count()
