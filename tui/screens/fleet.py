"""The fleet: all workspaces, live."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from tui.actions import Target
from tui.keys import bindings_of
from tui.messages import Copy, Look
from tui.model.cell import Cell, Column, status_cell
from tui.model.columns import SORT_KEYS, FleetColumn, layout
from tui.model.format import printable
from tui.model.sort import Sort
from tui.model.store import Delta
from tui.model.view import View
from tui.screens.page import Page
from tui.session import Session
from tui.widgets.cells import CellLine
from tui.widgets.table import Table

_MARKS = 2
"""Cells before each row: marked by the operator, and changed a short while ago."""


class FleetScreen(Page):
    """Filter, sort and marks live here; rows in the session's store."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", priority=True),
        Binding("less_than_sign", "sort(-1)", "Sort"),
        Binding("greater_than_sign", "sort(1)", "Sort"),
        *bindings_of("workspace"),
        Binding("space", "mark", "Mark"),
        Binding("i", "invert", "Invert the order", show=False),
        Binding("asterisk", "mark_all", "Mark all shown", show=False),
        Binding("y", "copy", "Copy id", show=False),
        Binding("escape", "clear", "Clear marks, then the filter", show=False),
        Binding("q", "app.quit", "Quit", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        memory = session.memory
        self.view = View(session.store, filter_text=memory.filter, sort=Sort(memory.sort, memory.descending))
        self._layout: list[tuple[FleetColumn, Column]] = []

    def body(self) -> Iterable[Widget]:
        """The filter, the table, and the row under the cursor in full."""
        yield Input(self.session.memory.filter, placeholder="text  !not  plan:FREE  status:error  cpu>50", id="filter")
        yield CellLine(id="complaint")
        yield Table(self._read, id="fleet")
        yield CellLine(id="detail")

    def on_mount(self) -> None:
        """The filter of the last run is in force, and seen."""
        self._filter.display = bool(self.view.filter.text)
        self._filter.cursor_blink = False
        self._table.focus()

    @property
    def shown(self) -> int | None:
        """How many rows the filter lets through."""
        return len(self._table.keys) if self.view.filter.text else None

    @property
    def _table(self) -> Table:
        return self.query_one("#fleet", Table)

    @property
    def _filter(self) -> Input:
        return self.query_one("#filter", Input)

    def targets(self) -> list[Target]:
        """The marked rows that are shown, else the one under the cursor."""
        table, store = self._table, self.session.store
        chosen: Sequence[str] = [key for key in table.keys if key in table.marked]
        if not chosen and table.cursor is not None:
            chosen = [table.cursor]
        rows = [store.get(key) for key in chosen]
        return [Target(row.id, row.status) for row in rows if row is not None]

    def told(self, delta: Delta) -> None:
        """Rows came, went or changed, or time went by."""
        table = self._table
        self._layout = layout(table.size.width - _MARKS - 1)
        table.marked -= delta.removed
        table.sorted_by = (self.view.sort.key, self.view.sort.descending)
        table.set_columns([Column("marks", "", _MARKS - 1), *(column for _, column in self._layout)])
        table.show(self.view.keys(self.session.clock()))
        self._tell_detail()
        self._tell_complaint()

    def _read(self, key: str) -> Sequence[Cell]:
        row, now = self.session.store.get(key), self.session.clock()
        if row is None:
            return ()
        mark = (
            Cell("+", "key") if key in self._table.marked else Cell("•", "warm") if self._is_new(key, now) else Cell("")
        )
        return [mark, *(one.cell(row, now, column.width) for one, column in self._layout)]

    def _is_new(self, key: str, now: float) -> bool:
        return self.session.store.is_marked(key, now)

    def _tell_detail(self) -> None:
        row, width = self.session.store.get(self._table.cursor), self.size.width
        marked = len(self._table.marked)
        cells = [(Cell(f" {marked} marked ", "key"), 12)] if marked else [(Cell(""), 1)]
        if row is not None:
            status = status_cell(row.status)
            id_wide = min(len(row.id), width // 2)
            cells += [(Cell(row.id, "id"), id_wide), (Cell(""), 2), (status, 12)]
            cells.append((Cell(printable(row.reason)), max(width - sum(wide for _, wide in cells), 0)))
        elif self.session.link.heard_at is None:
            cells.append((Cell("Waiting for the daemon.", "dim"), width - 1))
        else:
            empty = "No workspace matches the filter." if len(self.session.store) else _NONE_YET
            cells.append((Cell(empty, "dim"), width - 1))
        self.query_one("#detail", CellLine).show(cells)

    def _tell_complaint(self) -> None:
        line = self.query_one("#complaint", CellLine)
        line.display = bool(self.view.complaint)
        line.show([(Cell(f" {self.view.complaint}", "bad"), self.size.width)])

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        self.view.set_filter(event.value)
        self._remember()

    @on(Input.Submitted, "#filter")
    def _entered(self) -> None:
        self._filter.display = bool(self._filter.value.strip())
        self._table.focus()

    @on(Table.HeadClicked, "#fleet")
    def _head_clicked(self, event: Table.HeadClicked) -> None:
        if event.column in SORT_KEYS:
            self.sort_by(event.column)

    @on(Table.Opened, "#fleet")
    def _opened(self, event: Table.Opened) -> None:
        self.post_message(Look(event.key))

    @on(Table.Moved, "#fleet")
    def _moved(self) -> None:
        self._tell_detail()

    def sort_by(self, key: str) -> None:
        """By a column; by the present one: the other way."""
        self.view.sort = self.view.sort.by(key)
        self._remember()

    def action_sort(self, step: int) -> None:
        """By the next or the previous column that is shown."""
        keys = [one.key for one, _ in self._layout] or SORT_KEYS
        self.view.sort = self.view.sort.beside(step, keys)
        self._remember()

    def action_invert(self) -> None:
        """The other way."""
        self.view.sort = self.view.sort.inverted()
        self._remember()

    def action_filter(self) -> None:
        """Type a filter."""
        # At once: what was typed in the same breath is the filter's, and no key of an action.
        self._filter.display = True
        self.set_focus(self._filter)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A slash within the filter is a letter of it."""
        return super().check_action(action, parameters) and not (action == "filter" and self.focused is self._filter)

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor, and go on to the next."""
        if (key := self._table.cursor) is not None:
            self._table.marked ^= {key}
            self._table.action_move(1)
            self._changed()

    def action_mark_all(self) -> None:
        """Mark all rows that are shown, or none when all were."""
        keys = set(self._table.keys)
        self._table.marked = set() if keys <= self._table.marked else keys
        self._changed()

    def action_clear(self) -> None:
        """Take back the last narrowing: leave the filter's line, then the marks, then the filter."""
        if self._filter.has_focus:
            self._entered()
        elif self._table.marked:
            self._table.marked = set()
        else:
            self._filter.value = ""
            self._filter.display = False
        self._changed()

    def action_copy(self) -> None:
        """The id under the cursor, to the clipboard."""
        if self._table.cursor is not None:
            self.post_message(Copy(self._table.cursor))

    def _remember(self) -> None:
        memory, sort = self.session.memory, self.view.sort
        memory.filter, memory.sort, memory.descending = self.view.filter.text, sort.key, sort.descending
        self._changed()

    def _changed(self) -> None:
        self.refresh_all()


_NONE_YET = "No workspace yet: the first call for a user makes one (`wsmgr demo FILE` tries it)."
