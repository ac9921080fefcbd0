"""The Dagster UI as `make ui` serves it: it works, no page of another address can use it, and all of it ends."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ds_pipeline_tests.journeys.browser import EVIL, Tab
from ds_pipeline_tests.journeys.conftest import BIN, REPOSITORY, Journey

PAGE = Path(__file__).with_name("page_of_another.html")
# There is no job here to launch, so each attempt also sets a limit, which is seen if it gets through.
LAUNCH = """mutation { setConcurrencyLimit(concurrencyKey: "NAME", limit: 1) launchRun(executionParams: {
    mode: "default", selector: {repositoryLocationName: "ds_pipeline", repositoryName: "__repository__",
    jobName: "__ASSET_JOB"}}) { __typename } }"""
CHANGED = """{ runsOrError { ... on Runs { results { id } } } assetsOrError { ... on AssetConnection { nodes { id } } }
    instance { concurrencyLimits { concurrencyKey } } }"""
SUBSCRIPTION = "subscription { locationStateChangeEvents { event { message } } }"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """A project without a use case: what serves is the same, and sooner there."""
    root = tmp_path_factory.mktemp("ui")
    (root / "configs").mkdir()
    (root / ".dagster").mkdir()
    for name in ("workspace.yaml", ".dagster/dagster.yaml"):
        shutil.copy(REPOSITORY / name, root / name)
    return Journey(root)


@pytest.fixture(scope="module")
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
        wait_for(process, address := f"http://127.0.0.1:{port}")
        yield process, address
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


def changed(address: str) -> list[str]:
    """What got through: the names of attempts, of assets, and runs."""
    found = ask(address, CHANGED).json()["data"]
    names = [one["concurrencyKey"] for one in found["instance"]["concurrencyLimits"]]
    return names + [one["id"] for one in found["assetsOrError"]["nodes"] + found["runsOrError"]["results"]]


def by_its_own_page(name: str) -> str:
    query = json.dumps({"query": LAUNCH.replace("NAME", name)})
    post = f"{{method: 'POST', headers: {{'Content-Type': 'application/json'}}, body: {json.dumps(query)}}}"
    return f"fetch('/graphql', {post}).then(answer => answer.status)"


@contextmanager
def page_of_another(own: str) -> Iterator[str]:
    """The address of a page that attacks the UI; what is asked for at /redirect?ADDRESS is sent on to there."""
    page = PAGE.read_text(encoding="utf-8").replace("{{ui}}", own).replace("{{launch}}", LAUNCH)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, address = self.path.partition("?")
            self.send_response(307 if path == "/redirect" else 200)
            self.send_header("Location", address)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_ui_answers_its_own_page_alone(served: tuple[subprocess.Popen[bytes], str]) -> None:
    """A page of another address started a job: by GET, or by POST with its own origin."""
    _, own = served

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
    assert changed(own) == []
    assert "launchRun" in ask(own, LAUNCH, Origin=own).json()["data"]  # it is the guard that refuses, nothing else


def test_a_page_of_another_address_gets_nothing_done_in_a_browser(
    served: tuple[subprocess.Popen[bytes], str], tab: Tab
) -> None:
    """What any page may try: without the guard, 18 of these attempts to change something got through."""
    _, own = served
    before = changed(own)

    with page_of_another(own) as evil:
        tab.open(evil)
        ended = tab.ask("ended")
    refused_to_show = [event for event in tab.complaints() if "X-Frame-Options" in json.dumps(event)]
    tab.open(own.replace("127.0.0.1", EVIL))  # a name that led elsewhere when the page was read, and here by now
    rebound = tab.ask(by_its_own_page("rebound"))

    assert ended == ["rejected"] * 5
    assert rebound == 403
    assert changed(own) == before
    assert len(refused_to_show) == 1


def test_the_ui_works_in_a_browser(served: tuple[subprocess.Popen[bytes], str], tab: Tab) -> None:
    _, own = served

    tab.open(f"{own}/deployment")
    tab.wait_for("document.body.innerText.includes('ds_pipeline')")  # the answer to a query
    by_number = tab.ask(by_its_own_page("127.0.0.1"))
    tab.open(f"{own.replace('127.0.0.1', 'localhost')}/server_info")
    by_name = tab.ask(by_its_own_page("localhost"))

    assert (by_number, by_name) == (200, 200)
    assert {"127.0.0.1", "localhost"} <= set(changed(own))  # it is the guard that refuses the others, nothing else


def test_the_ui_ends_with_all_it_started(served: tuple[subprocess.Popen[bytes], str], project: Journey) -> None:
    process, _ = served

    started = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    assert process.wait(timeout=60) == 0
    _, alive = psutil.wait_procs(started, timeout=20)
    assert len(started) >= 2
    assert alive == []
    open_to_others = [path for path in project.root.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert {path.name for path in open_to_others} <= {"workspace.yaml", "dagster.yaml", "ui.log"}
