"""The one thread hop: podman-py is synchronous, so its calls run in a bounded pool, one client per thread."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from podman import PodmanClient

from wsmgr.adapters.podman.errors import TRANSPORT_ERRORS, unavailable
from wsmgr.adapters.podman.transport import connect, disconnect
from wsmgr.core.errors import EngineUnavailable

ANSWER_BYTES = 64 * 1024 * 1024
"""Far above a list of thousands of containers; an answer beyond it is not podman's."""
_SLACK_S = 0.5
REUSE_S = 4.0
"""Podman's service, where systemd starts it, ends connections that were idle for 10 s (twice its `--time`, by default
5 s). A request sent at that moment is lost and podman is taken to be away: so older connections are not used again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of one answer."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        """Done, or was done already (304)."""
        return self.status < 400

    def json(self) -> Any:
        """The body parsed. Raises EngineUnavailable when it is not JSON: then no podman is behind the socket."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise EngineUnavailable(f"Podman's service answered {self.status} with something else than JSON.") from None


class PodmanCalls:
    """Requests to podman's API. Every call is bounded in time and size; all transport errors are EngineUnavailable."""

    def __init__(self, socket: Path, *, threads: int, timeout_s: float, reuse_s: float = REUSE_S) -> None:
        self._socket = socket
        self._reuse_s = reuse_s
        self._timeout_s = timeout_s
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="podman")
        self._local = threading.local()
        self._clients: list[PodmanClient] = []

    async def get(
        self, path: str, params: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Answer:
        """GET below the libpod prefix."""
        return await self._call("GET", path, params, None, timeout_s)

    async def post(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        *,
        timeout_s: float | None = None,
    ) -> Answer:
        """POST, with a JSON body when one is given."""
        data = None if body is None else json.dumps(body).encode()
        return await self._call("POST", path, params, data, timeout_s)

    async def delete(
        self, path: str, params: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Answer:
        """DELETE."""
        return await self._call("DELETE", path, params, None, timeout_s)

    def close(self) -> None:
        """Drop what waits and the connections. A call in a hung service ends at its time-out, awaited by nobody."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        for client in self._clients:
            disconnect(client)
        self._clients.clear()

    async def _call(
        self, method: str, path: str, params: Mapping[str, str] | None, data: bytes | None, timeout_s: float | None
    ) -> Answer:
        bound = self._timeout_s if timeout_s is None else timeout_s
        request = _Request(method, path, dict(params or {}), data, bound)
        loop = asyncio.get_running_loop()
        try:
            # The outer bound holds also while every thread is stuck in a hung service and this one waits for a turn.
            async with asyncio.timeout(bound + _SLACK_S):
                return await loop.run_in_executor(self._executor, self._perform, request)
        except TRANSPORT_ERRORS as error:
            raise unavailable(error, self._socket, bound) from error

    def _perform(self, request: _Request) -> Answer:
        try:
            return request.send(self._client())
        except TRANSPORT_ERRORS:
            self._forget()
            raise
        finally:
            self._local.used = time.monotonic()

    def _client(self) -> PodmanClient:
        client: PodmanClient | None = getattr(self._local, "client", None)
        if client is not None and time.monotonic() - self._local.used > self._reuse_s:
            disconnect(client)
        if client is None:
            client = connect(self._socket, self._timeout_s)
            self._local.client = client
            self._clients.append(client)
        return client

    def _forget(self) -> None:
        client = self._local.client
        self._local.client = None
        disconnect(client)
        if client in self._clients:
            self._clients.remove(client)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    params: dict[str, str]
    data: bytes | None
    timeout_s: float

    def send(self, client: PodmanClient) -> Answer:
        headers = {} if self.data is None else {"content-type": "application/json"}
        deadline = time.monotonic() + self.timeout_s
        call = {"GET": client.api.get, "POST": client.api.post, "DELETE": client.api.delete}[self.method]
        extra = {} if self.method != "POST" else {"data": self.data}
        response = call(self.path, params=self.params, headers=headers, timeout=self.timeout_s, stream=True, **extra)
        with contextlib.closing(response):
            return Answer(response.status_code, self._read(response, deadline))

    def _read(self, response: Any, deadline: float) -> bytes:
        body = bytearray()
        # The time-out of requests starts anew with every packet; the deadline holds for the whole answer.
        for chunk in response.iter_content(65536):
            body += chunk
            if len(body) > ANSWER_BYTES:
                message = f"an answer of more than {ANSWER_BYTES} bytes"
                raise ValueError(message)
            if time.monotonic() > deadline:
                message = "the answer trickled in past the deadline"
                raise TimeoutError(message)
        return bytes(body)
