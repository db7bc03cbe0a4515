"""Where the lines of the log tab come from: what plugins print, or what the runtime itself writes."""

from __future__ import annotations

from typing import Any, Protocol

from tui.model.logs import Tail
from tui.model.prints import NO_TIME, Prints
from wsmgr.client import operations
from wsmgr.client.operation import Operation

_FIRST, _FOLLOWING = 100, 25
_LINES = 1_000
_MOST_PAGES = 20
"""So far back `since` reaches, in pages of executions."""


class Source(Protocol):
    """Asks for pages, and keeps what came. `name` stands over the lines."""

    name: str
    loaded: bool

    def reach(self) -> None:
        """Another `since` is wanted: look further back with the next page."""
        ...

    def ask(self, older: str | None) -> Operation[Any]:
        """The newest page, or an older one."""
        ...

    def take(self, page: Any, since: float) -> str | None:
        """Keep what came; the cursor of an older page that is wanted as well to reach back to `since`."""
        ...

    def lines(self, since: float) -> list[tuple[str, str]]:
        """Keys and lines, oldest first."""
        ...

    @property
    def remark(self) -> str:
        """What has to be said of them; empty when nothing has."""
        ...


class PluginLines:
    """From the records of executions."""

    name = "WHAT PLUGINS PRINT"

    def __init__(self, key: str) -> None:
        self._key = key
        self._prints = Prints()
        self._pages = 0
        self._reaching = True
        self.loaded = False

    def reach(self) -> None:
        """Another `since` is wanted."""
        self._reaching = True

    def ask(self, older: str | None) -> Operation[Any]:
        """Few records once many are known."""
        many = _FIRST if older or self._reaching else _FOLLOWING
        return operations.executions(self._key, limit=many, before=older)

    def take(self, page: Any, since: float) -> str | None:
        """Older pages are wanted while there is a hole before what was known, or `since` is not reached."""
        hole = not self._prints.take(page.items) and self.loaded and bool(page.items)
        self.loaded = True
        self._pages += 1
        far = self._reaching and since < self._prints.oldest
        if page.next is not None and self._pages < _MOST_PAGES and (hole or far):
            return str(page.next)
        self._pages, self._reaching = 0, False
        return None

    def lines(self, since: float) -> list[tuple[str, str]]:
        """Those of executions that have ended."""
        return [(one.key, one.line) for one in self._prints.since(since)]

    @property
    def remark(self) -> str:
        """Lines that the runtime cut."""
        return "some executions printed more than is kept" if self._prints.cut else ""


class RuntimeLines:
    """The last lines of the runtime; they carry no time."""

    name = "WHAT THE RUNTIME WRITES"

    def __init__(self, key: str) -> None:
        self._key = key
        self._tail = Tail()
        self.loaded = False

    def reach(self) -> None:
        """There is nothing further back."""

    def ask(self, older: str | None) -> Operation[Any]:
        """Always the newest."""
        del older
        return operations.workspace_logs(self._key, lines=_LINES)

    def take(self, page: Any, since: float) -> str | None:
        """There is no older page."""
        del since
        self._tail.take(page.items)
        self.loaded = True
        return None

    def lines(self, since: float) -> list[tuple[str, str]]:
        """All: they have no time to choose by."""
        del since
        return [(str(number), line) for number, line in self._tail.numbered()]

    @property
    def remark(self) -> str:
        """Lines that were not seen."""
        return "some lines came too fast and are missing" if self._tail.missed else ""


SINCE: tuple[tuple[str, float], ...] = (
    ("5m", 300.0), ("15m", 900.0), ("1h", 3_600.0), ("6h", 21_600.0), ("24h", 86_400.0), ("all", -NO_TIME),
)  # fmt: skip
"""How far back, in seconds; `all` is what one page and following have brought."""
