"""The runtime's end of the socket to a plugin's process: frames out, frames in, and never waiting for either."""

from __future__ import annotations

import socket
from collections.abc import Callable

from workspace_runtime.frames import HEAD
from workspace_runtime.loop import READ, WRITE, Loop

_PIECE = 256 * 1024


class Line:
    """`received(kind, seq, payload)` is called with each frame, `most(kind)` says how long one may be, `overlong` and
    `hung_up` are called once. After `close` nothing is."""

    def __init__(
        self,
        sock: socket.socket,
        loop: Loop,
        most: Callable[[int], int],
        received: Callable[[int, int, bytes], None],
        overlong: Callable[[], None],
        hung_up: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._loop = loop
        self._most = most
        self._received = received
        self._overlong = overlong
        self._hung_up = hung_up
        self._came = bytearray()
        self._out = bytearray()
        self._open = True
        self._paused = False
        loop.add(sock.fileno(), READ, self._ready)

    def send(self, data: bytes) -> None:
        """Now, as far as the socket takes it, and the rest later. A process that is on its way out gets nothing."""
        self._out += data
        self._flush()

    def read(self) -> None:
        """Take what has come."""
        while self._open:
            try:
                came = self._sock.recv(_PIECE)
            except BlockingIOError:
                return
            except OSError:
                came = b""
            if not came:
                self._loop.remove(self._sock.fileno())
                self._hung_up()
                return
            self._came += came
            self._frames()
            if len(came) < _PIECE or self._paused:
                return

    def pause(self) -> None:
        """Read no more until `resume`: whoever wants what comes is slower than it comes."""
        self._paused = True
        self._watch()

    def resume(self) -> None:
        """Go on."""
        if self._paused:
            self._paused = False
            self._watch()
            self._frames()

    def close(self) -> None:
        """Idempotent."""
        if self._open:
            self._open = False
            self._loop.remove(self._sock.fileno())
            self._sock.close()

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self._flush()
        if events & ~WRITE:
            self.read()

    def _frames(self) -> None:
        while self._open and len(self._came) >= HEAD.size:
            kind, seq, length = HEAD.unpack_from(self._came)
            if length > self._most(kind):
                self._overlong()
                return
            if len(self._came) < HEAD.size + length:
                return
            payload = bytes(self._came[HEAD.size : HEAD.size + length])
            del self._came[: HEAD.size + length]
            self._received(kind, seq, payload)

    def _flush(self) -> None:
        if not self._open:
            return
        try:
            sent = self._sock.send(self._out) if self._out else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self._out.clear()
            return
        del self._out[:sent]
        self._watch()

    def _watch(self) -> None:
        if self._open:
            reads = 0 if self._paused else READ
            self._loop.change(self._sock.fileno(), reads | WRITE if self._out else reads)
