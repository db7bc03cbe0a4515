"""An answer that comes line by line: what has arrived and was not taken yet, bounded by not reading on."""

from __future__ import annotations

import asyncio
from collections import deque

from wsmgr.ports.channel import ChannelTimeout, ProtocolViolation

HELD_BYTES = 256 * 1024
"""So many bytes of whole lines wait at the most, and what one read brings besides."""


class Lines:
    """Filled by the connection, emptied by whoever listens. No line is longer than `line_bytes`."""

    def __init__(self, line_bytes: int) -> None:
        self._line_bytes = line_bytes
        self._lines: deque[bytes] = deque()
        self._held = 0
        self._partial: list[bytes] = []
        self._partial_bytes = 0
        self._news = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._paused = False

    def attach(self, transport: asyncio.Transport) -> None:
        """From here the lines come."""
        self._transport = transport

    def feed(self, body: bytes) -> None:
        """Take in a part of the answer. Raises ProtocolViolation."""
        first, newline, rest = body.partition(b"\n")
        self._partial.append(first)
        self._partial_bytes += len(first)
        while newline:
            self._complete()
            first, newline, rest = rest.partition(b"\n")
            self._partial = [first]
            self._partial_bytes = len(first)
        if self._partial_bytes > self._line_bytes:
            self._refuse()
        if self._held > HELD_BYTES and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._news.set()

    def end(self) -> None:
        """The answer is over, or broken off: nothing more comes."""
        if 0 < self._partial_bytes <= self._line_bytes:
            self._complete()
            self._partial, self._partial_bytes = [], 0
        self._news.set()

    def take(self) -> bytes | None:
        """The next line, None when there is none yet."""
        if not self._lines:
            return None
        line = self._lines.popleft()
        self._held -= len(line)
        if self._paused and self._held <= HELD_BYTES // 2 and self._transport is not None:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return line

    async def news(self, timeout_s: float) -> None:
        """Return when something has come, or the end. Raises ChannelTimeout."""
        self._news.clear()
        try:
            async with asyncio.timeout(max(0.0, timeout_s)):
                await self._news.wait()
        except TimeoutError:
            raise ChannelTimeout("The runtime did not end its answer in time.") from None

    def _complete(self) -> None:
        if self._partial_bytes > self._line_bytes:
            self._refuse()
        line = b"".join(self._partial)
        if line:
            self._lines.append(line)
            self._held += len(line)

    def _refuse(self) -> None:
        raise ProtocolViolation(f"A line of the answer is larger than the {self._line_bytes} bytes that are allowed.")
