"""Keeps the alerts equal to what is the matter: raises what is new, resolves what is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.engines import Engines
from wsmgr.control.feed import Feed, Signal
from wsmgr.control.fleet import Entry, Fleet
from wsmgr.core.alert import Alert, Trouble, engine_away, records_dropped, workspace_degraded, workspace_error
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.event import Facts
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Desired, Phase
from wsmgr.ports.clock import Clock
from wsmgr.ports.store import Store

log = structlog.get_logger(__name__)

EVERY_S = 5.0
"""The longest time between two looks; an event brings one at once."""
DROPPED_FOR_S = 60.0
"""Records are being dropped as long as one was within this time."""


@dataclass(slots=True)
class _Dropped:
    """How many records were dropped when it was last looked, and until when that counts as a trouble."""

    count: int = 0
    until: float = 0.0


class Alerts:
    """Looks at the whole state each time, so that nothing is missed that happened while the database was away."""

    def __init__(
        self, store: Store, fleet: Fleet, engines: Engines, clock: Clock, audit: Audit, feed: Feed, chosen: Isolation
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._engines = engines
        self._clock = clock
        self._audit = audit
        self._feed = feed
        self._chosen = chosen
        self._dropped = _Dropped()
        self._open: set[str] | None = None

    @property
    def open_count(self) -> int:
        """How many are open, as far as is known."""
        return len(self._open or ())

    async def watch(self) -> None:
        """Look at every event and every few seconds, until the feed ends."""
        while True:
            with self._feed.subscribe(own=True) as live:
                heard = None
                while heard is not Signal.OVERFLOW:
                    await self._look_if_possible()
                    heard = await live.next(EVERY_S)
                    if heard is Signal.CLOSED:
                        return

    async def look(self) -> None:
        """Compare once. Raises StoreUnavailable; what was not done then is done by the next look."""
        if self._open is None:
            self._open = {alert.cause for alert in await self._store.open_alerts()}
        present = {trouble.cause: trouble for trouble in self._troubles()}
        for cause in sorted(present.keys() - self._open):
            await self._raise(present[cause])
            self._open.add(cause)
        for cause in sorted(self._open - present.keys()):
            if self._is_over(cause):
                await self._resolve(cause)
                self._open.discard(cause)

    async def acknowledge(self, alert: int, actor: str) -> Alert:
        """Note that somebody knows. Raises NotFound."""
        known = await self._store.acknowledge_alert(alert, actor, self._clock.now())
        if known.acknowledged_by == actor:
            await self._audit.say(actor, "alert.acknowledged", known.sentence, known.workspace, after={"alert": alert})
        return known

    async def listed(self, limit: int, before: int | None, *, resolved: bool) -> Sequence[Alert]:
        """Newest first."""
        return await self._store.alerts(limit, before, resolved=resolved)

    async def _look_if_possible(self) -> None:
        try:
            await self.look()
        except StoreUnavailable as error:
            # What is on record is read anew: a write without its confirmation may have been made.
            self._open = None
            log.error("alerts not kept", why=error.sentence)
        except Exception:
            # Alerts must not end with one defect; the next look tries again.
            log.exception("alerts failed")

    def _troubles(self) -> list[Trouble]:
        found = []
        for entry in self._fleet:
            workspace = entry.record.id
            wrong = next((unit for unit in entry.units.values() if unit.phase is Phase.ERROR), None)
            if wrong is not None:
                found.append(workspace_error(workspace, wrong.reason))
            if entry.standing_in:
                why = self._engines.away(entry.isolation) or "its engine was away when it was needed."
                found.append(workspace_degraded(workspace, why))
        # An engine that nobody is to use may be missing on this host.
        for isolation in {self._chosen, *(entry.isolation for entry in self._fleet)}:
            away = self._engines.away(isolation)
            if away is not None:
                found.append(engine_away(isolation, away))
        return found + self._dropping()

    def _dropping(self) -> list[Trouble]:
        count, now = self._store.dropped_notes, self._clock.monotonic()
        if count > self._dropped.count:
            self._dropped = _Dropped(count, now + DROPPED_FOR_S)
        return [records_dropped(count)] if now < self._dropped.until else []

    def _is_over(self, cause: str) -> bool:
        """A workspace that is started after an ERROR may be in ERROR again in a moment: that is the same cause."""
        kind, _, workspace = cause.partition(":")
        if kind != "workspace.error":
            return True
        entry = self._fleet.find(WorkspaceId(workspace))
        return entry is None or _is_well(entry)

    async def _raise(self, trouble: Trouble) -> None:
        alert = await self._store.raise_alert(trouble, self._clock.now())
        if alert is not None:
            await self._audit.say(DAEMON, "alert.raised", alert.sentence, alert.workspace, after=_facts(alert))

    async def _resolve(self, cause: str) -> None:
        alert = await self._store.resolve_alert(cause, self._clock.now())
        if alert is not None:
            await self._audit.say(DAEMON, "alert.resolved", alert.sentence, alert.workspace, after=_facts(alert))


def _facts(alert: Alert) -> Facts:
    return {"alert": alert.id, "cause": alert.cause, "severity": alert.severity.value}


def _is_well(entry: Entry) -> bool:
    phase = entry.serving.phase
    if phase in {Phase.RUNNING, Phase.PAUSED}:
        return True
    return phase is Phase.STOPPED and entry.record.desired is not Desired.RUNNING
