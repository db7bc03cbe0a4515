"""`wsmgr tui` on a terminal of its own: types, reads the screen, counts bytes."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import pyte

TREE = Path(__file__).resolve().parents[2]


class Terminal:
    """One run of the program on a pseudo terminal, ended with the `with` block. `program`: another one of Python's."""

    def __init__(
        self,
        arguments: list[str],
        environ: Mapping[str, str],
        size: tuple[int, int] = (80, 24),
        *,
        program: Sequence[str] = ("-m", "wsmgr.cli"),
    ) -> None:
        columns, lines = size
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.received = 0
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=TREE, start_new_session=True,
            env={**environ, "PATH": os.environ["PATH"], "PYTHONPATH": str(TREE), "TERM": "xterm-256color",
                 "LANG": "C.UTF-8", "COLORTERM": "truecolor"},
        )  # fmt: skip
        os.close(theirs)

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def press(self, keys: str) -> None:
        """As a person would."""
        os.write(self._ours, keys.encode())

    def hang_up(self, seconds: float = 30.0) -> int:
        """As when a connection breaks; the program's exit code. Raises TimeoutExpired."""
        os.close(self._ours)
        self._ours = -1
        return self.process.wait(seconds)

    def read(self, seconds: float) -> int:
        """Take in what comes within so many seconds; how many bytes it was."""
        before, end = self.received, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self._ours], [], [], left)[0] or not self._take():
                break
        return self.received - before

    def until(self, true: Callable[[str], bool], seconds: float = 30.0) -> float:
        """Read until the screen shows what is wanted; how many seconds that took. Raises AssertionError."""
        began = time.monotonic()
        while not true(self.text):
            left = began + seconds - time.monotonic()
            if left <= 0 or (select.select([self._ours], [], [], left)[0] and not self._take()):
                raise AssertionError(f"This is not what was waited for:\n{self.text}")
        return time.monotonic() - began

    def ended(self, seconds: float = 30.0) -> int:
        """Read until the program has ended, which it cannot while nobody reads what it still says; its exit code."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and (left := end - time.monotonic()) > 0:
            self.read(min(left, 0.1))
        return self.process.wait(1)

    def cpu_s(self) -> float:
        """Seconds of one core that the program used."""
        used = psutil.Process(self.process.pid).cpu_times()
        return used.user + used.system

    def _take(self) -> bool:
        try:
            chunk = os.read(self._ours, 65_536)
        except OSError:
            # The program ended and with it the other end.
            return False
        self.received += len(chunk)
        self._stream.feed(chunk)
        return bool(chunk)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        if self._ours >= 0:
            os.close(self._ours)
