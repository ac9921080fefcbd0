"""Functions called in fresh interpreters, as another process on another day would run them.

Not multiprocessing: its spawn imports the main module again, which within a run is Dagster. Arguments and results go
through pipes, so that no row is written to a file, and a child has the environment of its parent.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from ds_pipeline.errors import DsPipelineError

# -P: the folder it happens to be called in is no place to import from.
COMMAND = ("-P", "-m", "ds_pipeline.model.fresh")


def call_fresh(calls: Sequence[Callable[[], Any]], *, at_once: int = 2) -> list[Any]:
    """The results of calls, in their order, each made in an interpreter of its own; else as begin_fresh."""
    with begin_fresh(calls, at_once=at_once) as results:
        return results()


@contextmanager
def begin_fresh(calls: Sequence[Callable[[], Any]], *, at_once: int = 2) -> Iterator[Callable[[], list[Any]]]:
    """Meanwhile calls are made, each in an interpreter of its own; what is still at work at the end is killed.

    Args:
        calls: partial objects of functions of this package, with arguments that can be pickled.
        at_once: how many run at the same time.

    Yields:
        A function that waits for the results, in the order of the calls. It raises DsPipelineError, the one that a
        call raised, or ChildProcessError: an interpreter was killed or failed; what it said is left out, it may quote
        a value.
    """
    started: list[subprocess.Popen[bytes]] = []
    with ThreadPoolExecutor(at_once) as pool:
        try:
            pending = [pool.submit(_call, call, started=started) for call in calls]
            yield lambda: [one.result() for one in pending]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in started:
                process.kill()  # of one that has ended this does nothing


def in_turn(*calls: Callable[[], Any]) -> list[Any]:
    """The results of calls that are made one after another in the same interpreter."""
    return [call() for call in calls]


def _call(call: Callable[[], Any], *, started: list[subprocess.Popen[bytes]]) -> Any:
    process = subprocess.Popen(
        [sys.executable, *COMMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    started.append(process)
    answer, _ = process.communicate(pickle.dumps(call, protocol=pickle.HIGHEST_PROTOCOL))
    if process.returncode != 0:
        how = f"was killed by signal {-process.returncode}" if process.returncode < 0 else "failed"
        raise ChildProcessError(f"a fresh process {how}")
    if not answer:
        raise ChildProcessError("a fresh process ended without an answer")
    result = pickle.loads(answer)  # noqa: S301  # of the child that was started above
    if isinstance(result, DsPipelineError):
        raise result
    return result


def main() -> None:
    """Read a call from standard input, make it and write its result to standard output."""
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(2, 1)  # what a library prints must not get between the bytes of the result
        try:
            result = pickle.load(sys.stdin.buffer)()  # noqa: S301  # of the parent
        except DsPipelineError as error:
            result = error
        pickle.dump(result, answer, protocol=pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    main()
