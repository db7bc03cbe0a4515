"""The outermost layer: who may call what, how large a body may be, and the two routes that skip the framework."""

from __future__ import annotations

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wsmgr.api.execute import ExecuteRoute
from wsmgr.api.identity import Forbidden, Identity, People, Role, Tokens
from wsmgr.api.problems import MEDIA_TYPE, problem, problem_of
from wsmgr.core.errors import TooLarge, WsmgrError

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 64 * 1024 * 1024
"""No request is larger than this, whatever the plan; plans allow less."""

OPEN_PATHS = frozenset({"/health", "/metrics"})
ADMIN_PREFIXES = ("/api/admin/", "/api/owners/", "/api/plans", "/api/capabilities", "/api/host")


class Gate:
    """ASGI. Everything behind it has `scope["state"]["identity"]`."""

    def __init__(self, app: ASGIApp, execute: ExecuteRoute, people: People, tokens: Tokens) -> None:
        self._app = app
        self._execute = execute
        self._people = people
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            path: str = scope["path"]
            if path == "/api/execute" and scope["method"] == "POST":
                await self._execute(await self._identify(scope), _length(scope), receive, sending)
                return
            if path not in OPEN_PATHS:
                self._check_role(path, await self._identify(scope))
            await self._app(scope, _bounded(scope, receive), sending)
        except WsmgrError as error:
            if not started:
                await answer(send, *problem_of(error))
        except Exception:
            log.exception("request failed", method=scope["method"], path=scope["path"])
            if not started:
                body = problem(500, "internal", "The daemon met a defect of its own; its log has the details.")
                await answer(send, 500, body, [(b"content-type", MEDIA_TYPE.encode())])

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

    def _check_role(self, path: str, identity: Identity) -> None:
        if identity.role is not Role.ADMIN and path.startswith(ADMIN_PREFIXES):
            raise Forbidden(f"{path} is for the role admin, and {identity.actor} has the role {identity.role.value}.")


async def answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Send a whole response."""
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


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
