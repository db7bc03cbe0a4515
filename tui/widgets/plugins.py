"""The owner's plugins, the versions of each, and going back to an older one."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from tui.actions import Target
from tui.keys import bindings_of
from tui.messages import Act, Say
from tui.model.lists import PLUGINS
from tui.session import Session
from tui.widgets.listing import Listing
from tui.widgets.table import Table
from wsmgr.client import plugin_operations
from wsmgr.client.operation import Operation
from wsmgr.wire.plugin import PluginVersion


class Plugins(Listing[PluginVersion]):
    """All plugins; Enter shows the versions of one, Escape goes back to all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of("plugin"),
        Binding("escape", "up", "All plugins", show=False),
    ]

    def __init__(self, session: Session, key: str) -> None:
        super().__init__(session, PLUGINS, self._operation, every_s=5, id="plugins")
        self._key = key
        self._slug: str | None = None

    def _operation(self, older: str | None) -> Operation[Any]:
        del older
        return (
            plugin_operations.plugins(self._key)
            if self._slug is None
            else plugin_operations.plugin(self._key, self._slug)
        )

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        """The versions of a plugin; on a version the record in full."""
        if self._slug is not None:
            super()._opened(event)
            return
        event.stop()
        if self.current is not None:
            self._go(self.current.slug)

    def action_up(self) -> None:
        """From the versions to all plugins; from there as in any list."""
        if self._slug is None or self.filter_text:
            self.action_clear()
        else:
            self._go(None)

    def action_act(self, name: str) -> None:
        """Roll back to the version under the cursor; among all plugins, to the one before the current."""
        one = self.current
        if one is None:
            return
        target = Target(f"{self._key} {one.slug}", "current" if one.current else "old")
        if self._slug is not None and one.current:
            self.post_message(Say("This version is current already; choose an older one.", "warning"))
            return
        self.post_message(Act(name, [target], one.version if self._slug is not None else ""))

    def _go(self, slug: str | None) -> None:
        self._slug = slug
        self.forget()
        self.tell()
