"""What both clients know of httpx: how to reach a target, and what its errors mean."""

from __future__ import annotations

import getpass
import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar

import httpx

from wsmgr.client.errors import AnswerTimeout, ClientError, ConnectionLost, DaemonUnreachable
from wsmgr.client.operation import Operation, encode
from wsmgr.client.target import Target, UnixTarget

T = TypeVar("T")

CONNECT_S = 5.0
_PIECE_BYTES = 65536
# Shorter than the 5 s after which uvicorn closes an idle connection, so that none is reused while it is being closed.
_LIMITS = httpx.Limits(max_connections=256, max_keepalive_connections=64, keepalive_expiry=2.0)


def transport_options(target: Target) -> dict[str, Any]:
    """For httpx.HTTPTransport and its async twin. Proxies and .netrc of the environment are never used."""
    uds = str(target.path) if isinstance(target, UnixTarget) else None
    return {"uds": uds, "limits": _LIMITS, "trust_env": False}


def client_options(target: Target) -> dict[str, Any]:
    """For httpx.Client and its async twin."""
    if isinstance(target, UnixTarget):
        return {"base_url": "http://wsmgr", "trust_env": False}
    headers = {"Authorization": f"Bearer {target.token}"} if target.token else {}
    return {"base_url": target.url, "headers": headers, "trust_env": False}


def request_options(operation: Operation[T]) -> dict[str, Any]:
    """The arguments of httpx's `build_request`. Raises InvalidArgument when the body is not JSON."""
    body = encode(operation)
    options: dict[str, Any] = {
        "method": operation.method,
        "url": operation.path,
        "params": dict(operation.query),
        "timeout": httpx.Timeout(operation.timeout_s, connect=CONNECT_S),
    }
    if body is not None:
        options |= {"content": body, "headers": {"Content-Type": operation.media}}
    return options


def request_of(http: httpx.Client | httpx.AsyncClient, operation: Operation[T]) -> httpx.Request:
    """The request. Raises InvalidArgument when the body is not JSON."""
    options = request_options(operation)
    request = http.build_request(**options)
    if operation.sent is not None:
        request.stream = _Told(options.get("content", b""), operation.sent)
    return request


class _Told(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in pieces, of which somebody is told."""

    def __init__(self, body: bytes, sent: Callable[[int], None]) -> None:
        self._body = body
        self._sent = sent

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._body), _PIECE_BYTES):
            self._sent(at)
            yield self._body[at : at + _PIECE_BYTES]
        self._sent(len(self._body))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def explain(error: httpx.HTTPError, target: Target, operation: Operation[T]) -> ClientError:
    """The client's own error for one of httpx's."""
    if isinstance(error, (httpx.ConnectTimeout, httpx.PoolTimeout)):
        return DaemonUnreachable(f"The daemon at {target} took no connection in time; it may be overloaded or stuck.")
    if isinstance(error, httpx.ConnectError):
        return DaemonUnreachable(_why_unreachable(error, target))
    if isinstance(error, httpx.TimeoutException):
        return AnswerTimeout(
            f"The daemon took {operation} and did not answer within {operation.timeout_s:g} s; it may still be at work."
        )
    return ConnectionLost(
        f"The connection to {target} ended before {operation} was answered; what was asked may have been done."
    )


def _why_unreachable(error: httpx.ConnectError, target: Target) -> str:
    causes = list(_causes(error))
    if not isinstance(target, UnixTarget):
        return (
            f"Nothing answers at {target}. Start the daemon with `wsmgr serve --listen HOST:PORT`, or unset WSMGR_URL "
            "to use its socket."
        )
    if any(isinstance(cause, FileNotFoundError) for cause in causes):
        return (
            f"No daemon is running: the socket {target} does not exist. Start one with `wsmgr serve --detach`, or name "
            "another socket with --socket or WSMGR_SOCKET."
        )
    if any(isinstance(cause, PermissionError) for cause in causes):
        return (
            f"The socket {target} may not be used by {_user()}: permission denied. Run this as root or as the daemon's "
            "user, or join the group that owns the socket's directory."
        )
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return (
            f"Nobody listens on {target}: the daemon ended without removing its socket. Start it again with "
            "`wsmgr serve --detach`."
        )
    return f"The socket {target} cannot be used: {error}."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What led to an error, also inside groups; errors of the system are found there, whatever wrapped them."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        at = todo.pop()
        if at is None or id(at) in seen:
            continue
        seen.add(id(at))
        yield at
        todo += [at.__cause__, at.__context__]
        if isinstance(at, BaseExceptionGroup):
            todo += at.exceptions


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
