"""Alerts: what an operator should know of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from tui.actions import Target
from tui.keys import bindings_of
from tui.messages import Act, Look
from tui.model.lists import ALERTS, alert_state
from tui.model.store import Delta
from tui.screens.page import Page
from tui.widgets.listing import Listing
from wsmgr.client import operations
from wsmgr.wire.alert import Alert


class AlertsScreen(Page):
    """The open ones, or all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of("alert"),
        Binding("o", "all", "Open or all"),
        Binding("l", "go", "Look at it"),
        Binding("escape,q", "app.back", "Back", show=False),
    ]
    _all = False

    def body(self) -> Iterable[Widget]:
        """One list."""
        yield Listing(
            self.session,
            ALERTS,
            lambda older: operations.alerts(resolved=self._all, limit=200, before=older),
            every_s=3,
            id="alerts",
        )

    def on_mount(self) -> None:
        """Keys go to the rows."""
        self._list.table.focus()

    @property
    def _list(self) -> Listing[Alert]:
        return self.query_one("#alerts", Listing)

    def told(self, delta: Delta) -> None:
        """Time went by, or something happened."""
        del delta
        self._list.tell()

    def action_act(self, name: str) -> None:
        """On the alert under the cursor."""
        one = self._list.current
        targets = [] if one is None else [Target(str(one.id), alert_state(one))]
        self.post_message(Act(name, targets))
        self._list.forget_age()

    def action_all(self) -> None:
        """Show those that are over too, or the open ones alone."""
        self._all = not self._all
        self._list.forget()
        self._list.tell()

    def action_go(self) -> None:
        """Look at the workspace that the alert is about."""
        one = self._list.current
        if one is not None and one.workspace is not None:
            self.post_message(Look(one.workspace))
