"""Where work that can be divided runs: in threads or processes of this machine, or on the nodes of a Ray cluster.

DS_PIPELINE_ENGINE says which; where it says nothing, each piece of work runs as suits it. All parallel work goes
through `run`, and its results do not depend on the engine. `model/fresh.py` alone starts processes of its own: there it
is the claim that each call is made in an interpreter that has done nothing before.

Source: docs/scaling.md, docs/decisions/0017-work-goes-to-a-cluster-as-tasks.md
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

import joblib
from joblib.externals.loky.process_executor import BrokenProcessPool
from threadpoolctl import threadpool_limits

from ds_pipeline import cluster
from ds_pipeline.cluster import VARIABLE
from ds_pipeline.errors import DsPipelineError, EngineError

LOCAL = ("loky", "sequential", "threading")
RAY = "ray://"
SAFE_PATH = "PYTHONSAFEPATH"
Item = TypeVar("Item")
Result = TypeVar("Result")


def run(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    suits: Literal["loky", "threading"],
    n_jobs: int = -1,
    is_raw: bool = False,
    reads: Sequence[Path] = (),
) -> list[Result]:
    """The result for each item, in their order.

    Args:
        function: what it gives depends on its item alone; a process is sent all that it refers to.
        suits: the engine where DS_PIPELINE_ENGINE names none: threading where most of the time is spent in code that
            lets other threads go on (DuckDB, numpy), else loky, which are processes.
        n_jobs: at most so many at a time on this machine, -1 for one per core.
        is_raw: the items are of this side of the PII boundary: they stay on this machine.
        reads: files that tell whether a node sees what this machine sees.

    Raises:
        EngineError: the engine is unknown or does not answer, a node cannot do the work, or a process was killed.
        DsPipelineError: one that a call raised; the rest is then not begun.
    """
    engine = _engine() or suits
    if engine.startswith(RAY) and is_raw:
        engine = suits
    if engine == "sequential" or n_jobs == 1 or len(items) < 2:
        return [function(item) for item in items]
    try:
        if engine.startswith(RAY):
            return cluster.run(function, items, address=engine, reads=reads)
        if engine == "threading":
            calls = (joblib.delayed(function)(item) for item in items)
            return list(joblib.Parallel(n_jobs, backend="threading")(calls))
        return _in_processes(function, items, n_jobs)
    except DsPipelineError as error:
        raise error from None  # chained to it is the stack of where it ran


def cores(*, is_raw: bool = False) -> int:
    """How many items run at the same time, where `run` is not told otherwise."""
    engine = _engine() or ""
    if engine.startswith(RAY) and not is_raw:
        return cluster.cores(engine)
    return 1 if engine == "sequential" else int(joblib.cpu_count())


def _engine() -> str | None:
    """The engine that the environment names."""
    named = os.environ.get(VARIABLE) or None
    if named is not None and named not in LOCAL and not named.startswith(RAY):
        raise EngineError(
            f"{VARIABLE} names an engine that is unknown; expected {', '.join(LOCAL)} or {RAY}host:port. Correct it, "
            "or unset it: each piece of work then runs as suits it."
        )
    return named


def _in_processes(function: Callable[[Item], Result], items: Sequence[Item], n_jobs: int) -> list[Result]:
    calls = (joblib.delayed(_in_one_thread)(function, item) for item in items)
    try:
        with _importing_nothing_from_here(), joblib.parallel_config("loky", inner_max_num_threads=1):
            # max_nbytes: joblib would write large arrays to files, and rows are written nowhere but to the store.
            return list(joblib.Parallel(n_jobs, max_nbytes=None)(calls))
    except BrokenProcessPool:
        raise EngineError(
            "A process that did part of the work was killed, most often because no memory was left. Run it again with "
            f"less at a time: {VARIABLE}=sequential takes the least."
        ) from None  # the chained error is a page about pools


def _in_one_thread(function: Callable[[Item], Result], item: Item) -> Result:
    """A call as a process makes it: the other cores have work of their own."""
    with threadpool_limits(limits=1):
        return function(item)


@contextmanager
def _importing_nothing_from_here() -> Iterator[None]:
    """Interpreters that are started inside do not look for modules in the folder that a command is called in."""
    if SAFE_PATH in os.environ:
        yield
        return
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        os.environ.pop(SAFE_PATH, None)
