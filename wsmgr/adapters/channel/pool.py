"""Idle connections by endpoint: the last one used is the first one taken, within a budget of descriptors."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from wsmgr.adapters.channel import reach
from wsmgr.adapters.channel.connection import Connection
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import ChannelClosed


@dataclass(slots=True, eq=False)
class _Shelf:
    """The connections of one endpoint. `forgotten`: what comes back is closed instead of kept."""

    idle: list[Connection] = field(default_factory=list)
    connections: int = 0
    forgotten: bool = False


class Pool:
    """Keeps at most `idle_per_endpoint` idle connections of an endpoint and `idle_total` of all."""

    def __init__(self, *, idle_per_endpoint: int, idle_total: int) -> None:
        self._idle_per_endpoint = idle_per_endpoint
        self._idle_total = idle_total
        self._shelves: dict[Endpoint, _Shelf] = {}
        self._homes: dict[Connection, tuple[Endpoint, _Shelf]] = {}
        self._idle: dict[Connection, None] = {}  # in the order in which they were given back
        self._closed = False
        self._empty = asyncio.Event()
        self._empty.set()

    def take(self, at: Endpoint) -> Connection | None:
        """An idle connection that is fit for use, or None. Unfit ones are ended on the way."""
        shelf = self._shelves.get(at)
        while shelf is not None and shelf.idle:
            connection = shelf.idle.pop()
            del self._idle[connection]
            if connection.ready():
                return connection
            connection.abort()
        return None

    async def connect(self, at: Endpoint, timeout_s: float) -> Connection:
        """A new connection. Raises as `reach.connect` does, and ChannelClosed when the pool is closed."""
        if self._closed:
            raise ChannelClosed("The daemon has closed its connections to the runtimes.", sent=False)
        shelf = self._shelves.setdefault(at, _Shelf())
        shelf.connections += 1
        try:
            sock = await reach.connect(at, timeout_s)
        except BaseException:
            self._shrink(at, shelf)
            raise
        connection = Connection(sock, self._gone)
        self._homes[connection] = (at, shelf)
        self._empty.clear()
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: connection, sock=sock)
        except BaseException:
            sock.close()
            self._gone(connection)
            raise
        if shelf.forgotten or self._closed:
            connection.abort()
            raise ChannelClosed("The workspace was let go while it was being reached.", sent=False)
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep the connection for the next call, or end it when it is unfit, unwanted or over the budget."""
        home = self._homes.get(connection)
        if home is None:
            return
        shelf = home[1]
        if shelf.forgotten or len(shelf.idle) >= self._idle_per_endpoint or not connection.reusable:
            connection.abort()
            return
        shelf.idle.append(connection)
        self._idle[connection] = None
        if len(self._idle) > self._idle_total:
            self._end_idle(next(iter(self._idle)))

    def forget(self, at: Endpoint) -> None:
        """End what is idle now and what is in use when it comes back."""
        shelf = self._shelves.pop(at, None)
        if shelf is None:
            return
        shelf.forgotten = True
        for connection in list(shelf.idle):
            self._end_idle(connection)

    async def close(self) -> None:
        """End everything, also what is in use, and return when the descriptors are free."""
        self._closed = True
        for connection in list(self._homes):
            connection.abort()
        await self._empty.wait()

    def _end_idle(self, connection: Connection) -> None:
        del self._idle[connection]
        self._homes[connection][1].idle.remove(connection)
        connection.abort()

    def _gone(self, connection: Connection) -> None:
        home = self._homes.pop(connection, None)
        if home is None:
            return
        at, shelf = home
        if connection in self._idle:
            del self._idle[connection]
            shelf.idle.remove(connection)
        self._shrink(at, shelf)
        if not self._homes:
            self._empty.set()

    def _shrink(self, at: Endpoint, shelf: _Shelf) -> None:
        shelf.connections -= 1
        if not shelf.connections and self._shelves.get(at) is shelf:
            del self._shelves[at]
