"""Work on the nodes of a Ray cluster: tasks, whose loss is no loss, on nodes that were seen to be alike.

Only engine.py asks for it. A node reads the store and is given no key; nothing that is not masked is sent to it.
Source: docs/scaling.md, docs/decisions/0017-work-goes-to-a-cluster-as-tasks.md
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import DsPipelineError, EngineError

VARIABLE = "DS_PIPELINE_ENGINE"
RETRIES = 3  # of a task whose process or node is lost; Ray's own number, said here because a promise rests on it


@dataclass(frozen=True)
class _Raised:
    """An error of ours as an answer: raised on a node it would come back in pages of Ray's words."""

    error: DsPipelineError


def cores(address: str) -> int:
    """How many tasks run at the same time."""
    return max(1, int(_connected(address).cluster_resources().get("CPU", 1)))


@cache
def _connected(address: str) -> Any:
    """Ray, connected; once per process, until it ends."""
    try:
        import ray
    except ImportError:
        raise EngineError(
            f"{VARIABLE} names a Ray cluster, and the package ray is not installed. Run make ray, or pip install "
            "'ds-pipeline[ray]'."
        ) from None
    try:
        with warnings.catch_warnings(action="ignore"):  # what they say is said below
            ray.init(address, log_to_driver=False, logging_level="ERROR")
    except ConnectionError:
        raise EngineError(
            f"No Ray cluster answers at the address in {VARIABLE}, or it has another token. It is the address of the "
            "head, with the port of its client server (10001 where nothing else was said). Start it as docs/scaling.md "
            "says, or correct the address or the token."
        ) from None
    except (RuntimeError, ValueError) as error:  # of another version, of another token, or no address at all
        raise EngineError(
            f"The Ray cluster in {VARIABLE} refuses this process: {' '.join(str(error).split())[:300]}"
        ) from None
    return ray


def run(function: Callable[[Any], Any], items: Sequence[Any], *, address: str, reads: Sequence[Path]) -> list[Any]:
    """The result for each item, in their order; what was lost with its process or its node is begun again on another.

    Args:
        reads: files that every node has to see as they are here.

    Raises:
        EngineError: the cluster does not answer, a node cannot do the work, or a part of it was lost too often.
        DsPipelineError: one that a call raised; the rest is then not begun.
    """
    ray = _connected(address)
    _require_alike(ray, {str(path): digest_bytes(path.read_bytes()) for path in reads})
    task = ray.remote(_answer).options(num_cpus=1, max_retries=RETRIES)
    sent = ray.put(function)
    left = [task.remote(sent, item) for item in items]
    places = {answer: place for place, answer in enumerate(left)}
    results: list[Any] = [None] * len(left)
    try:
        while left:
            (done, *_), left = ray.wait(left)
            results[places[done]] = _result(ray.get(done))
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise EngineError(
            f"A part of the work was lost {RETRIES + 1} times on the Ray cluster ({type(error).__name__}), most often "
            "because a node has too little memory. Use more buckets, or give the nodes more memory."
        ) from None
    finally:
        for answer in left:
            ray.cancel(answer)
    return results


def _answer(function: Callable[[Any], Any], item: Any) -> Any:
    """A call as a node makes it: in one thread, for its other cores have work of their own."""
    try:
        with threadpool_limits(limits=1):
            return function(item)
    except DsPipelineError as error:
        return _Raised(error)


def _result(answer: Any) -> Any:
    if isinstance(answer, _Raised):
        raise answer.error
    return answer


def _require_alike(ray: Any, seen: dict[str, str]) -> None:
    """Raise EngineError unless every node has our Python and code, and sees the files as they are seen here."""

    def look() -> list[str]:  # is sent as it is written: the node may have no ds_pipeline to take it from
        import platform
        from pathlib import Path

        try:
            from ds_pipeline.digests import digest_bytes
            from ds_pipeline.lineage import code_digest, history_digest
        except ImportError:
            return [platform.python_version(), "none"]
        others = [
            path for path in seen if not Path(path).is_file() or digest_bytes(Path(path).read_bytes()) != seen[path]
        ]
        return [platform.python_version(), code_digest() + history_digest(), *others]

    here = look()
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    there = [NodeAffinitySchedulingStrategy(node["NodeID"], soft=False) for node in nodes]
    task = ray.remote(look)
    looks = [task.options(num_cpus=0, scheduling_strategy=one).remote() for one in there]
    faults = []
    for node, answer in zip(nodes, looks, strict=True):
        try:
            python, code, *others = ray.get(answer)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError:
            continue  # it was lost meanwhile, and does no work
        where = f"  - {node['NodeManagerHostname']}: "
        if python != here[0]:
            faults.append(f"{where}expected Python {here[0]}, found {python}")
        elif code == "none":
            faults.append(f"{where}expected the package ds_pipeline, found none. Install it there as here")
        elif code != here[1]:
            faults.append(f"{where}expected the code and the packages of this machine, found others. Install the same")
        elif others:
            names = ", ".join(sorted({Path(*Path(path).parts[-2:]).as_posix() for path in others}))
            faults.append(
                f"{where}does not see as they are here: {names}. The store and trusted_signer.pem, the public key, "
                "have to lie on storage that every node sees at the same path"
            )
    if faults or not nodes:
        lines = "\n".join(faults or ["  - no node has a CPU"])
        raise EngineError(f"Nodes of the Ray cluster cannot do the work:\n{lines}")
