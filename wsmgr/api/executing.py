"""`POST /api/execute?stream=1`: what a plugin prints and emits as server-sent events, and at last how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import structlog
from starlette.types import Receive, Send

from wsmgr.api.problems import problem_of
from wsmgr.api.stream import MEDIA_TYPE
from wsmgr.control.executions import Executions
from wsmgr.control.flight import Flight
from wsmgr.control.flights import Flights
from wsmgr.control.request import Request
from wsmgr.core.errors import WsmgrError
from wsmgr.core.execution import Execution
from wsmgr.core.outcome import Emitted, LogEntry

log = structlog.get_logger(__name__)

PING_S = 5.0
"""The longest silence; before the first of them an error is still an ordinary answer."""
SEND_S = 30.0
"""How long a client may leave what it was sent unread. Meanwhile the plugin waits, by its own clock."""
PIECES = 64
"""So many wait to be sent; then no more are read."""

Piece = LogEntry | Emitted


class StreamedCalls:
    """Runs calls whose clients listen. A client that goes away, or does not read, cancels its execution."""

    def __init__(self, executions: Executions, flights: Flights, result: Callable[[Execution], dict[str, Any]]) -> None:
        self._executions = executions
        self._flights = flights
        self._result = result
        self._left: set[asyncio.Task[Execution]] = set()

    async def run(self, request: Request, receive: Receive, send: Send) -> None:
        """Run one. Raises WsmgrError before anything is sent."""
        ear = _Ear()
        flight = self._executions.flight(request, ear)
        call = asyncio.create_task(self._executions.fly(flight))
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await self._tell(call, gone, ear, _Answer(send, flight))
        except TimeoutError:
            log.info("the client of a stream does not read: cut off", execution=flight.id)
        finally:
            gone.cancel()
            ear.close()
            if not call.done():
                self._left.add(call)
                call.add_done_callback(self._unheard)
                await self._flights.leave(flight)

    async def _tell(self, call: asyncio.Task[Execution], gone: asyncio.Task[None], ear: _Ear, answer: _Answer) -> None:
        hearing = asyncio.create_task(ear.pieces.get())
        try:
            while True:
                await asyncio.wait({call, gone, hearing}, timeout=PING_S, return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    return
                if hearing.done():
                    await answer.say(_event(hearing.result()))
                    hearing = asyncio.create_task(ear.pieces.get())
                elif call.done() and ear.pieces.empty():
                    # All that it said came before its end.
                    await answer.end(call, self._result)
                    return
                elif not call.done():
                    await answer.say(b": still here\n\n")
        finally:
            hearing.cancel()

    def _unheard(self, call: asyncio.Task[Execution]) -> None:
        """Its outcome is in the record; only a defect is of interest."""
        self._left.discard(call)
        if not call.cancelled() and not isinstance(call.exception(), WsmgrError | None):
            log.error("a call met a defect", exc_info=call.exception())


class _Ear:
    """What was heard and not told yet. Full, it lets the plugin wait; closed, it hears nothing."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[Piece] = asyncio.Queue(PIECES)
        self._closed = False

    async def __call__(self, piece: Piece) -> None:
        """Hear."""
        if not self._closed:
            await self.pieces.put(piece)

    def close(self) -> None:
        """Nobody is told any more."""
        self._closed = True
        while not self.pieces.empty():
            self.pieces.get_nowait()


class _Answer:
    """The response, whose head is sent with the first thing that is said."""

    def __init__(self, send: Send, flight: Flight) -> None:
        self._send = send
        self._execution = flight.id
        self._begun = False

    async def say(self, part: bytes, *, more: bool = True) -> None:
        """Send it. Raises TimeoutError."""
        async with asyncio.timeout(SEND_S):
            if not self._begun:
                self._begun = True
                headers = [
                    (b"content-type", f"{MEDIA_TYPE}; charset=utf-8".encode()),
                    (b"cache-control", b"no-store"),
                    (b"x-wsmgr-execution-id", self._execution.encode()),
                ]
                await self._send({"type": "http.response.start", "status": 200, "headers": headers})
            await self._send({"type": "http.response.body", "body": part, "more_body": more})

    async def end(self, call: asyncio.Task[Execution], result: Callable[[Execution], dict[str, Any]]) -> None:
        """Say how it ended. Raises WsmgrError where an ordinary answer can still say why it did not run."""
        try:
            last = b"event: result\ndata: %s\n\n" % orjson.dumps(result(call.result()))
        except WsmgrError as error:
            if not self._begun:
                raise
            last = b"event: problem\ndata: %s\n\n" % problem_of(error)[1]
        await self.say(last, more=False)


def _event(piece: Piece) -> bytes:
    if isinstance(piece, Emitted):
        return b"event: emit\ndata: %s\n\n" % orjson.dumps(piece.value)
    entry = {"t": piece.t, "level": piece.level, "message": piece.message}
    return b"event: log\ndata: %s\n\n" % orjson.dumps(entry)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
