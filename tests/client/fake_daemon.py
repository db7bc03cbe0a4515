"""A daemon for tests of the client and of the CLI: a real HTTP server with canned answers.

It checks what it is sent against the wire models, and can be told to answer otherwise, to hang, or to hang up.
"""

from __future__ import annotations

import json
import re
import socket
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import BaseModel, ValidationError

from tests.client import canned
from wsmgr.wire.execute import ExecuteRequest
from wsmgr.wire.owner import Owner, PatchOwner, PutOwner
from wsmgr.wire.plugin import PluginResult, PutPlugin, Rollback
from wsmgr.wire.problem import PROBLEM_MEDIA_TYPE, Problem
from wsmgr.wire.workspace import PutWorkspace, Workspace

BODIES: list[tuple[str, str, type[BaseModel]]] = [
    ("POST", r"/api/execute", ExecuteRequest),
    ("PUT", r"/api/workspaces/[^/]+", PutWorkspace),
    ("PUT", r"/api/workspaces/[^/]+/plugins/[^/]+", PutPlugin),
    ("POST", r"/api/workspaces/[^/]+/plugins/[^/]+/rollback", Rollback),
    ("PUT", r"/api/owners/[^/]+", PutOwner),
    ("PATCH", r"/api/owners/[^/]+", PatchOwner),
]
VERBS = r"/api/(?:admin/)?workspaces/([^/]+)/(start|stop|restart|pause|resume|touch|recover)"


@dataclass(frozen=True)
class Seen:
    """One request; `target` is its path and query as they came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    target: str


@dataclass(frozen=True)
class Answer:
    """One answer; `body` None is an empty one."""

    status: int = 200
    body: bytes | None = None
    media_type: str = "application/json"


@dataclass
class FakeDaemon:
    """Listens on a unix socket, or on a free loopback port when `path` is None."""

    path: Path | None = None
    seen: list[Seen] = field(default_factory=list)
    told: dict[tuple[str, str], Callable[[Seen], Answer]] = field(default_factory=dict)
    _release: threading.Event = field(default_factory=threading.Event)
    _open: set[socket.socket] = field(default_factory=set)
    _server: socketserver.BaseServer | None = None
    _thread: threading.Thread | None = None
    port: int = 0

    def __enter__(self) -> Self:
        handler = cast("type[_Handler]", type("Handler", (_Handler,), {"fake": self}))
        if self.path is not None:
            self._server = _UnixServer(str(self.path), handler)
        else:
            server = _TcpServer(("127.0.0.1", 0), handler)
            self.port = server.server_address[1]
            self._server = server
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._release.set()
        self._server.shutdown()
        self._thread.join(timeout=5)
        for connection in list(self._open):
            with_suppressed_shutdown(connection)
        self._server.server_close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    @property
    def last(self) -> Seen:
        """The request that came last."""
        return self.seen[-1]

    def tell(self, method: str, path: str, body: BaseModel | list[BaseModel] | bytes | None, status: int = 200) -> None:
        """Answer so from now on."""
        answer = Answer(status, _dump(body))
        self.told[method, path] = lambda _: answer

    def refuse(self, method: str, path: str, status: int, code: str, detail: str, *, retryable: bool = False) -> None:
        """Answer with a problem document from now on."""
        answer = _problem(status, code, detail, retryable=retryable)
        self.told[method, path] = lambda _: answer

    def hang(self, method: str, path: str) -> None:
        """Take the request and give no answer until the test ends."""

        def wait(_: Seen) -> Answer:
            self._release.wait()
            return Answer(503)

        self.told[method, path] = wait

    def hang_up(self, method: str, path: str) -> None:
        """Take the request and end the connection."""

        def end(_: Seen) -> Answer:
            raise ConnectionAbortedError

        self.told[method, path] = end

    def respond(self, seen: Seen) -> Answer:
        """What is answered: what a test told, else what is canned."""
        self.seen.append(seen)
        for method, pattern, model in BODIES:
            if seen.method == method and re.fullmatch(pattern, seen.path) and not isinstance(seen.body, bytes):
                try:
                    model.model_validate(seen.body)
                except ValidationError as error:
                    return _problem(422, "invalid_request", str(error.errors()[0]["msg"]))
        if told := self.told.get((seen.method, seen.path)):
            return told(seen)
        return _canned(seen)

    def opened(self, connection: socket.socket) -> None:
        """Keep count of a connection, so that the end can close it."""
        self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """It ended by itself."""
        self._open.discard(connection)


def with_suppressed_shutdown(connection: socket.socket) -> None:
    """End a connection that may have ended already."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _canned(seen: Seen) -> Answer:
    if fixed := canned.FIXED.get((seen.method, seen.path)):
        return Answer(200, _dump(fixed))
    for method, pattern, make in _MADE:
        if seen.method == method and (match := re.fullmatch(pattern, seen.path)):
            return make(match, seen)
    return _problem(404, "not_found", f"There is no {seen.path}.")


def _set(match: re.Match[str], seen: Seen) -> Answer:
    desired = (seen.body or {}).get("desired", "RUNNING")
    return Answer(200, _dump(canned.workspace(match[1], desired, desired)))


def _after(workspace_id: str, verb: str) -> Workspace:
    if verb == "stop":
        return canned.workspace(workspace_id, "STOPPED", "STOPPED", "Stopped; the next call starts it.")
    if verb == "pause":
        return canned.workspace(workspace_id, "PAUSED")
    return canned.workspace(workspace_id)


def _problem(status: int, code: str, detail: str, *, retryable: bool = False) -> Answer:
    problem = Problem(title=code, status=status, code=code, detail=detail, retryable=retryable)
    return Answer(status, _dump(problem), PROBLEM_MEDIA_TYPE)


def _dump(body: BaseModel | list[BaseModel] | list[Workspace] | bytes | None) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, list):
        return b"[" + b",".join(item.model_dump_json().encode() for item in body) + b"]"
    return body.model_dump_json().encode()


def _executed(seen: Seen) -> Answer:
    answer = canned.executed({"got": seen.body["input"]})
    if seen.query.get("mode") == "async":
        return Answer(202, _dump(canned.ticket(seen.body.get("executionId", "e-1"))))
    if seen.query.get("stream") != "1":
        return Answer(200, _dump(answer))
    log = f"event: log\ndata: {canned.LINE.model_dump_json()}\n\n"
    emits = 'event: emit\ndata: {"part": 1}\n\n: still here\n\nevent: later\ndata: {}\n\nevent: emit\ndata: null\n\n'
    result = f"event: result\ndata: {answer.model_dump_json()}\n\n"
    return Answer(200, (log + emits + result).encode(), "text/event-stream; charset=utf-8")


def _owner(key: str, body: dict[str, Any]) -> Owner:
    overrides = {name: value for name, value in (body.get("overrides") or {}).items() if value is not None}
    isolation = body.get("isolation")
    return canned.owner(key, body.get("plan"), **overrides).model_copy(
        update={"isolation": isolation, "fallback": body.get("fallback")}
    )


_MADE: list[tuple[str, str, Callable[[re.Match[str], Seen], Answer]]] = [
    ("GET", r"/metrics", lambda _, __: Answer(200, b"wsmgr_up 1\n", "text/plain; version=0.0.4")),
    ("POST", r"/api/execute", lambda _, seen: _executed(seen)),
    ("POST", r"/api/executions/([^/]+)/cancel", lambda match, _: Answer(200, _dump(canned.cancelled(match[1])))),
    ("GET", r"/api/admin/workspaces", lambda _, __: Answer(200, _dump([canned.workspace()]))),
    ("GET", r"/api/executions/([^/]+)", lambda match, _: Answer(200, _dump(canned.execution(match[1])))),
    ("POST", VERBS, lambda match, _: Answer(202, _dump(_after(match[1], match[2])))),
    ("PUT", r"/api/owners/([^/]+)", lambda match, seen: Answer(200, _dump(_owner(match[1], seen.body)))),
    ("PATCH", r"/api/owners/([^/]+)", lambda match, seen: Answer(200, _dump(_owner(match[1], seen.body)))),
    ("DELETE", r"/api/workspaces/.+", lambda _, __: Answer(204)),
    ("DELETE", r"/api/volumes/.+", lambda _, __: Answer(204)),
    ("GET", r"/api/workspaces/([^/]+)", _set),
    ("PUT", r"/api/workspaces/([^/]+)", _set),
    (
        "PUT",
        r"/api/workspaces/[^/]+/plugins/([^/]+)",
        lambda match, _: Answer(200, _dump(PluginResult(slug=match[1], version=canned.VERSION, reloaded=False))),
    ),
]


class _UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeDaemon

    def setup(self) -> None:
        super().setup()
        self.fake.opened(self.connection)

    def finish(self) -> None:
        self.fake.closed(self.connection)
        super().finish()

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        as_it_is = self.headers.get("Content-Type", "application/json") != "application/json"
        body = raw if as_it_is else json.loads(raw) if raw else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, unquote(url.path), query, headers, body, self.path)
        try:
            answer = self.fake.respond(seen)
            self.send_response(answer.status)
            if answer.body is not None:
                self.send_header("Content-Type", answer.media_type)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(answer.body or b"")))
            self.end_headers()
            self.wfile.write(answer.body or b"")
        except OSError:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  # the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""
