"""The plugin's end of the socket to the runtime. Everything it uses was taken before plugin code ran."""

from __future__ import annotations

import os
from os import read as _read
from os import write as _write

from workspace_runtime.frames import HEAD

_PIECE = 1024 * 1024


class Channel:
    """Blocking. `fd` is closed in processes that the plugin forks: they cannot speak for it."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.owned = True

    def disown(self) -> None:
        """In a forked process."""
        if self.owned:
            self.owned = False
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, self._fd, inheritable=False)
            os.close(null)

    def send(self, kind: int, seq: int, payload: bytes = b"") -> None:
        """One frame. A runtime that has gone ends the process."""
        view = memoryview(HEAD.pack(kind, seq, len(payload)) + payload)
        try:
            while view:
                view = view[_write(self._fd, view) :]
        except OSError:
            os._exit(0)

    def receive(self) -> tuple[int, int, bytes]:
        """The next frame; at the end of all it ends the process."""
        kind, seq, length = HEAD.unpack(self._exactly(HEAD.size))
        return kind, seq, self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        parts = []
        while count:
            try:
                part = _read(self._fd, min(count, _PIECE))
            except OSError:
                part = b""
            if not part:
                os._exit(0)
            parts.append(part)
            count -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)
