"""The Dagster UI as `make ui` serves it: it works, no page of another address can use it, and all of it ends."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ds_pipeline_tests.journeys.conftest import BIN, REPOSITORY, Journey

LAUNCH = """mutation { launchRun(executionParams: {mode: "default", selector: {repositoryLocationName: "ds_pipeline",
    repositoryName: "__repository__", jobName: "__ASSET_JOB"}}) { __typename } }"""
RUNS = "{ runsOrError { ... on Runs { results { id } } } }"
SUBSCRIPTION = "subscription { locationStateChangeEvents { event { message } } }"


@pytest.fixture
def project(tmp_path: Path) -> Journey:
    """A project without a use case: what serves is the same, and sooner there."""
    (tmp_path / "configs").mkdir()
    (tmp_path / ".dagster").mkdir()
    for name in ("workspace.yaml", ".dagster/dagster.yaml"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    return Journey(tmp_path)


@pytest.fixture
def served(project: Journey) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The process of the UI, started as by a script in the background, which ignores Ctrl-C; and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", str(BIN / "ds-pipeline"), "ui", "--port", str(port)]
    env = project.env | {"DAGSTER_MODULE_NAME": "ds_pipeline.definitions"}
    with (project.root / "ui.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=project.root, env=env, stdout=log, stderr=log)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def ask(address: str, query: str, **headers: str) -> httpx.Response:
    return httpx.post(f"{address}/graphql", json={"query": query}, headers=headers, timeout=60)


def wait_for(process: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(address, timeout=60)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the UI was not served")


def subscribed(address: str, origin: Any) -> str:
    url = address.replace("http:", "ws:")
    with connect(f"{url}/graphql", origin=origin, subprotocols=["graphql-ws"]) as talk:  # type: ignore[list-item]
        talk.send(json.dumps({"type": "connection_init"}))
        answer: str = json.loads(talk.recv(timeout=60))["type"]
        talk.send(json.dumps({"type": "start", "id": "1", "payload": {"query": SUBSCRIPTION}}))
        return answer


def test_the_ui_answers_its_own_page_alone_and_ends_with_all_it_started(
    served: tuple[subprocess.Popen[bytes], str], project: Journey
) -> None:
    """A page of another address started a job: by GET, or by POST with its own origin."""
    process, own = served
    wait_for(process, own)

    page = httpx.get(f"{own}/locations", timeout=60)
    assert "<!DOCTYPE html>" in page.text
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert ask(own, "{ version }", Origin=own).json()["data"]["version"]
    assert subscribed(own, own) == "connection_ack"
    evil = "http://127.0.0.1:1"
    by_get = httpx.get(f"{own}/graphql", params={"query": LAUNCH}, timeout=60)
    refused = [
        ask(own, LAUNCH, Origin=evil),
        ask(own, LAUNCH, Host="evil.example"),
        httpx.post(f"{own}/graphql", params={"query": LAUNCH}, headers={"Origin": evil}, timeout=60),
        httpx.post(f"{own}/report_asset_materialization/x", json={}, headers={"Origin": evil}, timeout=60),
    ]
    with pytest.raises(InvalidStatus, match="HTTP 403"):
        subscribed(own, evil)

    assert (by_get.status_code, [answer.status_code for answer in refused]) == (405, [403] * 4)
    assert "Send anything else by POST" in by_get.text
    assert ask(own, RUNS).json()["data"]["runsOrError"]["results"] == []
    assert "launchRun" in ask(own, LAUNCH, Origin=own).json()["data"]  # it is the guard that refuses, nothing else

    started = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    assert process.wait(timeout=60) == 0
    _, alive = psutil.wait_procs(started, timeout=20)
    assert len(started) >= 2
    assert alive == []
    open_to_others = [path for path in project.root.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert {path.name for path in open_to_others} <= {"workspace.yaml", "dagster.yaml", "ui.log"}
