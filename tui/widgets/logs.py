"""The log of a workspace, live: follow, search, filter, since, save, copy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from tui.feed import fetch
from tui.files import save
from tui.messages import Back, Copy, Fetched, FetchFailed, Say
from tui.model.cell import Cell, Column
from tui.model.format import plural
from tui.model.prints import holds
from tui.screens.ask import AskLine, Read
from tui.session import Session
from tui.widgets.cells import CellLine
from tui.widgets.loglines import SINCE, PluginLines, RuntimeLines, Source
from tui.widgets.table import Table

_EVERY_S = 1.0


class Logs(Vertical):
    """While it follows, the cursor stays on the newest line; moving it up stops that."""

    DEFAULT_CSS = "Logs { height: 1fr; } Logs > Input { display: none; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow"),
        Binding("slash", "filter", "Filter", priority=True),
        Binding("n", "next", "Next match"),
        Binding("z", "search", "Search", show=False, tooltip="Ask for a text, and go to the next line that has it."),
        Binding("b", "since", "Since"),
        Binding("r", "source", "Plugins/runtime"),
        Binding("w", "save", "Save"),
        Binding("y", "copy", "Copy"),
        Binding("escape", "clear", "Clear", show=False),
    ]

    def __init__(self, session: Session, key: str) -> None:
        super().__init__(id="logs")
        self._session = session
        self._key = key
        self._sources: list[Source] = [PluginLines(key), RuntimeLines(key)]
        self._following = True
        self._asked_at: float | None = None
        self._since = 1
        self._problem = ""
        self._texts: dict[str, str] = {}
        self._sought = ""

    def compose(self) -> ComposeResult:
        """Textual's."""
        yield Input(placeholder="text  !not")
        yield Table(self._read)
        yield CellLine()

    def on_mount(self) -> None:
        """A cursor that blinks would send bytes for nothing."""
        self.query_one(Input).cursor_blink = False

    def on_resize(self) -> None:
        """It was laid out: the first time, or anew. Before that there is no width to show anything in."""
        self.call_after_refresh(self.tell)

    def tell(self) -> None:
        """Time went by, or something happened."""
        if not self.is_mounted or self._table.size.width == 0:
            return
        now = self._session.clock()
        due = self._asked_at is None or (self._following and not 0 <= now - self._asked_at < _EVERY_S)
        if due and self._session.link.live:
            self._ask(None)
        self._show()

    def _ask(self, older: str | None) -> None:
        self._asked_at = self._session.clock()
        source = self._sources[0]
        self.run_worker(fetch(self._session.daemon, source.ask(older), source.name, self.post_message), group="logs")

    def on_fetched(self, message: Fetched) -> None:
        """A page; what came for the other source is dropped, it is asked for again."""
        source = self._sources[0]
        if message.purpose != source.name:
            return
        self._problem = ""
        if (older := source.take(message.value, self._moment)) is not None:
            self._ask(older)
        self._show()

    def on_fetch_failed(self, message: FetchFailed) -> None:
        """What was known stays."""
        self._problem = message.error.sentence
        self._show()

    @property
    def _moment(self) -> float:
        """Lines from here on are shown, in seconds since the epoch."""
        return self._session.clock() - SINCE[self._since][1]

    @property
    def _table(self) -> Table:
        return self.query_one(Table)

    @property
    def _field(self) -> Input:
        return self.query_one(Input)

    def _show(self) -> None:
        source, wanted = self._sources[0], self._field.value
        self._texts = {key: line for key, line in source.lines(self._moment) if holds(line, wanted)}
        title = f"{source.name}: {plural(len(self._texts), 'line')}, since {SINCE[self._since][0]}"
        self._table.set_columns([Column("line", title, self._table.size.width - 1)])
        keys = list(self._texts)
        self._table.show(keys)
        if self._following and keys:
            self._table.select(keys[-1])
        self.query_one(CellLine).show([(self._foot(), self.size.width)])

    def _foot(self) -> Cell:
        source = self._sources[0]
        if self._problem:
            return Cell(f" {self._problem}", "bad")
        if not source.loaded:
            return Cell(" Loading …", "dim")
        if not self._texts:
            return Cell(f" There is nothing to show. {_OTHERWISE[source.name]}", "dim")
        state = "following" if self._following else "standing still: f follows"
        sought = f", n goes to the next “{self._sought}”" if self._sought else ""
        remark = f", {source.remark}" if source.remark else ""
        return Cell(f" {state}{sought}{remark}", "ok" if self._following else "warm")

    def _read(self, key: str) -> Sequence[Cell]:
        line = self._texts.get(key, "")
        bad = any(word in line.casefold() for word in ("error", "fatal", "panic"))
        return (Cell(line, "bad" if bad else ""),)

    @on(Table.Moved)
    def _moved(self) -> None:
        # Where the cursor is now counts: this may tell of a move that following has overtaken.
        if self._table.keys and self._table.cursor != self._table.keys[-1]:
            self._following = False
            self.query_one(CellLine).show([(self._foot(), self.size.width)])

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        event.stop()
        self.app.push_screen(Read(f"Line {event.key}", self._texts.get(event.key, "")))

    @on(Input.Changed)
    def _typed(self) -> None:
        if self.is_mounted:
            self._show()

    @on(Input.Submitted)
    def _entered(self) -> None:
        self._field.display = bool(self._field.value.strip())
        self._table.focus()

    def action_follow(self) -> None:
        """Follow, or stand still."""
        self._following = not self._following
        self._asked_at = None
        self.tell()

    def action_filter(self) -> None:
        """Type a filter."""
        self._field.display = True
        self.screen.set_focus(self._field)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A slash within the filter is a letter of it."""
        del parameters
        return not (action == "filter" and self.screen.focused is self._field)

    def action_search(self) -> None:
        """Ask for a text, and go to the next line that has it."""
        self.app.push_screen(AskLine("Go to the next line with", self._sought), self._find)

    def action_next(self) -> None:
        """Go to the next line that has what was sought last."""
        if self._sought:
            self._find(self._sought)
        else:
            self.action_search()

    def _find(self, wanted: str | None) -> None:
        keys = list(self._table.keys)
        self._sought = wanted or self._sought
        if not wanted or not keys:
            return
        here = keys.index(self._table.cursor) + 1 if self._table.cursor in keys else 0
        for key in keys[here:] + keys[:here]:
            if wanted.casefold() in self._texts[key].casefold():
                self._following = False
                self._table.select(key)
                self._show()
                return
        self.post_message(Say(f"No line has “{wanted}”.", "warning"))

    def action_since(self) -> None:
        """Another stretch of time."""
        self._since = (self._since + 1) % len(SINCE)
        self._sources[0].reach()
        self._asked_at = None
        self.tell()

    def action_source(self) -> None:
        """What plugins print, or what the runtime itself writes."""
        self._sources.reverse()
        self._following, self._asked_at = True, None
        self.tell()

    def action_save(self) -> None:
        """To a file, as it is filtered."""
        name = f"{self._key.replace(':', '-').replace('~', '-')}.log"
        self.app.push_screen(AskLine("Save the lines shown to", str(Path.cwd() / name)), self._save)

    def _save(self, path: str | None) -> None:
        if path:
            said, fine = save(Path(path), "".join(f"{line}\n" for line in self._texts.values()))
            self.post_message(Say(said, "information" if fine else "error"))

    def action_copy(self) -> None:
        """The lines shown, to the clipboard."""
        self.post_message(Copy("\n".join(self._texts.values())))

    def action_clear(self) -> None:
        """Leave the filter's line, clear the filter, or go back."""
        if self._field.has_focus:
            self._entered()
        elif self._field.value:
            self._field.value = ""
            self._field.display = False
        else:
            self.post_message(Back())


_OTHERWISE = {
    PluginLines.name: "What plugins print is known when their execution has ended; r shows the runtime's own lines.",
    RuntimeLines.name: "The runtime wrote nothing; r shows what plugins print.",
}
