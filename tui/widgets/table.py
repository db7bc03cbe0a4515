"""A table of live rows: keeps its cursor on a key while rows move, and repaints only the cells that changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.model.cell import Cell, Column
from tui.model.format import fit
from tui.widgets.cells import style_of

Line = tuple[tuple[Cell, ...], str]
"""What stands on a line: its cells and what the line as a whole is (`cursor`, `marked`, `head`, …)."""


class Table(ScrollView, can_focus=True):
    """`show` says which rows there are, in order; `read` gives the cells of one. Only visible rows are read."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--head", "table--cursor", "table--marked"}
    DEFAULT_CSS = """
    Table { height: 1fr; width: 1fr; scrollbar-size-horizontal: 0; scrollbar-size-vertical: 1;
        & > .table--head { text-style: bold; background: $panel; }
        & > .table--cursor { background: $primary-muted; text-style: bold; }
        & > .table--marked { background: $warning-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False),
        Binding("home,g", "move(-1000000)", "First row", show=False),
        Binding("end,G", "move(1000000)", "Last row", show=False),
        Binding("enter", "open", "Open"),
    ]

    @dataclass
    class Told(Message):
        """What a table tells of itself."""

        table: Table

        @property
        def control(self) -> Table:
            """For Textual's `on`."""
            return self.table

    @dataclass
    class Opened(Told):
        """Enter, or a double click."""

        key: str

    @dataclass
    class Moved(Told):
        """The cursor is on another row; None when there is none."""

        key: str | None

    @dataclass
    class HeadClicked(Told):
        """A click on the head of a column."""

        column: str

    def __init__(self, read: Callable[[str], Sequence[Cell]], *, id: str | None = None) -> None:  # noqa: A002  # Textual's
        super().__init__(id=id)
        self._read = read
        self._columns: list[Column] = []
        self._keys: list[str] = []
        self._places: dict[str, int] = {}
        self._cursor: str | None = None
        self._drawn: dict[int, Line] = {}
        self._styles: dict[tuple[str, str], Style] = {}
        self.marked: set[str] = set()
        self.sorted_by: tuple[str, bool] | None = None

    @property
    def cursor(self) -> str | None:
        """The key of the row under the cursor."""
        return self._cursor

    @property
    def keys(self) -> Sequence[str]:
        """The keys of all rows, in order."""
        return self._keys

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns, or other widths: all is painted anew."""
        if list(columns) != self._columns:
            self._columns = list(columns)
            self._drawn.clear()
            self.refresh()

    def show(self, keys: Sequence[str]) -> None:
        """These rows, in this order. The cursor stays on its row; where that is gone, on the one now in its place."""
        before = self._places.get(self._cursor) if self._cursor is not None else None
        if list(keys) != self._keys:
            self._keys = list(keys)
            self._places = {key: at for at, key in enumerate(self._keys)}
            self.virtual_size = Size(0, len(self._keys) + 1)
        if self._cursor not in self._places:
            self._put(self._keys[min(before or 0, len(self._keys) - 1)] if self._keys else None)
        elif before is not None and before != self._places[self._cursor]:
            self._follow(before)
        self.update()

    def select(self, key: str) -> None:
        """Put the cursor on a row and bring it into view."""
        if key in self._places:
            self._put(key)
            self._reveal()
            self.update()

    def update(self) -> None:
        """Read what can be seen again, and repaint the cells that became different."""
        for y in range(self.size.height):
            line, drawn = self._line(y), self._drawn.get(y)
            if drawn is None or line == drawn:
                continue
            if line[1] != drawn[1] or len(line[0]) != len(drawn[0]):
                self.refresh(Region(0, y, self.size.width, 1))
                continue
            at = 0
            for column, new, old in zip(self._columns, line[0], drawn[0], strict=False):
                if new != old:
                    self.refresh(Region(at, y, column.width, 1))
                at += column.width + 1

    def action_move(self, step: int) -> None:
        """So many rows down."""
        if self._keys:
            at = self._places.get(self._cursor or "", 0) + step
            self.select(self._keys[min(max(at, 0), len(self._keys) - 1)])

    def action_page(self, step: int) -> None:
        """So many pages down."""
        self.action_move(step * max(self.size.height - 2, 1))

    def action_open(self) -> None:
        """Say that the row under the cursor is wanted."""
        if self._cursor is not None:
            self.post_message(self.Opened(self, self._cursor))

    def on_click(self, event: events.Click) -> None:
        """The first click selects, the second opens."""
        place = event.get_content_offset(self)
        if place is None:
            return
        if place.y == 0:
            at = 0
            for column in self._columns:
                if at <= place.x <= at + column.width:
                    self.post_message(self.HeadClicked(self, column.key))
                    return
                at += column.width + 1
            return
        row = place.y - 1 + self.scroll_offset.y
        if row < len(self._keys):
            self.select(self._keys[row])
            if event.chain > 1:
                self.action_open()

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        self._styles.clear()

    def render_line(self, y: int) -> Strip:
        """Textual asks for its lines one by one."""
        line = self._drawn[y] = self._line(y)
        cells, kind = line
        parts = [
            # The gap has the style of its cell: neighbours of one style become one piece, and one escape sequence.
            Segment(fit(cell.text, column.width, right=column.right) + " ", self._style(kind, cell.style))
            for column, cell in zip(self._columns, cells, strict=False)
        ]
        return Strip(parts).adjust_cell_length(self.size.width, self._style(kind, "")).simplify()

    def _line(self, y: int) -> Line:
        if y == 0:
            return tuple(Cell(self._title(column)) for column in self._columns), "head"
        at = y - 1 + self.scroll_offset.y
        if at >= len(self._keys):
            return (), ""
        key = self._keys[at]
        kind = "cursor" if key == self._cursor else "marked" if key in self.marked else ""
        return tuple(self._read(key)), kind

    def _title(self, column: Column) -> str:
        if self.sorted_by is None or self.sorted_by[0] != column.key:
            return column.title
        return fit(column.title, min(len(column.title), column.width - 1)) + ("▼" if self.sorted_by[1] else "▲")

    def _style(self, kind: str, name: str) -> Style:
        """Looked up once for each theme: finding a style costs more than painting with it."""
        found = self._styles.get((kind, name))
        if found is None:
            base = self.rich_style
            if kind:
                base += self.get_component_rich_style(f"table--{kind}", partial=True)
            found = self._styles[kind, name] = style_of(self, name, base)
        return found

    def _put(self, key: str | None) -> None:
        if key != self._cursor:
            self._cursor = key
            self.post_message(self.Moved(self, key))

    def _follow(self, before: int) -> None:
        """The row moved: it stays in view if it was."""
        if self.scroll_offset.y <= before < self.scroll_offset.y + self.size.height - 1:
            self._reveal()

    def _reveal(self) -> None:
        at, first, room = self._places[self._cursor or ""], self.scroll_offset.y, max(self.size.height - 1, 1)
        if at < first:
            self.scroll_to(y=at, animate=False, immediate=True)
        elif at >= first + room:
            self.scroll_to(y=at - room + 1, animate=False, immediate=True)
