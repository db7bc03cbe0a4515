"""A workspace at a glance: what it may use, and graphs of what it used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical

from tui.feed import fetch
from tui.messages import Back, Fetched, FetchFailed
from tui.model.cell import Cell
from tui.model.series import RANGES, Series, readout, restarts_in, series_of
from tui.session import Session
from tui.widgets.cells import CellLine
from tui.widgets.graph import GraphBox
from wsmgr.client import operations
from wsmgr.wire.usage import Usage, UsageRange

_GRAPHS = 4
_EVERY_S = {"15m": 5.0, "1h": 15.0, "6h": 60.0, "24h": 60.0}
_POINTS = 240


class Overview(Vertical, can_focus=True):
    """Four graphs over one range, with one cursor through all of them."""

    DEFAULT_CSS = "Overview { height: 1fr; } Overview > Grid { grid-size: 2 2; height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"range('{name}')", name) for number, name in enumerate(RANGES, 1)),
        Binding("left", "cursor(-1)", "Cursor"),
        Binding("right", "cursor(1)", "Cursor"),
        Binding("shift+left", "cursor(-20)", "Cursor far left", show=False),
        Binding("shift+right", "cursor(20)", "Cursor far right", show=False),
        Binding("escape", "leave", "Back", show=False),
    ]

    def __init__(self, session: Session, key: str) -> None:
        super().__init__(id="overview")
        self._session = session
        self._key = key
        self._usage: Usage | None = None
        self._series: list[Series] = []
        self._restarts: list[float] = []
        self._asked_at: float | None = None
        self._cursor: int | None = None
        self._problem = ""

    def compose(self) -> ComposeResult:
        """Textual's."""
        yield CellLine(id="readout")
        with Grid():
            yield from self._graphs()

    def _graphs(self) -> Iterable[GraphBox]:
        return [GraphBox(id=f"graph-{number}") for number in range(_GRAPHS)]

    def on_resize(self) -> None:
        """It was laid out: the first time, or anew. Before that there is no width to show anything in."""
        self.call_after_refresh(self.tell)

    @property
    def range(self) -> UsageRange:
        """How far back; remembered across workspaces and runs."""
        return next((name for name in RANGES if name == self._session.memory.range), "1h")

    def tell(self) -> None:
        """Time went by, or something happened."""
        now = self._session.clock()
        due = self._asked_at is None or not 0 <= now - self._asked_at < _EVERY_S[self.range]
        if due and self._session.link.live:
            self._ask()
        self._draw()

    def _ask(self) -> None:
        self._asked_at = self._session.clock()
        operation = operations.workspace_usage(self._key, range=self.range, points=_POINTS)
        self.run_worker(
            fetch(self._session.daemon, operation, self.range, self.post_message), group="usage", exclusive=True
        )

    def on_fetched(self, message: Fetched) -> None:
        """Usage came; of another range than the one now chosen it is dropped."""
        if message.purpose == self.range:
            self._usage, self._problem = message.value, ""
            self._series, self._restarts = series_of(message.value), restarts_in(message.value)
            self._draw()

    def on_fetch_failed(self, message: FetchFailed) -> None:
        """What was drawn stays."""
        self._problem = message.error.sentence
        self._draw()

    def _draw(self) -> None:
        usage = self._usage
        self.query_one("#readout", CellLine).show([(self._readout(), self.size.width)])
        if usage is None:
            return
        cursor = None
        if self._cursor is not None and usage.points:
            cursor = usage.points[min(self._cursor, len(usage.points) - 1)].at.timestamp()
        for number, series in enumerate(self._series):
            graph = self.query_one(f"#graph-{number}", GraphBox)
            graph.show(series, (usage.from_, usage.to), self._restarts, cursor)

    def _readout(self) -> Cell:
        chosen = "  ".join(f"[{name}]" if name == self.range else f" {name} " for name in RANGES)
        if self._problem:
            return Cell(f"{chosen}  {self._problem}", "bad")
        if self._usage is None:
            return Cell(f"{chosen}  Loading …", "dim")
        if not self._usage.points:
            return Cell(f"{chosen}  Nothing was measured in this range.", "dim")
        if self._cursor is None:
            return Cell(f"{chosen}  {self._latest()}")
        at = min(self._cursor, len(self._usage.points) - 1)
        return Cell(f"{chosen}  {readout(self._usage, at)}", "accent")

    def _latest(self) -> str:
        return readout(self._usage, len(self._usage.points) - 1) if self._usage else ""

    def action_range(self, name: str) -> None:
        """Another range. The old graphs stay until the new ones are there."""
        self._session.memory.range = name
        self._cursor = self._asked_at = None
        self.tell()

    def action_cursor(self, step: int) -> None:
        """Move the cursor by so many points; it begins at the newest."""
        if self._usage and self._usage.points:
            last = len(self._usage.points) - 1
            at = last if self._cursor is None else min(self._cursor, last) + step
            self._cursor = min(max(at, 0), last)
            self._draw()

    def action_leave(self) -> None:
        """Put the cursor away, or go back."""
        if self._cursor is None:
            self.post_message(Back())
            return
        self._cursor = None
        self._draw()
