"""One HTTP/1.1 connection to a runtime: one request at a time, an answer within bounds, or an error and the end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import cast

import httptools

from wsmgr.adapters.channel.lines import Lines
from wsmgr.ports.channel import ChannelClosed, ChannelTimeout, ProtocolViolation

FRAMING_BYTES = 16 * 1024
"""What an answer may have besides its body: status line, headers, chunk sizes."""

CHUNK_BYTES = 32
"""What each chunk of an answer that comes line by line may have besides what is in it."""

Answer = tuple[int, bytes]
"""Status and body."""


class Connection(asyncio.Protocol):
    """The protocol of the transport and, at the same time, the callbacks of the response parser.

    `gone` is called once, when the connection has ended for whatever reason.
    """

    def __init__(self, sock: socket.socket, gone: Callable[[Connection], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._gone = gone
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._lines: Lines | None = None
        self._chunks: list[bytes] = []
        self._cap = 0
        self._body_bytes = 0
        self._received = 0
        self._framing = FRAMING_BYTES
        self._status = 0
        self._complete = False
        self._keeps = False
        self._reusable = True

    @property
    def reusable(self) -> bool:
        """Whether the last answer left it fit for another request."""
        return self._reusable and self._waiter is None

    def ready(self) -> bool:
        """Whether the connection can carry another request: alive, and nothing has come that nobody asked for."""
        if not self._reusable or self._transport is None:
            return False
        try:
            # The loop may not have seen yet what is already there: an end, or bytes that nobody asked for.
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def send(self, request: bytes, cap: int, lines: Lines | None = None) -> bool:
        """Send a request whose answer may have a body of `cap` bytes, which goes to `lines` if there are any. False: no
        byte left, the connection is dead."""
        transport = self._transport
        if transport is None:
            return False
        self._waiter = self._loop.create_future()
        self._chunks = []
        self._cap = cap
        self._body_bytes = self._received = 0
        self._framing = FRAMING_BYTES
        self._complete = False
        self._lines = lines
        if lines is not None:
            lines.attach(transport)
        try:
            # Directly, because a transport does not tell whether the kernel took any of it.
            taken = self._sock.send(request)
        except BlockingIOError:
            taken = 0
        except OSError:
            self._waiter = None
            return False
        if taken < len(request):
            transport.write(memoryview(request)[taken:])
        return True

    async def answer(self, timeout_s: float) -> Answer:
        """The answer to what was sent. Raises ChannelTimeout, ChannelClosed or ProtocolViolation, and then, as when
        it is cancelled, the connection is of no more use: abort it."""
        waiter = self._waiter
        if waiter is None:
            raise RuntimeError("answer() comes after send()")
        timer = self._loop.call_later(timeout_s, self._expire, timeout_s)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._waiter = None

    @property
    def answered(self) -> bool:
        """Whether the answer to what was sent is whole, or will never be."""
        return self._waiter is not None and self._waiter.done()

    def result(self) -> Answer:
        """The answer once it is `answered`, without what went to the lines. Raises as `answer`."""
        waiter, self._waiter, self._lines = self._waiter, None, None
        if waiter is None:
            raise RuntimeError("result() comes after send()")
        return waiter.result()

    def abort(self) -> None:
        """End it now, without flushing. `gone` is called soon. May be called again."""
        self._reusable = False
        if self._transport is not None:
            self._transport.abort()

    def drop(self) -> None:
        """End it now: its answer is of no more interest."""
        self._waiter = self._lines = None
        self.abort()

    def _expire(self, timeout_s: float) -> None:
        self._fail(ChannelTimeout(f"The runtime did not answer within {timeout_s:.3g} s."))

    def _fail(self, error: Exception) -> None:
        self._reusable = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
            if self._lines is not None:
                self._lines.end()
        self.abort()

    # --- asyncio.Protocol ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        waiter, parser = self._waiter, self._parser
        if waiter is None or waiter.done() or parser is None:
            self.abort()  # nobody asked
            return
        self._received += len(data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            known = isinstance(error.__context__, ProtocolViolation)
            self._fail(error.__context__ if known else _not_http(error))  # type: ignore[arg-type]
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(_not_http(error))
        else:
            if self._received - self._body_bytes > self._framing:
                self._fail(ProtocolViolation(f"The head of the answer is larger than {self._framing} bytes."))
            elif self._complete and not waiter.done():
                self._deliver(waiter)

    def _deliver(self, waiter: asyncio.Future[Answer]) -> None:
        # Answered before the request was taken whole: the rest of it would become a request.
        taken = self._transport is not None and not self._transport.get_write_buffer_size()
        self._reusable = self._reusable and taken and self._keeps
        chunks = self._chunks
        waiter.set_result((self._status, chunks[0] if len(chunks) == 1 else b"".join(chunks)))
        self._chunks = []
        if self._lines is not None:
            self._lines.end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._reusable = False
        if self._waiter is not None and not self._waiter.done():
            why = f": {exc}" if exc else ""
            self._waiter.set_exception(
                ChannelClosed(f"The connection to the runtime ended before an answer{why}.", sent=True)
            )
            if self._lines is not None:
                self._lines.end()
        self._parser = None  # it holds this object's methods: a cycle
        self._gone(self)

    # --- httptools ----------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A second answer to one request is none that anybody asked for."""
        if self._complete:
            raise ProtocolViolation("The runtime answered twice.")

    def on_headers_complete(self) -> None:
        """Interim answers (100 Continue) are not in the contract."""
        status = self._parser.get_status_code() if self._parser else 0
        if status < 200:
            raise ProtocolViolation(f"The runtime answered with status {status}.")
        self._status = status

    def on_body(self, body: bytes) -> None:
        """Collects the body as long as it is within the cap."""
        self._body_bytes += len(body)
        if self._body_bytes > self._cap:
            raise ProtocolViolation(f"The answer is larger than the {self._cap} bytes that the limits allow.")
        if self._lines is not None and self._status == 200:
            self._lines.feed(body)
        else:
            self._chunks.append(body)

    def on_chunk_header(self) -> None:
        """The size of a chunk has come."""
        if self._lines is not None:
            self._framing += CHUNK_BYTES

    def on_message_complete(self) -> None:
        """The answer is whole; it is delivered once nothing else turns out to come with it."""
        self._complete = True
        self._keeps = self._parser is not None and self._parser.should_keep_alive()


def _not_http(error: Exception) -> ProtocolViolation:
    return ProtocolViolation(f"The answer is not HTTP: {str(error)[:200] or type(error).__name__}.")
