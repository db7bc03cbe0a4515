"""One connection of the daemon: requests in order, each answered once; a vanished client is not an error."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from workspace_runtime.http_error import HttpError
from workspace_runtime.loop import READ, WRITE, Loop
from workspace_runtime.request import BadRequest, Request

TYPE_CHECKING = False  # `typing` takes milliseconds to import, and is for checkers alone
if TYPE_CHECKING:
    from workspace_runtime.execution import Execution

_PIECE = 256 * 1024
_REQUEST_S = 60.0
_FULL_BYTES = 1024 * 1024
_REASONS = {200: b"200 OK", 400: b"400 Bad Request"}
_GARBAGE = HttpError(400, "bad_request", "This is not a valid HTTP/1.1 request.")

Handler = Callable[["Connection", Request], None]


class Connection:
    """`handle` is called with each whole request and answers it now or later. `waiting` is the execution that the
    client waits for: it is cancelled when the client goes away."""

    def __init__(
        self, sock: socket.socket, loop: Loop, cap: int, handle: Handler, closed: Callable[[Connection], None]
    ):
        self._sock = sock
        self._loop = loop
        self._cap = cap
        self._handle = handle
        self._closed = closed
        self._came = bytearray()
        self._out = bytearray()
        self._request = Request(cap)
        self._begun: float | None = None
        self._answering = False
        self._in_turn = False
        self._streaming = False
        self._ends = False
        self.waiting: Execution | None = None
        self.on_drained: Callable[[], None] | None = None
        self.open = True
        loop.add(sock.fileno(), READ, self._ready)

    @property
    def full(self) -> bool:
        """Whether the client is slow to read what it was sent."""
        return len(self._out) > _FULL_BYTES

    def answer(self, status: int, body: bytes) -> None:
        """The answer to the request under way."""
        if not self.open or not self._answering:
            return
        reason = _REASONS.get(status) or b"%d Status" % status
        head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n"
        self._finish(head % (reason, len(body), self._connection_header()) + body)

    def fail(self, error: HttpError) -> None:
        """Answer a refusal."""
        self.answer(error.status, error.body)

    def stream_line(self, line: bytes) -> None:
        """One line of an answer in pieces, which begins with the first of them."""
        if not self.open or not self._answering:
            return
        head = b""
        if not self._streaming:
            self._streaming = True
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n%s\r\n"
            head %= self._connection_header()
        self._write(head + b"%x\r\n" % (len(line) + 1) + line + b"\n\r\n")

    def stream_end(self) -> None:
        """The end of an answer in pieces."""
        if self.open and self._answering:
            self._finish(b"0\r\n\r\n")

    def close(self) -> None:
        """Hang up; what waits for an answer is cancelled."""
        if not self.open:
            return
        self.open = False
        self._loop.remove(self._sock.fileno())
        self._sock.close()
        self._closed(self)

    def check(self, now: float) -> None:
        """A request that does not get whole ends its connection."""
        if self._begun is not None and now - self._begun > _REQUEST_S:
            self.close()

    def _connection_header(self) -> bytes:
        return b"" if self._request.keep_alive else b"Connection: close\r\n"

    def _finish(self, last: bytes) -> None:
        self._ends = self._ends or not self._request.keep_alive
        self._answering = self._streaming = False
        self._request = Request(self._cap)
        self._write(last)
        if self.open and self._came and not self._in_turn:
            self._take()

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self._flush()
        if not self.open or not events & ~WRITE:
            return
        try:
            came = self._sock.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            came = b""
        if not came:
            self.close()
            return
        self._came += came
        if not self._answering:
            self._take()
        elif len(self._came) > self._cap + _PIECE:
            self.close()

    def _take(self) -> None:
        """Handle whole requests, one at a time; a loop, so that many in one piece are no recursion."""
        self._in_turn = True
        try:
            while self.open and not self._answering and self._came:
                if not self._request.feed(self._came):
                    if self._begun is None:
                        self._begun = time.monotonic()
                    if self._request.continues:
                        self._request.continues = False
                        self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
                    return
                self._begun = None
                self._answering = True
                self._handle(self, self._request)
        except BadRequest:
            self._refuse_garbage()
        finally:
            self._in_turn = False

    def _refuse_garbage(self) -> None:
        self._answering = True
        self._request.keep_alive = False
        self._came.clear()
        self.fail(_GARBAGE)

    def _write(self, data: bytes) -> None:
        if not self._out:
            try:
                sent = self._sock.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.close()
                return
            data = data[sent:]
            if data:
                self._loop.change(self._sock.fileno(), READ | WRITE)
        self._out += data
        self._end_if_done()

    def _flush(self) -> None:
        try:
            sent = self._sock.send(self._out)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        del self._out[:sent]
        if not self._out:
            self._loop.change(self._sock.fileno(), READ)
        if self.on_drained is not None and not self.full:
            self.on_drained()
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self._ends and not self._out and not self._answering:
            self.close()
