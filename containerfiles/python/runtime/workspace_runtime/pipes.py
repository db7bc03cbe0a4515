"""Descriptors 1 and 2 of a plugin's process: what came past Python's streams."""

from __future__ import annotations

import os
from collections.abc import Callable

from workspace_runtime.loop import READ, Loop

_PIECE = 256 * 1024


class Pipes:
    """`fds` are the ends to read from, with the name of each; `printed(name, text)` gets what comes. It is always read,
    so that no pipe fills up under a plugin; whether it is kept is not decided here."""

    def __init__(self, fds: dict[int, str], loop: Loop, printed: Callable[[str, str], None]) -> None:
        self._fds = fds
        self._loop = loop
        self._printed = printed
        for fd in fds:
            loop.add(fd, READ, lambda _events, fd=fd: self._ready(fd))  # type: ignore[misc]

    def drain(self) -> None:
        """Take what is there now: at most what a pipe holds."""
        for fd in list(self._fds):
            self._ready(fd)

    def close(self) -> None:
        """Idempotent."""
        for fd in list(self._fds):
            self._close(fd)

    def _ready(self, fd: int) -> None:
        try:
            came = os.read(fd, _PIECE)
        except BlockingIOError:
            return
        except OSError:
            came = b""
        if came:
            self._printed(self._fds[fd], came.decode(errors="replace").removesuffix("\n"))
        else:
            self._close(fd)

    def _close(self, fd: int) -> None:
        if self._fds.pop(fd, None) is not None:
            self._loop.remove(fd)
            os.close(fd)
