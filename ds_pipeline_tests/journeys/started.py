"""`ds-pipeline` in a process of its own that need not import anything: a fork of one that has.

A process that can be killed, interrupted, or run beside another; the imports would be most of its time. Where the claim
is how a command starts, `Journey.shell` runs the installed one.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

# For the process that is forked: what every command needs. Nothing here may start a thread.
from ds_pipeline.cli.app import main
from ds_pipeline_tests.unsynced import sitecustomize  # noqa: F401

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])
PATIENCE = 600.0  # seconds


class Started:
    """A command that runs, with what it prints in two files."""

    def __init__(
        self, arguments: list[str], *, folder: Path, env: dict[str, str], logs: Path, first: Callable[[], None] | None
    ) -> None:
        """
        Args:
            folder: where it runs.
            logs: a folder for what it prints.
            first: what its process does before anything else.
        """
        number = len(list(logs.iterdir()))
        self._out, self._err = logs / f"{number}.out", logs / f"{number}.err"
        for path in (self._out, self._err):
            path.touch()
        self.process = FORKS.Process(target=_run, args=(arguments, folder, env, self._out, self._err, first))
        self.process.start()

    def until(self, text: str) -> str:
        """Wait until it has printed a text or has ended; what it has printed by then."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            was_alive = self.process.is_alive()
            printed = self._out.read_text()
            if text in printed or not was_alive:
                return printed
            time.sleep(0.005)
        raise TimeoutError(f"{text} was not printed within {PATIENCE:.0f} s")

    def interrupt(self) -> None:
        """Ctrl-C."""
        os.kill(self.process.pid or 0, signal.SIGINT)

    def kill(self) -> None:
        """kill -9, with all that it has started."""
        os.killpg(self.process.pid or 0, signal.SIGKILL)
        self.process.join()

    def wait(self) -> tuple[int, str, str]:
        """Its exit code and what it has printed to stdout and stderr."""
        self.process.join(PATIENCE)
        assert self.process.exitcode is not None
        return self.process.exitcode, self._out.read_text(), self._err.read_text()


def _run(
    arguments: list[str], folder: Path, env: dict[str, str], out: Path, err: Path, first: Callable[[], None] | None
) -> None:
    os.setsid()
    os.umask(0o022)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    for stream, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND), stream)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = ["ds-pipeline", *arguments]
    if first is not None:
        first()
    main()
