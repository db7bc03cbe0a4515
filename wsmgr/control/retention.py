"""Deletes what is old enough, in small steps, so that the database does not grow without end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from wsmgr.core.errors import StoreUnavailable
from wsmgr.ports.clock import Clock
from wsmgr.ports.store import RetentionStore

log = structlog.get_logger(__name__)

EVERY_S = 3600.0
FIRST_AFTER_S = 60.0
"""A daemon that starts has better things to do."""
BATCH = 500
"""So many records are deleted in one transaction: calls wait for it."""
PAGES = 500
"""So many pages (2 MB) are given back in one transaction."""
PAUSE_S = 0.05
"""Between two transactions, so that others get their turn."""
ALERTS_DAYS = 90

Purge = Callable[[datetime, int], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days things are kept."""

    executions_days: float
    events_days: float
    usage_days: float
    alerts_days: float = ALERTS_DAYS


class Retention:
    """Runs every hour."""

    def __init__(self, store: RetentionStore, clock: Clock, keep: Keep) -> None:
        self._store = store
        self._clock = clock
        self._keep = keep

    async def run(self) -> None:
        """For ever; cancel it to end."""
        await self._clock.sleep(FIRST_AFTER_S)
        while True:
            try:
                await self.sweep()
            except StoreUnavailable as error:
                log.warning("old records not deleted", why=error.sentence)
            except Exception:
                # The next hour tries again; a loop that ended would be missed when the disk is full.
                log.exception("retention failed")
            await self._clock.sleep(EVERY_S)

    async def sweep(self) -> None:
        """Delete all that is old enough now, and give its space back. Raises StoreUnavailable."""
        executions = await self._purge(self._store.purge_executions, self._keep.executions_days)
        events = await self._purge(self._store.purge_events, self._keep.events_days)
        alerts = await self._purge(self._store.purge_alerts, self._keep.alerts_days)
        usage = await self._purge(self._store.purge_usage, self._keep.usage_days)
        while await self._store.reclaim(PAGES):
            await self._clock.sleep(PAUSE_S)
        if executions or events or alerts or usage:
            log.info("old records deleted", executions=executions, events=events, alerts=alerts, usage=usage)

    async def _purge(self, purge: Purge, days: float) -> int:
        before = self._clock.now() - timedelta(days=days)
        total = 0
        while gone := await purge(before, BATCH):
            total += gone
            await self._clock.sleep(PAUSE_S)
        return total
