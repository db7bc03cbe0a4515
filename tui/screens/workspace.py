"""One workspace: what it is and why, and tabs with everything about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from tui.actions import Target
from tui.keys import bindings_of
from tui.model import format as say
from tui.model.cell import Cell, status_cell
from tui.model.facts import fitted, state_facts, use_facts
from tui.model.lists import EVENTS, EXECUTIONS, execution_text
from tui.model.row import Row
from tui.model.store import Delta
from tui.screens.page import Page
from tui.session import Session
from tui.widgets.cells import CellLine, sized
from tui.widgets.health import Health
from tui.widgets.limits import Limits
from tui.widgets.listing import Listing
from tui.widgets.logs import Logs
from tui.widgets.overview import Overview
from tui.widgets.plugins import Plugins
from wsmgr.client import operations

TABS = (
    ("overview", "o", "Overview"),
    ("executions", "e", "Executions"),
    ("plugins", "p", "Plugins"),
    ("events", "v", "Events"),
    ("logs", "l", "Logs"),
    ("health", "h", "Health"),
    ("limits", "m", "Limits"),
)


class WorkspaceScreen(Page):
    """`key` is the workspace's id; its row comes from the session, the rest is asked for by the tabs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"tab('{name}')", title, show=False) for name, key, title in TABS),
        Binding("left_square_bracket", "beside(-1)", "Tab"),
        Binding("right_square_bracket", "beside(1)", "Tab"),
        *bindings_of("workspace"),
        Binding("escape,q", "app.back", "Back", show=False),
    ]

    def __init__(self, session: Session, key: str, tab: str = "overview") -> None:
        super().__init__(session)
        self.key = key
        self._tab = tab

    def body(self) -> Iterable[Widget]:
        """Three lines about it, the tabs, and the chosen one."""
        key, session = self.key, self.session
        yield CellLine(id="who")
        yield CellLine(id="what")
        yield CellLine(id="use")
        yield CellLine(id="tabs")
        panes: list[Widget] = [
            Overview(session, key),
            Listing(
                session,
                EXECUTIONS,
                lambda older: operations.executions(key, limit=100, before=older),
                every_s=3,
                text=execution_text,
                id="executions",
            ),
            Plugins(session, key),
            Listing(
                session,
                EVENTS,
                lambda older: operations.workspace_events(key, limit=100, before=older),
                every_s=5,
                id="events",
            ),
            Logs(session, key),
            Health(session, key),
            Limits(session, key),
        ]
        yield ContentSwitcher(*panes, initial=self._tab, id="panes")

    def on_mount(self) -> None:
        """The chosen tab gets the keys."""
        self.call_after_refresh(self._focus)

    def targets(self) -> list[Target]:
        """This workspace."""
        row = self.session.store.get(self.key)
        return [] if row is None else [Target(row.id, row.status)]

    def told(self, delta: Delta) -> None:
        """Something is new about it, or time went by."""
        del delta
        self._tell_head(self.session.store.get(self.key))
        self._tell_tabs()
        pane: Any = self._pane()
        if pane is not None:
            pane.tell()

    def _pane(self) -> Widget | None:
        switcher = self.query_one("#panes", ContentSwitcher)
        return switcher.get_child_by_id(switcher.current) if switcher.current else None

    def _focus(self) -> None:
        # A key may have come before the switcher was there, which begins with the tab of its making.
        self.query_one("#panes", ContentSwitcher).current = self._tab
        pane = self._pane()
        if pane is not None:
            (pane if pane.can_focus else pane.query_one("Table")).focus()
        self.refresh_all()

    def action_tab(self, name: str) -> None:
        """Show a tab; what was chosen in the others stays as it was."""
        self._tab = name
        self.call_after_refresh(self._focus)

    def action_beside(self, step: int) -> None:
        """The tab beside."""
        names = [name for name, _, _ in TABS]
        self.action_tab(names[(names.index(self._tab) + step) % len(names)])

    def _tell_head(self, row: Row | None) -> None:
        width, now = self.size.width, self.session.clock()
        who, what, use = (self.query_one(name, CellLine) for name in ("#who", "#what", "#use"))
        if row is None:
            gone = "It is gone: it was removed, or never was." if self.session.link.live else "Nothing is known yet."
            who.show([(Cell(f" {self.key}", "id"), min(len(self.key) + 3, width // 2)), (Cell(gone, "warm"), width)])
            what.show([])
            use.display = False
            return
        left = [(Cell(f" {row.id}", "id"), min(len(row.id) + 3, width // 2)), (status_cell(row.status), 12)]
        reason = Cell(say.printable(row.reason), "bad" if row.status == "ERROR" else "")
        who.show([*left, (reason, max(width - sum(wide for _, wide in left), 0))])
        what.show(sized(fitted(state_facts(row, now), width)))
        used = use_facts(row)
        use.display = bool(used)
        use.show(sized(fitted(used, width)) if used else [])

    def _tell_tabs(self) -> None:
        cells = [Cell(" ")]
        for name, key, title in TABS:
            cells += [Cell(f" {key} ", "key"), Cell(f"{title} ", "title" if name == self._tab else "dim")]
        self.query_one("#tabs", CellLine).show(sized(cells))
