"""What both clients know of httpx: how to reach a target, and what its errors mean."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar

import httpx

from wsmgr.client.errors import ClientError
from wsmgr.client.failures import CONNECT_S, broken_off, overloaded, unanswered, unreachable
from wsmgr.client.operation import Operation, encode
from wsmgr.client.sse import EVENT_STREAM
from wsmgr.client.target import Target, UnixTarget

T = TypeVar("T")

_PIECE_BYTES = 65536
# Shorter than the 5 s after which uvicorn closes an idle connection, so that none is reused while it is being closed.
_LIMITS = httpx.Limits(max_connections=256, max_keepalive_connections=64, keepalive_expiry=2.0)


def transport_options(target: Target) -> dict[str, Any]:
    """For httpx.HTTPTransport and its async twin. Proxies and .netrc of the environment are never used."""
    plain = isinstance(target, UnixTarget) or target.url.startswith("http://")
    return {
        "uds": str(target.path) if isinstance(target, UnixTarget) else None,
        "limits": _LIMITS,
        "trust_env": False,
        # Where there is no TLS nothing is verified, and reading all authorities takes a fifth of a short command.
        "verify": not plain,
    }


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


def stream_options(path: str, silence_s: float) -> dict[str, Any]:
    """The arguments of httpx's `stream` for server-sent events; each may be `silence_s` after the one before."""
    return {
        "method": "GET",
        "url": path,
        "headers": {"Accept": EVENT_STREAM},
        "timeout": httpx.Timeout(silence_s, connect=CONNECT_S),
    }


def is_event_stream(answer: httpx.Response) -> bool:
    """Whether the answer is a stream; else it is a refusal, or not of this API."""
    return answer.status_code == 200 and answer.headers.get("content-type", "").startswith(EVENT_STREAM)


def explain(error: httpx.HTTPError, target: Target, operation: Operation[T]) -> ClientError:
    """The client's own error for one of httpx's."""
    if isinstance(error, (httpx.ConnectTimeout, httpx.PoolTimeout)):
        return overloaded(target)
    if isinstance(error, httpx.ConnectError):
        return unreachable(error, target)
    if isinstance(error, httpx.TimeoutException):
        return unanswered(operation, operation.timeout_s)
    return broken_off(operation, target)
