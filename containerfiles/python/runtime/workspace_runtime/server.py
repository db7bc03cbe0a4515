"""Accepts connections, checks the token, and hands whole requests to the routes."""

from __future__ import annotations

import os
import socket
import time
from _operator import _compare_digest as same_bytes
from collections.abc import Callable

from workspace_runtime.connection import Connection
from workspace_runtime.http_error import HttpError
from workspace_runtime.loop import READ, Loop
from workspace_runtime.request import Request
from workspace_runtime.settings import Settings

Route = Callable[[Connection, Request], None]
_ACCEPTS_AT_ONCE = 64
_UNAUTHORIZED = HttpError(401, "unauthorized", 'Send the token of this workspace as "Authorization: Bearer ...".')


class Server:
    """`find(method, target)` gives a route or raises HttpError; `gone(connection)` is told of every end of one."""

    def __init__(
        self,
        listening: socket.socket,
        loop: Loop,
        settings: Settings,
        find: Callable[[str, str], Route],
        gone: Callable[[Connection], None],
    ) -> None:
        self._listening: socket.socket | None = listening
        self._path = settings.path
        self._loop = loop
        self._cap = settings.input_bytes
        self._expected = None if settings.token is None else b"Bearer " + settings.token
        self._find = find
        self._gone = gone
        self._connections: set[Connection] = set()
        loop.add(listening.fileno(), READ, self._accept)

    def close(self) -> None:
        """Take no new connections. Idempotent."""
        if self._listening is None:
            return
        self._loop.remove(self._listening.fileno())
        self._listening.close()
        self._listening = None
        if self._path is not None:
            _unlink(self._path)

    def sweep(self) -> None:
        """End connections on which a request does not get whole."""
        now = time.monotonic()
        for connection in list(self._connections):
            connection.check(now)

    def _accept(self, _events: int) -> None:
        for _ in range(_ACCEPTS_AT_ONCE):
            if self._listening is None:
                return
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            sock.setblocking(False)
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.add(Connection(sock, self._loop, self._cap, self._handle, self._left))

    def _left(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._gone(connection)

    def _handle(self, connection: Connection, request: Request) -> None:
        if self._expected is not None and not same_bytes(self._expected, request.authorization):
            connection.fail(_UNAUTHORIZED)
            return
        try:
            route = self._find(request.method, request.target)
            if request.refusal is None:
                route(connection, request)
            else:
                connection.fail(request.refusal)
        except HttpError as error:
            connection.fail(error)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
