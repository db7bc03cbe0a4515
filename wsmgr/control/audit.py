"""Writes the audit trail."""

from __future__ import annotations

import structlog

from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.event import Event
from wsmgr.core.ids import WorkspaceId
from wsmgr.ports.clock import Clock
from wsmgr.ports.store import EventStore

log = structlog.get_logger(__name__)

DAEMON = "wsmgr"
"""The actor of what the daemon does by itself."""


class Audit:
    """Says what was done, in the log and in the store."""

    def __init__(self, store: EventStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def say(self, actor: str, action: str, reason: str, workspace: WorkspaceId | None = None) -> None:
        """Record one event. A store that does not take it is logged and does not stop what is being done."""
        log.info(action, workspace=workspace, actor=actor, reason=reason)
        try:
            await self._store.append(Event(self._clock.now(), actor, action, reason, workspace))
        except StoreUnavailable as error:
            log.error("event not recorded", action=action, workspace=workspace, why=error.sentence)
