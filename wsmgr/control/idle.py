"""Takes workspaces that nobody uses down the idle ladder (core.idle)."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.reconciler import Reconciler
from wsmgr.core.errors import NotFound, StoreUnavailable
from wsmgr.core.idle import Idleness, Rung, Verdict, verdict
from wsmgr.core.workspace import Desired
from wsmgr.ports.clock import Clock

log = structlog.get_logger(__name__)

WISHES = {
    Rung.PAUSE: (Desired.PAUSED, "workspace.idle_pause"),
    Rung.STOP: (Desired.STOPPED, "workspace.idle_stop"),
    Rung.REMOVE: (Desired.ABSENT, "workspace.retention_end"),
}


class Idle:
    """One pass over all workspaces a second; calls pay nothing for it."""

    def __init__(self, fleet: Fleet, reconciler: Reconciler, clock: Clock, audit: Audit, retention_s: float) -> None:
        self._fleet = fleet
        self._reconciler = reconciler
        self._clock = clock
        self._audit = audit
        self._retention_s = retention_s

    async def sweep(self) -> None:
        """Ask what every workspace's next rung is, and take those that are due."""
        for entry, due in list(self._due()):
            # Others were stored in between: what was due may be in use by now.
            if self.verdict(entry).rung is due.rung:
                await self._take(entry, due)

    def verdict(self, entry: Entry) -> Verdict:
        """What is to become of one workspace, now."""
        idle_s = self.idle_s(entry)
        return verdict(
            Idleness(
                desired=entry.record.desired,
                idle_s=idle_s,
                unused_s=idle_s + entry.unused_before_s,
                attending=entry.attending,
                exhausted=entry.serving.exhausted,
                freezable=entry.serving.freezable and entry.serving.endpoint is not None,
                pause_after_s=entry.limits.pause_after_s,
                idle_timeout_s=entry.limits.idle_timeout_s,
                retention_s=self._retention_s,
                keeps_data=entry.record.volume is not None,
            )
        )

    def idle_s(self, entry: Entry) -> float:
        """Seconds since its last activity, or since this daemon took it over; 0 while a call is in flight or queued."""
        return 0.0 if entry.attending else self._clock.monotonic() - entry.active_mono

    def _due(self) -> Iterator[tuple[Entry, Verdict]]:
        for entry in self._fleet:
            found = self.verdict(entry)
            if found.rung is not Rung.KEEP:
                yield entry, found

    async def _take(self, entry: Entry, due: Verdict) -> None:
        desired, action = WISHES[due.rung]
        try:
            # Stored before it is done: a wish that the store did not take would come back with the next daemon.
            await self._fleet.want(entry, desired, urgent=False)
        except (StoreUnavailable, NotFound) as error:
            log.warning("idle workspace left as it is", workspace=entry.record.id, why=error.sentence)
            return
        if entry.record.desired is not desired:
            return
        self._reconciler.nudge_all(entry)
        await self._audit.say(DAEMON, action, due.reason, entry.record.id)
