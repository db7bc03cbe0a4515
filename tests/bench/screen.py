"""The terminal UI on a pseudo terminal, against a fake daemon in a process of its own: bytes, CPU, waiting.

Each second a fifth of the workspaces change, as under a daemon that looks at each one every 5 s.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tui.terminal import TREE, Terminal

_SETTLE_S, _LOOK_S = 5.0, 10.0
"""By then the program has loaded what its first rows did not need."""
_KEYS = 100
_STARTS = 7
_EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("nothing")
Empty().run()
"""


@contextmanager
def _fleet(count: int, changes: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wsm-") as place:
        socket = Path(place) / "s"
        daemon = subprocess.Popen(
            [sys.executable, "-m", "tests.tui.socket_daemon", str(socket), str(count), str(changes)], cwd=TREE
        )
        try:
            while not socket.exists():
                time.sleep(0.02)
            yield socket
        finally:
            daemon.terminate()
            daemon.wait(30)


def _terminal(socket: Path, size: tuple[int, int]) -> Terminal:
    return Terminal(["--socket", str(socket), "tui"], {"HOME": str(socket.parent), "TZ": "UTC"}, size)


def main() -> None:
    """Print each, as it comes."""
    for line in measure():
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def measure() -> Iterator[str]:
    """One line for each figure."""
    for count in (100, 1000):
        with _fleet(count, count // 5) as socket:
            yield from _starts(socket, count)
            for size in ((80, 24), (120, 40)):
                yield _steady(socket, count, size)
            yield from _waits(socket, count)
    for changes, name in ((0, "at rest"), (1, "one workspace changes each second")):
        with _fleet(100, changes) as socket:
            for size in ((80, 24), (120, 40)):
                yield f"tui, 100 workspaces, {name}, {_named(size)}: {_rate(socket, size):.0f} B/s"


def _starts(socket: Path, count: int) -> Iterator[str]:
    ours, empty = [], []
    for _ in range(_STARTS):
        with _terminal(socket, (80, 24)) as terminal:
            terminal.until(lambda text: "u0000" in text and "● live" in text)
            ours.append(time.monotonic() - terminal.began)
        with Terminal(["-c", _EMPTY], {"HOME": str(socket.parent)}, program=()) as terminal:
            terminal.until(lambda text: "nothing" in text)
            empty.append(time.monotonic() - terminal.began)
    own, least = statistics.median(ours), statistics.median(empty)
    yield (
        f"tui, {count} workspaces: first rows {own * 1000:.0f} ms, best {min(ours) * 1000:.0f} (median of {_STARTS}): "
        f"{own / least:.2f} times the first frame of an empty Textual app ({least * 1000:.0f} ms)"
    )


def _steady(socket: Path, count: int, size: tuple[int, int]) -> str:
    with _terminal(socket, size) as terminal:
        terminal.until(lambda text: "u0000" in text)
        terminal.read(_SETTLE_S)
        before = terminal.cpu_s()
        rate = terminal.read(_LOOK_S) / _LOOK_S
        share = (terminal.cpu_s() - before) / _LOOK_S
    return (
        f"tui, {count} workspaces, a fifth changes each second, {_named(size)}: {rate:.0f} B/s, {share:.1%} of a core"
    )


def _rate(socket: Path, size: tuple[int, int]) -> float:
    with _terminal(socket, size) as terminal:
        terminal.until(lambda text: "u0000" in text)
        terminal.read(_SETTLE_S)
        return terminal.read(_LOOK_S) / _LOOK_S


def _waits(socket: Path, count: int) -> Iterator[str]:
    with _terminal(socket, (120, 40)) as terminal:
        terminal.until(lambda text: "u0000" in text)
        terminal.read(_SETTLE_S)
        times = []
        for number in range(_KEYS):
            foot = _foot(terminal.text)
            terminal.press("j" if number % 40 < 20 else "k")
            times.append(terminal.until(lambda text, foot=foot: _foot(text) != foot))  # type: ignore[misc]
        times.sort()
        yield (
            f"tui, {count} workspaces: key to screen p50 {times[len(times) // 2] * 1000:.0f} ms, "
            f"p99 {times[int(len(times) * 0.99) - 1] * 1000:.0f} ms"
        )
        terminal.press("\r")
        terminal.until(lambda text: "Network/s" in text and "11:15" in text)
        terminal.read(_SETTLE_S)
        terminal.press("4")
        # The axis of 24 hours has an evening; that of one hour has none.
        yield f"tui: another range of the graphs {terminal.until(lambda text: '18:00' in text) * 1000:.0f} ms"


def _foot(text: str) -> str:
    """The line with the workspace under the cursor."""
    return text.split("\n")[-2]


def _named(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


if __name__ == "__main__":
    main()
