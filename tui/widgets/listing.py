"""A list of records of the daemon: fetched, kept fresh while it is seen, filtered, opened one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Generic, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from tui.feed import fetch
from tui.messages import Back, Fetched, FetchFailed
from tui.model.cell import Cell, Column
from tui.model.lists import ListColumn, Listed, full_text
from tui.screens.ask import Read
from tui.session import Session
from tui.widgets.cells import CellLine, sized
from tui.widgets.table import Table
from wsmgr.client.operation import Operation
from wsmgr.wire.base import Response

T = TypeVar("T", bound=Response)
Ask = Callable[[str | None], Operation[Any]]
"""The operation for a page; its argument is the cursor of an older page."""


class Listing(Vertical, Generic[T]):
    """`every_s`: how often the newest page is asked for while the listing can be seen."""

    DEFAULT_CSS = """
    Listing { height: 1fr; }
    Listing > Table { padding-left: 1; }
    Listing > Input, Listing > .lead { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", priority=True),
        Binding("escape", "clear", "Clear", show=False),
    ]

    class Came(Message):
        """A page came: what else is made of its records can be shown."""

    def __init__(
        self,
        session: Session,
        listed: Listed[T],
        ask: Ask,
        *,
        every_s: float,
        text: Callable[[T], str] = full_text,
        id: str | None = None,  # noqa: A002  # Textual's name
    ) -> None:
        super().__init__(id=id)
        self.session = session
        self.listed = listed
        self._ask = ask
        self._every_s = every_s
        self._text = text
        self._items: dict[str, T] = {}
        self._older: str | None = None
        self._asked_at: float | None = None
        self._problem = ""
        self.loaded = False
        self._layout: list[tuple[ListColumn[T], Column]] = []

    def compose(self) -> ComposeResult:
        """Textual's."""
        yield Input(placeholder="text  !not  " + "  ".join(f"{name}:…" for name in self.listed.fields))
        yield CellLine(classes="lead")
        yield Table(self._read)
        yield CellLine(classes="foot")

    def on_mount(self) -> None:
        """A cursor that blinks would send bytes for nothing."""
        self.query_one(Input).cursor_blink = False

    def on_resize(self) -> None:
        """It was laid out: the first time, or anew. Before that there is no width to show anything in."""
        self.call_after_refresh(self.tell)

    @property
    def table(self) -> Table:
        """The rows."""
        return self.query_one(Table)

    @property
    def filter_text(self) -> str:
        """What was typed."""
        return self.query_one(Input).value

    @property
    def current(self) -> T | None:
        """The record under the cursor."""
        return self._items.get(self.table.cursor or "")

    @property
    def items(self) -> Sequence[T]:
        """Those that are shown, in order."""
        return [one for one in self._items.values() if self.listed.matches(one, self.filter_text)]

    def records(self, page: Any) -> Iterable[T]:
        """The records of a page that belong here; for subclasses."""
        return cast("Iterable[T]", page.items)

    def lead(self) -> list[Cell]:
        """What stands over the rows; for subclasses. Without it there is no such line."""
        return []

    def tell(self) -> None:
        """Time went by, or something happened: show what there is, and ask again when it is old."""
        if not self.is_mounted or self.table.size.width == 0:
            return
        now = self.session.clock()
        due = self._asked_at is None or now - self._asked_at >= self._every_s or now < self._asked_at
        if due and self.session.link.live:
            self.ask()
        self._show()

    def ask(self, older: str | None = None) -> None:
        """Ask for the newest page, or an older one."""
        self._asked_at = self.session.clock()
        purpose = "older" if older else "newest"
        self.run_worker(fetch(self.session.daemon, self._ask(older), purpose, self.post_message), group="list")

    def replace(self, items: Iterable[T]) -> None:
        """These are all the records now; the caller shows them."""
        self._items = {self.listed.key(one): one for one in items}

    def forget(self) -> None:
        """Another list is wanted: drop what is known."""
        self._items, self._older, self.loaded, self._asked_at = {}, None, False, None

    def forget_age(self) -> None:
        """What is known may be out of date: ask at the next moment."""
        self._asked_at = None

    def on_fetched(self, message: Fetched) -> None:
        """A page came."""
        page, self._problem = message.value, ""
        came = {self.listed.key(one): one for one in self.records(page)}
        if message.purpose == "older":
            self._items |= came
            self._older = page.next
        else:
            if not self.loaded:
                self._older = page.next
            self._items = came | {
                key: one for key, one in self._items.items() if key not in came and self.listed.growing
            }
        self.loaded = True
        self._show()
        self.post_message(self.Came())

    def on_fetch_failed(self, message: FetchFailed) -> None:
        """None came: what was known stays, and the sentence is shown."""
        self._problem = message.error.sentence
        self._show()

    def _show(self) -> None:
        table = self.table
        self._layout = self.listed.layout(table.size.width - 1)
        table.set_columns([column for _, column in self._layout])
        table.show([self.listed.key(one) for one in self.items])
        lead, said = self.query_one(".lead", CellLine), self.lead()
        lead.display = bool(said)
        lead.show(sized(said))
        self.query_one(".foot", CellLine).show([(self._foot(), self.size.width)])

    def _foot(self) -> Cell:
        if self._problem:
            return Cell(f" {self._problem}", "bad")
        if not self.loaded:
            return Cell(" Loading …", "dim")
        if not self._items:
            return Cell(f" {self.listed.empty}", "dim")
        shown, known = len(self.table.keys), len(self._items)
        more = ", older ones follow at the end" if self._older else ""
        return Cell(f" {f'{shown} of {known}' if shown != known else known}{more}", "dim")

    def _read(self, key: str) -> Sequence[Cell]:
        item, now = self._items.get(key), self.session.clock()
        return () if item is None else [one.cell(item, now) for one, _ in self._layout]

    @on(Input.Changed)
    def _typed(self) -> None:
        if self.is_mounted:
            self._show()

    @on(Input.Submitted)
    def _entered(self) -> None:
        field = self.query_one(Input)
        field.display = bool(field.value.strip())
        self.table.focus()

    @on(Table.Moved)
    def _moved(self, event: Table.Moved) -> None:
        if self._older and self.table.keys and event.key == self.table.keys[-1]:
            older, self._older = self._older, None
            self.ask(older)

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        event.stop()
        if (item := self._items.get(event.key)) is not None:
            self.app.push_screen(Read(event.key, self._text(item)))

    def action_filter(self) -> None:
        """Type a filter."""
        field = self.query_one(Input)
        field.display = True
        self.screen.set_focus(field)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A slash within the filter is a letter of it. Those who may only look are offered nothing else."""
        del parameters
        if action == "act" and self.session.read_only:
            return False
        return not (action == "filter" and self.screen.focused is self.query_one(Input))

    def action_clear(self) -> None:
        """Leave the filter's line, clear the filter, or go back."""
        field = self.query_one(Input)
        if field.has_focus:
            self._entered()
        elif field.value:
            field.value = ""
            field.display = False
        else:
            self.post_message(Back())
