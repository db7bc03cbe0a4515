"""A plain HTTP client for the runtime contract, over a unix socket or TCP, that waits with a deadline."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

PATIENCE_S = 30.0
T = TypeVar("T")


def until(probe: Callable[[], T | None], seconds: float = PATIENCE_S) -> T:
    """Asks again until the answer is neither None nor False; fails after the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = probe()
        if found is not None and found is not False:
            return found
        time.sleep(0.005)
    raise AssertionError(f"waited {seconds} s in vain for {probe}")


@dataclass(frozen=True)
class Address:
    """Where a runtime listens: a path, or a host and port."""

    path: str | None = None
    host: str = ""
    port: int = 0

    @classmethod
    def parse(cls, text: str) -> Address:
        """Reads the address a runtime announces."""
        if "/" in text:
            return cls(path=text)
        host, _colon, port = text.rpartition(":")
        return cls(host=host, port=int(port))

    def connect(self) -> socket.socket:
        """A connected socket with a timeout."""
        if self.path is None:
            return socket.create_connection((self.host, self.port), timeout=PATIENCE_S)
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(PATIENCE_S)
        try:
            made.connect(self.path)
        except OSError:
            made.close()
            raise
        return made


@dataclass(frozen=True)
class Answer:
    """An HTTP answer with a JSON body."""

    status: int
    body: dict[str, Any]
    raw: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The `error` object of a refusal."""
        found = self.body["error"]
        assert isinstance(found, dict)
        return found


class Connection:
    """One kept-alive connection."""

    def __init__(self, address: Address, token: str | None = None) -> None:
        self._http = http.client.HTTPConnection("runtime")
        self._http.sock = address.connect()
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def send(self, method: str, path: str, body: object = None) -> None:
        """Sends a request without waiting for its answer; bytes go as they are, the rest as JSON."""
        payload = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self._http.request(method, path, payload, {**self._headers, "Content-Type": "application/json"})

    def answer(self) -> Answer:
        """Reads the answer to the last request."""
        response = self._http.getresponse()
        length = response.getheader("content-length")
        raw = response.read()
        assert length == str(len(raw)), "every answer states its length"
        assert response.getheader("content-type") == "application/json"
        return Answer(response.status, json.loads(raw), raw)

    def lines(self) -> Iterator[dict[str, Any]]:
        """The answer to the last request, which must be a stream: its lines, each as soon as it is there."""
        response = self._http.getresponse()
        assert (response.status, response.getheader("content-type")) == (200, "application/x-ndjson")
        while line := response.readline():
            assert line.endswith(b"\n")
            yield json.loads(line)

    def call(self, method: str, path: str, body: object = None) -> Answer:
        """A request and its answer."""
        self.send(method, path, body)
        return self.answer()

    def close(self) -> None:
        """Closes the connection, answered or not."""
        self._http.close()


def exchange(address: Address, sent: bytes, *, finish: bool = True) -> bytes:
    """Sends raw bytes, half-closes when `finish`, and reads until the other side closes."""
    with address.connect() as raw:
        raw.sendall(sent)
        if finish:
            raw.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while chunk := raw.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass
        return received
