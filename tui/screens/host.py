"""The host: what it is, what it can enforce and with what proof, and what mends what it cannot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from tui.feed import fetch
from tui.messages import Fetched, FetchFailed
from tui.model import machine
from tui.model.cell import Cell
from tui.model.facts import fitted
from tui.model.lists import CAPABILITIES
from tui.model.store import Delta
from tui.screens.page import Page
from tui.session import Session
from tui.widgets.cells import CellLine, sized
from tui.widgets.listing import Listing
from wsmgr.client import operations
from wsmgr.wire.capability import Capability
from wsmgr.wire.host import Host

_EVERY_S = 10.0


class HostScreen(Page):
    """Four lines about the machine, and the capability matrix."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "app.back", "Back", show=False)]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._host: Host | None = None
        self._problem = ""
        self._asked_at: float | None = None

    def body(self) -> Iterable[Widget]:
        """The lines and the matrix."""
        for name in ("machine", "room", "engine", "images"):
            yield CellLine(id=name)
        yield Listing(self.session, CAPABILITIES, lambda _: operations.capabilities(), every_s=60, id="capabilities")

    def on_mount(self) -> None:
        """Keys go to the rows."""
        self._list.table.focus()

    @property
    def _list(self) -> Listing[Capability]:
        return self.query_one("#capabilities", Listing)

    def told(self, delta: Delta) -> None:
        """Time went by, or something happened."""
        del delta
        now = self.session.clock()
        if self.session.link.live and (self._asked_at is None or not 0 <= now - self._asked_at < _EVERY_S):
            self._asked_at = now
            self.run_worker(fetch(self.session.daemon, operations.host(), "host", self.post_message))
        self._list.tell()
        self._tell()

    def on_fetched(self, message: Fetched) -> None:
        """It came."""
        self._host, self._problem = message.value, ""
        self._tell()

    def on_fetch_failed(self, message: FetchFailed) -> None:
        """What was known stays."""
        self._problem = message.error.sentence
        self._tell()

    @on(Listing.Came)
    def _matrix_came(self) -> None:
        """The engine's own words are a line of the matrix."""
        self._tell()

    def _tell(self) -> None:
        one, line, width = self._host, self.session.host, self.size.width
        if one is None:
            cell = Cell(f" {self._problem}", "bad") if self._problem else Cell(" Loading …", "dim")
            self.query_one("#machine", CellLine).show([(cell, width)])
            return
        for name, facts in (
            ("machine", machine.machine(one)),
            ("room", machine.room(one, line)),
            ("engine", machine.engine(one, line, self._list.items)),
            ("images", machine.images(self.session.store)),
        ):
            self.query_one(f"#{name}", CellLine).show(sized(fitted(facts, width)))
