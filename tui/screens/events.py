"""The audit trail of all workspaces and of the daemon: who did what, when and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from tui.export import export
from tui.messages import Exported, Say
from tui.model.lists import EVENTS
from tui.model.store import Delta
from tui.screens.ask import AskLine
from tui.screens.page import Page
from tui.widgets.listing import Listing
from wsmgr.client import operations
from wsmgr.wire.event import Event


class EventsScreen(Page):
    """Newest first; older ones come when the cursor reaches the end."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "export", "Export"),
        Binding("escape,q", "app.back", "Back", show=False),
    ]

    def body(self) -> Iterable[Widget]:
        """One list."""
        yield Listing(
            self.session, EVENTS, lambda older: operations.audit(limit=200, before=older), every_s=2, id="events"
        )

    def on_mount(self) -> None:
        """Keys go to the rows."""
        self._list.table.focus()

    @property
    def _list(self) -> Listing[Event]:
        return self.query_one("#events", Listing)

    def told(self, delta: Delta) -> None:
        """Time went by, or something happened."""
        del delta
        self._list.tell()

    def action_export(self) -> None:
        """All that the filter lets through, also what is not loaded yet, as one JSON document a line."""
        now = datetime.fromtimestamp(self.session.clock()).astimezone()
        path = Path.cwd() / f"wsmgr-events-{now:%Y%m%d-%H%M%S}.jsonl"
        self.app.push_screen(AskLine("Export the events that the filter lets through to", str(path)), self._export)

    def _export(self, path: str | None) -> None:
        if path:
            wanted = self._list.filter_text
            self.run_worker(
                export(self.session.daemon, lambda one: EVENTS.matches(one, wanted), Path(path), self.post_message)
            )

    def on_exported(self, message: Exported) -> None:
        """It ended."""
        self.post_message(Say(message.sentence, "information" if message.fine else "error"))
