"""What the prober last saw, and the history of what happened to a workspace's health."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tui.model.cell import Cell
from tui.model.facts import health_facts
from tui.model.lists import EVENTS
from tui.session import Session
from tui.widgets.listing import Listing
from wsmgr.client import operations
from wsmgr.wire.event import Event

_ABOUT_HEALTH = frozenset(
    f"workspace.{name}"
    for name in (
        "ready", "failed", "error", "restart", "recover", "created", "degraded", "restored", "protocol_violation",
        "pause_failed", "limits_refused",
    )
)  # fmt: skip


class Health(Listing[Event]):
    """Those of the workspace's events that tell of failures, checks and restarts."""

    def __init__(self, session: Session, key: str) -> None:
        super().__init__(
            session,
            EVENTS,
            lambda older: operations.workspace_events(key, limit=200, before=older),
            every_s=5,
            id="health",
        )
        self._key = key

    def records(self, page: Any) -> Iterable[Event]:
        """Those about health."""
        return (one for one in page.items if one.action in _ABOUT_HEALTH)

    def lead(self) -> list[Cell]:
        """The last verdict."""
        row = self.session.store.get(self._key)
        return [] if row is None else health_facts(row, self.session.clock())
