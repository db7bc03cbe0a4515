"""What a plugin prints through Python's own streams and `logging`, told to the runtime as it is printed. What is
written to descriptors 1 and 2 past them (os.write, C code, child processes) comes to it through pipes.

Past the cap a print costs next to nothing: nothing is sent. The runtime counts again, exactly.
"""

from __future__ import annotations

import io
import sys

from workspace_runtime.child.channel import Channel
from workspace_runtime.frames import LEVELS, LOG, STDERR, STDOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ENTRY_LEAST = 30  # what an entry costs at least, besides its message
_PENDING_MOST = 8192


class Logs:
    """Sends entries of the execution under way."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._seq = 0
        self._room = -1  # nothing is taken between executions: it belongs to nobody
        self.streams: list[Stream] = []

    @property
    def full(self) -> bool:
        """Whether what is added now is dropped."""
        return self._room < 0

    def begin(self, seq: int, cap: int) -> None:
        """An execution begins."""
        self._seq, self._room = seq, cap

    def end(self) -> None:
        """It is over."""
        self.flush()
        self._room = -1

    def flush(self) -> None:
        """Send lines that are not ended."""
        for stream in self.streams:
            stream.flush()

    def add(self, level: int, message: str) -> None:
        """One entry."""
        if self._room < 0:
            return
        # One character more than there is room for tells the runtime that something was cut.
        text = message[: self._room + 1].encode(errors="replace")
        self._room -= len(text) + _ENTRY_LEAST
        self._channel.send(LOG, self._seq, bytes((level,)) + text)


class Stream(io.TextIOBase):
    """sys.stdout or sys.stderr: each write that ends a line ends an entry."""

    def __init__(self, logs: Logs, level: int, fd: int) -> None:
        self._logs = logs
        self._level = level
        self._fd = fd
        self._pending: list[str] = []
        self._size = 0
        self._buffer: io.BufferedIOBase | io.RawIOBase | None = None

    @property
    def buffer(self) -> io.RawIOBase | io.BufferedIOBase:
        """Bytes go to the descriptor itself."""
        if self._buffer is None:
            self._buffer = io.FileIO(self._fd, "wb", closefd=False)
        return self._buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As everywhere here."""
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """What cannot be encoded becomes a question mark."""
        return "replace"

    def fileno(self) -> int:
        return self._fd

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._logs.full:
            return len(text)
        ended = text.endswith("\n")
        self._pending.append(text)
        self._size += len(text)
        if ended or self._size > _PENDING_MOST:
            self._send(ended)
        return len(text)

    def flush(self) -> None:
        if self._pending:
            self._send(ended=False)

    def _send(self, ended: bool) -> None:
        text = "".join(self._pending)
        self._pending.clear()
        self._size = 0
        self._logs.add(self._level, text[:-1] if ended else text)


def capture_output(channel: Channel) -> Logs:
    """Point the streams at the runtime."""
    logs = Logs(channel)
    for name, level, fd in (("stdout", STDOUT, 1), ("stderr", STDERR, 2)):
        stream = Stream(logs, level, fd)
        logs.streams.append(stream)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    return logs


def capture_logging(logs: Logs) -> None:
    """Records of `logging` that no handler of the plugin's takes keep their level."""
    logging: Any = sys.modules.get("logging")
    if logging is None or getattr(logging.lastResort, "wsmgr", False):
        return

    class LastResort(logging.Handler):  # type: ignore[misc]
        wsmgr = True

        def emit(self, record: Any) -> None:
            logs.add(_level_of(record.levelno), self.format(record))

    logging.lastResort = LastResort()


def _level_of(number: int) -> int:
    name = "error" if number >= 40 else "warn" if number >= 30 else "info" if number >= 20 else "debug"
    return LEVELS.index(name)
