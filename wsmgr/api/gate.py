"""The outermost layer: who may call what, how large a body may be, and the two routes that skip the framework."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wsmgr.api.execute import ExecuteRoute
from wsmgr.api.identity import Forbidden, Identity, People, Role, Tokens
from wsmgr.api.problems import MEDIA_TYPE, problem, problem_of
from wsmgr.core.errors import TooLarge, WsmgrError

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 64 * 1024 * 1024
"""No request is larger than this, whatever the plan; plans allow less."""

HANG_UP_S = 1.0
"""The longest wait for the end of a connection that was ended here."""

OPEN_PATHS = frozenset({"/health", "/metrics"})
ADMIN_PREFIXES = (
    "/api/admin/",
    "/api/owners",
    "/api/plans",
    "/api/capabilities",
    "/api/host",
    "/api/fleet",
    "/api/events",
    "/api/audit",
    "/api/alerts",
    "/api/volumes",
)


class Gate:
    """ASGI. Everything behind it has `scope["state"]["identity"]`."""

    def __init__(self, app: ASGIApp, execute: ExecuteRoute, people: People, tokens: Tokens) -> None:
        self._app = app
        self._execute = execute
        self._people = people
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        try:
            await self._handle(scope, receive, send)
        except asyncio.CancelledError:
            if "hang_up" not in scope.get("state", {}):
                raise
            await _hang_up(scope["state"]["hang_up"], receive)

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._admit(scope)
            if scope["path"] == "/api/execute" and scope["method"] == "POST":
                # It raises only before it has sent anything, so nothing needs to watch what it sends.
                await self._execute(scope["query_string"], receive, send)
                return
        except WsmgrError as error:
            await answer(send, *problem_of(error))
            return
        except Exception as error:  # whatever it is, the client gets an answer and the log the rest
            await _defect(scope, send, error)
            return
        await self._framework(scope, receive, send)

    async def _framework(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, _bounded(scope, receive), sending)
        except WsmgrError as error:
            if not started:
                await answer(send, *problem_of(error))
        except Exception as error:
            if started:
                raise
            await _defect(scope, send, error)

    async def _admit(self, scope: Scope) -> Identity | None:
        """Who calls, None where that does not matter. Raises Unauthenticated, Forbidden."""
        path: str = scope["path"]
        if path in OPEN_PATHS:
            return None
        identity = await self._identify(scope)
        if identity.role is not Role.ADMIN and path.startswith(ADMIN_PREFIXES):
            raise Forbidden(f"{path} is for the role admin, and {identity.actor} has the role {identity.role.value}.")
        return identity

    async def _identify(self, scope: Scope) -> Identity:
        state = scope["state"]
        peer = state.get("peer")
        if peer is not None:
            identity = self._people.identify(peer)
        else:
            header = next((value for name, value in scope["headers"] if name == b"authorization"), None)
            identity = await self._tokens.identify(header)
        state["identity"] = identity
        return identity


async def answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Send a whole response."""
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _hang_up(abort: Callable[[], None], receive: Receive) -> None:
    """Give no answer: the daemon ends under this request, and nobody knows what becomes of it. An error status would
    say that it did not run."""
    abort()
    # The server would answer for an application that returns before the connection is known to be gone.
    async with asyncio.timeout(HANG_UP_S):
        while (await receive())["type"] != "http.disconnect":
            pass


async def _defect(scope: Scope, send: Send, error: Exception) -> None:
    log.error("request failed", method=scope["method"], path=scope["path"], exc_info=error)
    body = problem(500, "internal", "The daemon met a defect of its own; its log has the details.")
    await answer(send, 500, body, [(b"content-type", MEDIA_TYPE.encode())])


def _length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)
    return None


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """`receive`, that refuses a body over the bound, announced or not."""
    announced = _length(scope)
    if announced is not None and announced > MAX_BODY_BYTES:
        raise TooLarge(f"The body has {announced} bytes; no request may have more than {MAX_BODY_BYTES}.")
    seen = 0

    async def receiving() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY_BYTES:
            raise TooLarge(f"No request may have more than {MAX_BODY_BYTES} bytes.")
        return message

    return receiving
