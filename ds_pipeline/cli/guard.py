"""Who may talk to the Dagster UI: a page of its own, opened under the address of this machine. It has no login.

Any page that a browser opens may send requests to a port of this machine. They are told apart by what the browser says
of itself: the host it was sent to and the origin of the page. Everything else passes, web sockets included.
"""

from __future__ import annotations

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORBIDDEN, NOT_ALLOWED, POLICY_VIOLATION = 403, 405, 1008


class Guard:
    """An ASGI app before another one: it answers what may not pass, with one line that says what to do."""

    def __init__(self, app: ASGIApp, *, port: int) -> None:
        self._app = app
        suffixes = (f":{port}", "") if port == 80 else (f":{port}",)  # browsers leave out 80
        self._hosts = [f"{name}{suffix}" for name in ("127.0.0.1", "localhost") for suffix in suffixes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(HTTPConnection(scope)) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self._app(scope, receive, _unframed(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})  # before it is accepted: 403
        else:
            await refusal(scope, receive, send)

    def _refusal(self, asked: HTTPConnection) -> PlainTextResponse | None:
        """What is answered instead; None if the request may pass."""
        hosts = [host.lower() for host in asked.headers.getlist("host")]
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return _answer(FORBIDDEN, f"Host: expected {self._hosts[0]}. Open http://{self._hosts[0]} on this machine.")
        if any(origin.lower() != f"http://{hosts[0]}" for origin in asked.headers.getlist("origin")):
            return _answer(
                FORBIDDEN, f"Origin: a page of another address may not talk to Dagster. Use http://{hosts[0]} itself."
            )
        is_get = asked.scope["type"] == "http" and asked.scope["method"] != "POST"
        if is_get and asked.url.path.rstrip("/").endswith("/graphql") and not _only_asks(asked):
            return _answer(
                NOT_ALLOWED, "GET /graphql: only a query is answered. Send anything else by POST.", allow="POST"
            )
        return None


def _unframed(send: Send) -> Send:
    """Answers that no other page may show in a frame, under a picture that invites clicks."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["X-Frame-Options"] = "SAMEORIGIN"
        await send(message)

    return sent


def _only_asks(asked: HTTPConnection) -> bool:
    """Whether each GraphQL text in an address is made of queries alone; one that cannot be read may be anything."""
    try:
        documents = [parse(text) for text in asked.query_params.getlist("query")]
    except (GraphQLError, RecursionError):
        return False
    operations = [
        node for document in documents for node in document.definitions if isinstance(node, OperationDefinitionNode)
    ]
    return all(node.operation is OperationType.QUERY for node in operations)


def _answer(status: int, text: str, **headers: str) -> PlainTextResponse:
    return PlainTextResponse(f"{text}\n", status_code=status, headers=headers)
