"""A graph of one quantity over time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.color import Color
from textual.containers import Vertical
from textual.strip import Strip
from textual_plotext import PlotextPlot

from tui.model.cell import Cell
from tui.model.downsample import downsample, segments
from tui.model.series import Series, ticks
from tui.widgets.cells import CellLine, sized

_LABEL = 5
"""Labels of the upright axis are as wide as this, so that graphs stand under each other."""
_COLOURS = {"ok": "success", "warm": "warning", "bad": "error", "accent": "accent", "title": "primary"}

_PIECES = re.compile(r"((?:\x1b\[[0-9;]*m)*)([^\x1b]*)")
"""Of a line of a terminal: what is set by escape sequences, and the text that it holds for."""


@cache
def _style_of(codes: str) -> Style:
    """The style that escape sequences set; there are as many as there are colours."""
    return next((Style.parse(str(span.style)) for span in Text.from_ansi(f"{codes}x").spans), Style.null())


class GraphBox(Vertical):
    """A graph under a line that says what is drawn in which colour, and what it came to last."""

    DEFAULT_CSS = "GraphBox { height: 1fr; padding: 0 1; }"

    def compose(self) -> ComposeResult:
        """Textual's."""
        yield CellLine()
        yield Graph()

    def show(
        self, series: Series, span: tuple[datetime, datetime], restarts: Sequence[float], cursor: float | None
    ) -> None:
        """Draw a series over a span of time."""
        cells = [Cell(f"{series.title}  ", "title")]
        for line in series.lines:
            cells += [Cell("━ ", line.style), Cell(f"{line.name} {series.write(line.last)}  ")]
        if not series.measured:
            cells = [cells[0], Cell("not measured", "dim")]
        self.query_one(CellLine).show(sized(cells))
        self.query_one(Graph).show(series, span, restarts, cursor)


class Graph(PlotextPlot):
    """`show` gives what is drawn; nothing is drawn anew when it is the same. A line breaks where nothing was measured;
    restarts are dashed uprights, the cursor is a full one."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._shown: tuple[object, ...] = ()
        self._strips: list[Strip] = []
        self._built_from: tuple[object, ...] = ()

    def show(
        self, series: Series, span: tuple[datetime, datetime], restarts: Sequence[float], cursor: float | None
    ) -> None:
        """Draw a series over a span of time."""
        shown = (series.title, series.lines, series.limit, span, tuple(restarts), cursor, self.size, self.app.theme)
        if shown == self._shown or not self.size.width:
            return
        self._shown = shown
        plot: Any = self.plt
        plot.clear_figure()
        # The frame and the labels of the axis take about 8 cells.
        room = max(self.size.width - 8, 10)
        top = series.top
        for line in series.lines:
            points = downsample(line.points, room // 2)
            for part in segments(points):
                xs, ys = [at for at, _ in part], [value for _, value in part]
                plot.plot(xs, ys, marker="braille", color=self._colour(line.style))
        if series.limit and series.limit < top * 4:
            plot.hline(series.limit, color=self._colour("bad"))
            top = max(top, series.limit)
        for at in restarts:
            plot.vline(at, color=self._colour("warm"))
        if cursor is not None:
            plot.vline(cursor, color=self._colour("accent"))
        self._axes(plot, series, span, top * 1.05 or 1.0)
        self.refresh()

    def on_unmount(self) -> None:
        """The base class subscribes by a function that holds the widget; such a subscriber is kept for ever."""
        self.app.theme_changed_signal.unsubscribe(self)

    def render_line(self, y: int) -> Strip:
        """Textual asks for its lines one by one."""
        built_from = (self._shown, self.size, self.app.theme)
        if built_from != self._built_from:
            self._built_from = built_from
            self._strips = list(self._build())
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def _build(self) -> Iterator[Strip]:
        """What plotext made, line by line. Rich and Textual could read it too, in twice the time of all the rest."""
        plot: Any = self.plt
        plot.plotsize(self.size.width, self.size.height)
        plot.theme(self._get_plotext_theme_name(self.app.theme))
        base = self.rich_style
        for line in plot.build().splitlines():
            parts = [Segment(text, base + _style_of(codes)) for codes, text in _PIECES.findall(line) if text]
            yield Strip(parts).adjust_cell_length(self.size.width, base)

    def _axes(self, plot: Any, series: Series, span: tuple[datetime, datetime], top: float) -> None:
        start, end = span
        plot.xlim(start.timestamp(), end.timestamp())
        plot.ylim(0, top)
        at, labels = ticks(start, end)
        if self.size.width < 50:
            at, labels = at[::2], labels[::2]
        plot.xticks(at, labels)
        heights = [0, top / 2, top] if self.size.height >= 8 else [0, top]
        plot.yticks(heights, [f"{series.write(height):>{_LABEL}}" for height in heights])
        plot.xaxes(True, False)
        plot.yaxes(True, False)

    def _colour(self, style: str) -> tuple[int, int, int]:
        told = self.app.theme_variables.get(_COLOURS.get(style, "foreground"), "#888888")
        return Color.parse(told).rgb
