"""Stands before podman's API socket and spoils what a test asks for: a slow, hung, failing or forgetful podman.

It speaks HTTP/1.1 on a unix socket, one request for each connection, and passes on unchanged what no rule matches.
Where a rule answers by itself, the words are those that podman 4.3.1 was seen to use.
"""

from __future__ import annotations

import json
import re
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Self, cast


@dataclass(frozen=True, slots=True)
class Answers:
    """Podman does not get the request; the client gets this error, in the form of podman's own."""

    status: int
    message: str

    def body(self) -> bytes:
        """The document."""
        return json.dumps({"cause": self.message, "message": self.message, "response": self.status}).encode()


@dataclass(frozen=True, slots=True)
class Says:
    """Podman does not get the request; the client gets this answer, in JSON."""

    status: int
    text: str

    def body(self) -> bytes:
        """The document."""
        return self.text.encode()


@dataclass(frozen=True, slots=True)
class Delays:
    """Podman gets the request so many seconds later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hangs:
    """Podman does not get the request, and the client no answer, until the rule ends."""


@dataclass(frozen=True, slots=True)
class Drops:
    """Podman does not get the request, and the connection ends."""


@dataclass(frozen=True, slots=True)
class Forgets:
    """Podman does what was asked, and the connection ends without its answer."""


Spoiling = Answers | Says | Delays | Hangs | Drops | Forgets


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came; `at` is on the monotonic clock, `path` without podman's version and the query, which is
    `query`, as it was sent."""

    at: float
    method: str
    path: str
    query: str


class _Rule:
    def __init__(self, method: str, path: str, spoiling: Spoiling, times: int | None) -> None:
        self._method = method
        self._path = re.compile(path)
        self._left = times
        self.spoiling = spoiling
        self.over = threading.Event()

    def takes(self, asked: Asked) -> bool:
        if asked.method != self._method or not self._path.fullmatch(asked.path) or self._left == 0:
            return False
        if self._left is not None:
            self._left -= 1
        return True


class PodmanProxy:
    """Listens on `path` and passes on to `upstream`. Ends with its `with` block."""

    def __init__(self, path: Path, upstream: Path) -> None:
        self.asked: list[Asked] = []
        self._upstream = upstream
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        handler = cast("type[_Handler]", type("Handler", (_Handler,), {"proxy": self}))
        self._server = _Server(str(path), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="podman proxy")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.behave()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def spoil(self, method: str, path: str, spoiling: Spoiling, times: int | None = None) -> None:
        """From now on treat requests so whose path (a pattern, as in `Asked`) matches; the latest rule counts."""
        with self._lock:
            self._rules.insert(0, _Rule(method, path, spoiling, times))

    def behave(self) -> None:
        """Forget all rules; what hangs or waits goes on as podman would have it."""
        with self._lock:
            rules, self._rules = self._rules, []
        for rule in rules:
            rule.over.set()

    @contextmanager
    def spoiled(self, method: str, path: str, spoiling: Spoiling) -> Iterator[None]:
        """A rule for the length of the block; at its end there is none."""
        self.spoil(method, path, spoiling)
        try:
            yield
        finally:
            self.behave()

    def count(self, method: str, path: str) -> int:
        """How many such requests came."""
        pattern = re.compile(path)
        with self._lock:
            return sum(one.method == method and pattern.fullmatch(one.path) is not None for one in self.asked)

    def rule_for(self, method: str, target: str) -> _Rule | None:
        """Note a request; the rule that it meets."""
        before, _, query = target.partition("?")
        asked = Asked(time.monotonic(), method, re.sub(r"^/v[0-9.]+/libpod", "", before), query)
        with self._lock:
            self.asked.append(asked)
            return next((rule for rule in self._rules if rule.takes(asked)), None)

    def upstream(self) -> socket.socket:
        """A connection to podman. Raises OSError."""
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self._upstream))
        except OSError:
            connection.close()
            raise
        return connection


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that give up are what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    proxy: PodmanProxy
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self.close_connection = True
        body = self._body()
        rule = self.proxy.rule_for(self.command, self.path)
        match None if rule is None else rule.spoiling:
            case Answers() | Says() as answer:
                self._say(answer.status, answer.body())
            case Drops():
                return
            case Forgets():
                self._pass_on(body, heard=False)
            case Delays(seconds):
                assert rule is not None
                rule.over.wait(seconds)
                self._pass_on(body)
            case Hangs():
                assert rule is not None
                rule.over.wait()
            case None:
                self._pass_on(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline().strip(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _pass_on(self, body: bytes, *, heard: bool = True) -> None:
        kept = {"host", "content-type", "accept"}
        head = [f"{name}: {value}" for name, value in self.headers.items() if name.lower() in kept]
        head += [f"Content-Length: {len(body)}", "Connection: close"]
        try:
            podman = self.proxy.upstream()
        except OSError:
            return
        with podman, suppress(OSError):
            podman.sendall("\r\n".join([self.requestline, *head, "", ""]).encode() + body)
            while chunk := podman.recv(65536):
                if heard:
                    self.wfile.write(chunk)

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Say nothing."""
