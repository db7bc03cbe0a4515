"""What the prober last saw, and the history of what happened to a workspace's health."""

from __future__ import annotations

from tui.model.lists import EVENTS
from tui.session import Session
from tui.widgets.listing import Listing
from wsmgr.client import operations
from wsmgr.wire.event import Event

_ABOUT_HEALTH = ("health", "fail", "restart", "recover", "oom", "crash", "error", "unhealthy", "gave_up", "started")


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

    def wanted(self, item: Event) -> bool:
        """Those about health."""
        return any(word in item.action for word in _ABOUT_HEALTH)
