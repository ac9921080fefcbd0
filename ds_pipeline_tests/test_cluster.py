"""A real Ray cluster of one head and two workers, as processes of this machine: the bytes, what is lost, what is said.

Needs the package ray, which `make test-ray` installs; without it only what can be said without a cluster is tested.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from ds_pipeline import cluster, engine
from ds_pipeline.errors import ClockError, EngineError
from ds_pipeline.features.weeks import features_of_days
from ds_pipeline.store.snapshots import encode
from ds_pipeline.training.weeks import labels_of_days
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import Declare, in_buckets, put_masked

ROOT = Path(__file__).resolve().parents[1]
DAYS = [date(2011, 3, 7) + timedelta(weeks=week) for week in range(6)]
START = "from ray.scripts.scripts import main; main()"  # what the command ray runs
QUIET = ("--disable-usage-stats", "--object-store-memory=100000000", "--block")
WAIT = 60.0  # seconds, for what takes a few


class Nodes(NamedTuple):
    """What was started: the address for drivers and for nodes, the environment, and one process group per node."""

    client: str
    gcs: str
    environment: dict[str, str]
    groups: list[subprocess.Popen[bytes]]
    temporary: Path

    def start(self, *arguments: str, **changed: str) -> subprocess.Popen[bytes]:
        """A node in a process group of its own, by which it is ended."""
        command = [sys.executable, "-c", START, "start", *arguments, *QUIET]
        with (self.temporary / f"node-{len(self.groups)}.txt").open("wb") as said:
            node = subprocess.Popen(
                command, env=self.environment | changed, cwd=self.temporary, start_new_session=True,
                stdout=said, stderr=said,
            )  # fmt: skip
        self.groups.append(node)
        return node

    @property
    def cpus(self) -> int:
        """How many the workers have that have joined."""
        return int(cluster._connected(self.client).cluster_resources().get("CPU", 0))

    @property
    def at_work(self) -> list[int]:
        """The processes of the workers that do a task of ours at the moment."""
        ours, found = {node.pid for node in self.groups}, []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if os.getsid(int(path.name)) in ours and (path / "cmdline").read_bytes().startswith(b"ray::_answer"):
                    found.append(int(path.name))
            except OSError:  # it has ended meanwhile
                continue
        return found

    def worker(self, **changed: str) -> subprocess.Popen[bytes]:
        return self.start(f"--address={self.gcs}", "--num-cpus=1", **changed)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    if find_spec("ray") is None:
        pytest.skip("make test-ray")
    gcs, client = free_port(), free_port()
    temporary = Path("/tmp") / f"r{secrets.token_hex(3)}"  # sockets lie below: their paths must be short
    temporary.mkdir(mode=0o700)
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    started = Nodes(
        f"ray://127.0.0.1:{client}", f"127.0.0.1:{gcs}",
        {name: value for name, value in os.environ.items() if name != engine.VARIABLE} | token | {"PYTHONPATH": path},
        [], temporary,
    )  # fmt: skip
    before = {name: os.environ.get(name) for name in token}
    os.environ.update(token)  # before ray is imported, which reads them then
    try:
        started.start(
            "--head", "--node-ip-address=127.0.0.1", f"--port={gcs}", f"--ray-client-server-port={client}",
            "--num-cpus=0", "--include-dashboard=false", f"--temp-dir={temporary}",
        )  # fmt: skip
        wait_for(lambda: answers(started.client))
        for number in (1, 2):  # one after the other: two that begin at once on one machine can hang
            started.worker()
            wait_for(lambda number=number: started.cpus == number)
        yield started
    finally:
        sys.modules["ray"].shutdown()
        cluster._connected.cache_clear()
        for node in started.groups:
            end(node)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        shutil.rmtree(temporary, ignore_errors=True)


@pytest.fixture
def on_cluster(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> Nodes:
    monkeypatch.setenv(engine.VARIABLE, nodes.client)
    return nodes


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def answers(address: str) -> bool:
    """Whether the head takes a driver: it listens before it does."""
    try:
        cluster._connected(address)
    except EngineError:
        return False
    return True


def wait_for(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.1)


def end(node: subprocess.Popen[bytes]) -> None:
    """End the processes of one node that was started here, and no others."""
    try:
        os.killpg(node.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    node.wait()


@pytest.fixture
def spending(declare: Declare) -> Workbench:
    bench = declare(visits={"allow_silent_weeks": True})
    put_masked(bench, DAYS)
    return bench


def made(bench: Workbench) -> list[bytes]:
    features = features_of_days(bench, bench.use_case, DAYS)
    bench.datasets.put_weeks(bench.datasets.features, features, inputs=bench.datasets.inputs_digests(DAYS[-1]))
    return [encode(one) for one in [*features.values(), *labels_of_days(bench, DAYS).values()]]


def test_features_and_labels_have_the_bytes_of_this_machine(
    spending: Workbench, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = made(spending)
    monkeypatch.setenv(engine.VARIABLE, nodes.client)

    for number in (1, 2, 16):
        assert made(in_buckets(spending, number)) == here


def test_features_have_the_same_bytes_though_a_worker_is_killed_half_way(
    spending: Workbench, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = made(spending)
    monkeypatch.setenv(engine.VARIABLE, nodes.client)
    killed: list[int] = []

    def disturb() -> None:
        wait_for(lambda: bool(nodes.at_work))
        killed.extend(nodes.at_work[:1])
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=disturb)
    thread.start()
    again = made(in_buckets(spending, 16))
    thread.join()

    assert killed
    assert again == here


def test_work_is_done_by_both_nodes_in_one_thread_each(on_cluster: Nodes) -> None:
    def look(number: int) -> tuple[int, int, str]:
        import numpy as np
        import threadpoolctl

        time.sleep(0.2)
        np.ones((2, 2)) @ np.ones((2, 2))
        threads = max((pool["num_threads"] for pool in threadpoolctl.threadpool_info()), default=1)
        return number, threads, os.environ["RAY_NODE_ID"] if "RAY_NODE_ID" in os.environ else str(os.getppid())

    found = engine.run(look, range(8), suits="loky")

    assert [number for number, _, _ in found] == list(range(8))
    assert {threads for _, threads, _ in found} == {1}
    assert len({node for _, _, node in found}) == 2


def test_an_error_comes_back_as_it_is_and_its_cells_are_in_no_log(on_cluster: Nodes) -> None:
    def fail(number: int) -> None:
        raise ClockError(f"day {number} is no Monday")

    def break_down(_: int) -> int:
        return int("4711 is a value")

    with pytest.raises(ClockError, match=r"^day 1 is no Monday$") as error:
        engine.run(fail, [1, 1], suits="loky")
    assert error.value.__suppress_context__
    with pytest.raises(ValueError, match="4711 is a value") as fault:
        engine.run(break_down, [1, 1], suits="loky")
    assert type(fault.value) is ValueError
    logs = [path for path in on_cluster.temporary.rglob("*") if path.is_file()]
    assert any(path.name.startswith("worker-") for path in logs)
    assert [path for path in logs if b"4711 is a" in path.read_bytes()] == []


def test_what_is_raw_stays_on_this_machine(on_cluster: Nodes) -> None:
    assert set(engine.run(lambda _: os.getpid(), [1, 2], suits="threading", is_raw=True)) == {os.getpid()}
    assert engine.cores(is_raw=True) == os.cpu_count()


def test_a_killed_worker_loses_nothing(on_cluster: Nodes, tmp_path: Path) -> None:
    found = run_and_kill(tmp_path, lambda pid: os.kill(pid, signal.SIGKILL))

    assert found == [number * number for number in range(6)]
    assert len(list(tmp_path.glob("begun-*"))) == 7  # one of them twice


def run_and_kill(folder: Path, kill: Callable[[int], Any]) -> list[int]:
    """Squares by tasks that wait; while they do, the process of one of them is given to `kill`."""

    def square(number: int) -> int:
        (folder / f"begun-{number}-{os.getpid()}").touch()
        while not (folder / "go").exists():
            time.sleep(0.05)
        return number * number

    def disturb() -> None:
        wait_for(lambda: len(list(folder.glob("begun-*"))) >= 2)
        kill(int(min(folder.glob("begun-*")).name.split("-")[2]))
        (folder / "go").touch()

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        return engine.run(square, range(6), suits="loky")
    finally:
        thread.join()


def test_a_part_that_is_lost_again_and_again_ends_the_run(on_cluster: Nodes) -> None:
    with pytest.raises(EngineError, match="A part of the work was lost 4 times on the Ray cluster"):
        engine.run(signal.raise_signal, [signal.SIGKILL] * 2, suits="loky")


def test_a_node_that_sees_another_store_says_so(on_cluster: Nodes) -> None:
    """/proc/self/cmdline stands for a file of the store: every process sees another one under that name."""
    with pytest.raises(
        EngineError, match=r"does not see as they are here: self/cmdline\. The store and trusted_signer"
    ):
        engine.run(abs, [1, 2], suits="loky", reads=[Path("/proc/self/cmdline")])


def test_a_node_without_the_package_or_with_another_says_so(on_cluster: Nodes, tmp_path: Path) -> None:
    (tmp_path / "ds_pipeline").mkdir()
    (tmp_path / "ds_pipeline" / "__init__.py").write_text("raise ImportError('not here')")
    path = f"{tmp_path}{os.pathsep}{on_cluster.environment['PYTHONPATH']}"

    with joined(on_cluster, PYTHONPATH=path), pytest.raises(EngineError, match="package ds_pipeline, found none"):
        engine.run(abs, [1, 2], suits="loky")


@contextmanager
def joined(nodes: Nodes, **changed: str) -> Iterator[None]:
    """A third worker for a while."""
    node = nodes.worker(**changed)
    wait_for(lambda: nodes.cpus == 3)
    try:
        yield
    finally:
        end(node)


def test_a_lost_node_loses_nothing(on_cluster: Nodes, tmp_path: Path) -> None:
    """The last test, for the node does not come back."""
    found = run_and_kill(tmp_path, lambda _: end(on_cluster.groups[2]))

    assert found == [number * number for number in range(6)]
    assert len(list(tmp_path.glob("begun-*"))) == 7


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(ConnectionError("ray://10.0.0.1:1"), "No Ray cluster answers at the address", id="nobody-there"),
        pytest.param(
            RuntimeError("Version mismatch:\n  The cluster was started with: Python: 3.12.1"),
            "refuses this process: Version mismatch: The cluster was started with: Python: 3.12.1",
            id="another-python",
        ),
    ],
)
def test_a_cluster_that_cannot_be_used_is_said(monkeypatch: pytest.MonkeyPatch, error: Exception, said: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(init=refuse))
    monkeypatch.setenv(engine.VARIABLE, "ray://10.0.0.1:1")
    cluster._connected.cache_clear()

    with pytest.raises(EngineError, match=said) as told:
        engine.run(abs, [1, 2], suits="loky")
    assert "10.0.0.1" not in str(told.value)


def test_without_the_package_ray_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setenv(engine.VARIABLE, "ray://127.0.0.1:1")
    cluster._connected.cache_clear()

    with pytest.raises(EngineError, match="the package ray is not installed"):
        engine.run(abs, [1, 2], suits="loky")
