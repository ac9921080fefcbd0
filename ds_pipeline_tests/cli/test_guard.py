"""Who may talk to the Dagster UI: attacks of pages of other addresses, and what the UI itself sends."""

from __future__ import annotations

import warnings

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ds_pipeline.cli.guard import Guard

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would like a newer client than the locked one
    from starlette.testclient import TestClient

OWN = "http://127.0.0.1:3000"
LAUNCH = 'mutation { launchRun(executionParams: {mode: "default"}) { __typename } }'


def reached(_: Request) -> PlainTextResponse:
    return PlainTextResponse("reached")


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("reached")
    await socket.close()


@pytest.fixture
def client() -> TestClient:
    methods = ["GET", "HEAD", "POST", "OPTIONS"]
    app = Starlette(routes=[WebSocketRoute("/graphql", talk), Route("/{path:path}", reached, methods=methods)])
    return TestClient(Guard(app, port=3000), base_url=OWN)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": OWN}, id="its-own-page"),
        pytest.param({}, id="no-page-at-all"),
        pytest.param({"Host": "localhost:3000", "Origin": "http://localhost:3000"}, id="under-the-other-name"),
        pytest.param({"Host": "LOCALHOST:3000", "Origin": "http://Localhost:3000"}, id="in-any-case"),
    ],
)
def test_what_the_ui_sends_passes(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/graphql", json={"query": LAUNCH}, headers=headers).text == "reached"
    assert client.get("/locations/ds_pipeline/jobs", headers=headers).text == "reached"
    assert client.post("/report_asset_materialization/x", json={}, headers=headers).text == "reached"
    with client.websocket_connect("/graphql", headers={"Host": "127.0.0.1:3000"} | headers) as socket:
        assert socket.receive_text() == "reached"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "https://evil.example"}, id="another-page"),
        pytest.param({"Origin": "http://127.0.0.1:3001"}, id="another-port"),
        pytest.param({"Origin": "https://127.0.0.1:3000"}, id="another-scheme"),
        pytest.param({"Origin": "http://localhost:3000"}, id="not-the-same-as-its-host"),
        pytest.param({"Origin": "http://127.0.0.1:3000.evil.example"}, id="begins-like-it"),
        pytest.param({"Origin": "null"}, id="a-page-that-hides-its-origin"),
        pytest.param({"Origin": ""}, id="empty-origin"),
        pytest.param({"Host": "evil.example:3000", "Origin": "http://evil.example:3000"}, id="dns-rebinding"),
        pytest.param({"Host": "evil.example:3000"}, id="dns-rebinding-by-get"),
        pytest.param({"Host": "127.0.0.1"}, id="without-the-port"),
        pytest.param({"Host": "127.0.0.1:3001"}, id="the-port-of-another"),
        pytest.param({"Host": "0.0.0.0:3000"}, id="another-address-of-this-machine"),
        pytest.param({"Host": ""}, id="empty-host"),
    ],
)
def test_what_another_page_sends_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    answers = [
        client.post("/graphql", json={"query": LAUNCH}, headers=headers),
        client.get("/graphql", params={"query": LAUNCH}, headers=headers),
        client.post("/report_asset_materialization/x", json={}, headers=headers),
        client.get("/", headers=headers),
        client.options("/graphql", headers=headers),
    ]

    assert {answer.status_code for answer in answers} == {403}
    for answer in answers:
        assert OWN in answer.text
        assert len(answer.text.splitlines()) == 1
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/graphql", headers=headers):
        pass


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(LAUNCH, id="mutation"),
        pytest.param("query a { version } mutation b { x }", id="beside-a-query"),
        pytest.param("# a comment\n, mutation b { x }", id="behind-a-comment"),
        pytest.param("subscription { x }", id="subscription"),
        pytest.param("mutation {", id="not-graphql"),
        pytest.param("{" * 5000, id="nested-without-end"),
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "/%67raphql"])
def test_by_get_nothing_but_a_query_is_answered(client: TestClient, query: str, path: str) -> None:
    """A picture of another page, whose request names no origin, could start a job."""
    for answer in (
        client.get(path, params={"query": query}),
        client.get(path, params={"query": query}, headers={"Origin": OWN, "Accept": "text/html"}),
        client.get(path, params=[("query", "{ version }"), ("query", query)]),
    ):
        assert answer.status_code == 405
        assert answer.headers["allow"] == "POST"
        assert answer.text == "GET /graphql: only a query is answered. Send anything else by POST.\n"


def test_a_query_by_get_and_the_playground_pass(client: TestClient) -> None:
    assert client.get("/graphql", params={"query": "query a { version } fragment f on Run { id }"}).text == "reached"
    assert client.get("/graphql", headers={"Accept": "text/html"}).text == "reached"
    assert client.get("/runs", params={"query": LAUNCH}).text == "reached"


def test_on_port_80_the_browser_leaves_the_port_out() -> None:
    client = TestClient(Guard(Starlette(routes=[Route("/", reached)]), port=80), base_url="http://localhost")

    assert client.get("/", headers={"Origin": "http://localhost"}).text == "reached"
    assert client.get("/", headers={"Origin": "http://localhost:8080"}).status_code == 403


def test_no_other_page_can_show_the_ui_in_a_frame(client: TestClient) -> None:
    """Whoever clicks on a page may click on the UI that it shows without being seen."""
    assert client.get("/").headers["X-Frame-Options"] == "SAMEORIGIN"
    assert client.get("/graphql", headers={"Accept": "text/html"}).headers["X-Frame-Options"] == "SAMEORIGIN"
