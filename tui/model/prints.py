"""What plugins print, taken from the records of their executions: each line once, in the order in which it came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tui.model.format import printable
from tui.model.logs import KEPT
from wsmgr.wire.execution import Execution

NO_TIME = float("-inf")


@dataclass(frozen=True, slots=True, order=True)
class Print:
    """`at` in seconds since the epoch; `number`: its place within its execution."""

    at: float
    execution: str
    number: int
    plugin: str = ""
    level: str = ""
    text: str = ""

    @property
    def key(self) -> str:
        """Stays with the line."""
        return f"{self.execution} {self.number}"

    @property
    def line(self) -> str:
        """As it is shown, saved and copied."""
        moment = datetime.fromtimestamp(self.at).astimezone()
        return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03} {self.plugin} {self.level:<5} {self.text}"


class Prints:
    """The newest `KEPT` lines. An execution tells its lines when it has ended."""

    def __init__(self) -> None:
        self._ended: set[str] = set()
        self._lines: list[Print] = []
        self.oldest = float("inf")
        self.cut = False

    def take(self, executions: Iterable[Execution]) -> bool:
        """Join a page of records; whether one of them was known before, so that nothing is missing between."""
        known, new = False, False
        for one in executions:
            self.oldest = min(self.oldest, one.created_at.timestamp())
            if one.id in self._ended:
                known = True
            elif one.state != "running":
                self._ended.add(one.id)
                self.cut = self.cut or one.logs_truncated
                self._lines += _prints(one)
                new = True
        if new:
            self._lines.sort()
            del self._lines[:-KEPT]
        return known

    def since(self, moment: float) -> list[Print]:
        """Those that came at `moment` or later, oldest first."""
        return [one for one in self._lines if one.at >= moment]


def _prints(one: Execution) -> list[Print]:
    began = one.created_at.timestamp() + (one.queue_ms + one.start_ms) / 1000
    return [
        Print(began + entry.t / 1000, one.id, number, printable(one.plugin), printable(entry.level), line)
        for number, (entry, line) in enumerate(
            (entry, printable(part)) for entry in one.logs for part in entry.message.split("\n")
        )
    ]


def holds(line: str, wanted: str) -> bool:
    """Whether a line has all words of a filter; `!word`: not that word."""
    folded = line.casefold()
    return all(
        (word[1:] not in folded) if word.startswith("!") and len(word) > 1 else (word in folded)
        for word in wanted.casefold().split()
    )
