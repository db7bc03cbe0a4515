"""Writes the audit trail."""

from __future__ import annotations

import structlog

from wsmgr.control.feed import Feed
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.event import Event, Facts
from wsmgr.core.ids import WorkspaceId
from wsmgr.ports.clock import Clock
from wsmgr.ports.store import EventStore

log = structlog.get_logger(__name__)

DAEMON = "wsmgr"
"""The actor of what the daemon does by itself."""


class Audit:
    """Says what was done: in the log, in the store, and, once it is kept, to all who listen to the feed."""

    def __init__(self, store: EventStore, clock: Clock, feed: Feed) -> None:
        self._store = store
        self._clock = clock
        self._feed = feed

    async def say(
        self,
        actor: str,
        action: str,
        reason: str,
        workspace: WorkspaceId | None = None,
        *,
        before: Facts | None = None,
        after: Facts | None = None,
    ) -> None:
        """Record one event. A store that does not take it is logged and does not stop what is being done."""
        log.info(action, workspace=workspace, actor=actor, reason=reason)
        event = Event(self._clock.now(), actor, action, reason, workspace, before=before, after=after)
        try:
            kept = await self._store.append(event)
        except StoreUnavailable as error:
            log.error("event not recorded", action=action, workspace=workspace, why=error.sentence)
            return
        self._feed.publish(kept)
