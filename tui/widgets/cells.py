"""A line of cells that repaints only those that became different: over SSH every byte counts."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.model.cell import Cell
from tui.model.format import fit

STYLES = ("ok", "warm", "hot", "bad", "id", "accent", "key", "title")
_FAINT = 0.45
"""How far a dim text goes from its own colour to that of its ground."""
CLASSES: set[str] = {f"cell--{name}" for name in STYLES}
"""Of the screen, once for all cells on it: Textual works out each of them for each widget that has them."""
CSS = """
    & .cell--ok { color: $text-success; }
    & .cell--warm { color: $text-warning; }
    & .cell--hot { color: $text-error; text-style: bold; }
    & .cell--bad { color: $text-error; text-style: bold; }
    & .cell--id { text-style: bold; }
    & .cell--accent { color: $text-accent; }
    & .cell--key { color: $text-accent; text-style: bold; }
    & .cell--title { color: $text-primary; text-style: bold; }
"""


def style_of(widget: Widget, name: str, base: Style) -> Style:
    """The style of a cell on top of that of its line."""
    if name == "dim":
        return base + _faint(base)
    return base + widget.screen.get_component_rich_style(f"cell--{name}", partial=True) if name else base


def _faint(base: Style) -> Style:
    """Mixed here: terminals differ in what they make of the attribute `dim`, and themes have no such colour."""
    if base.color is None or base.bgcolor is None:
        return Style(dim=True)
    text, ground = base.color.get_truecolor(), base.bgcolor.get_truecolor()
    mixed = (round(one + (other - one) * _FAINT) for one, other in zip(text, ground, strict=True))
    return Style(color=Color.from_rgb(*mixed), bold=False)


class CellLine(Widget):
    """Cells side by side on one line: each as wide as its text, or as wide as was said; what is too long is cut."""

    DEFAULT_CSS = "CellLine { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id, classes=classes)
        self._cells: list[tuple[Cell, int]] = []

    def show(self, cells: Sequence[tuple[Cell, int]]) -> None:
        """Show cells with their widths; repaints what differs."""
        before, self._cells = self._cells, list(cells)
        if before == self._cells:
            return
        at = 0
        for number, one in enumerate(self._cells):
            if [width for _, width in before[: number + 1]] != [width for _, width in self._cells[: number + 1]]:
                self.refresh(Region(at, 0, max(self.size.width - at, 0), 1))
                return
            if before[number] != one:
                self.refresh(Region(at, 0, one[1], 1))
            at += one[1]
        self.refresh(Region(at, 0, max(self.size.width - at, 0), 1))

    @property
    def text(self) -> str:
        """What it says."""
        return "".join(fit(cell.text, width) for cell, width in self._cells)

    def render_line(self, y: int) -> Strip:
        """Textual asks for its lines one by one."""
        base = self.rich_style
        if y:
            return Strip.blank(self.size.width, base)
        parts = [Segment(fit(cell.text, width), style_of(self, cell.style, base)) for cell, width in self._cells]
        return Strip(parts).adjust_cell_length(self.size.width, base).simplify()


def sized(cells: Sequence[Cell]) -> list[tuple[Cell, int]]:
    """Each as wide as its text."""

    return [(cell, cell_len(cell.text)) for cell in cells]
