"""Gets a workspace running because a call needs it, on its own engine or, where allowed, on a worker."""

from __future__ import annotations

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.engines import Engines
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.reconciler import Reconciler
from wsmgr.control.unit import Unit
from wsmgr.control.wishes import Wishes
from wsmgr.core.errors import EngineUnavailable, LimitsNotEnforced, NeverStarted
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Desired, Phase
from wsmgr.ports.clock import Clock


class Demand:
    """Calls never start a container: they ask, by changing what is desired, and wait."""

    def __init__(
        self,
        fleet: Fleet,
        wishes: Wishes,
        engines: Engines,
        reconciler: Reconciler,
        clock: Clock,
        audit: Audit,
        deadline_s: float,
    ) -> None:
        self._fleet = fleet
        self._wishes = wishes
        self._engines = engines
        self._reconciler = reconciler
        self._clock = clock
        self._audit = audit
        self._deadline_s = deadline_s
        engines.on_change(self._engine_changed)

    async def unit(self, entry: Entry) -> Unit:
        """A unit whose runtime answers. Many callers share one start.

        Raises NeverStarted (with the reason), EngineUnavailable (no fallback is allowed), QuotaExceeded or
        HostFull.
        """
        deadline = self._clock.monotonic() + self._deadline_s
        seen: dict[Unit, int] = {}
        while True:
            if entry.unit.endpoint is not None and entry.record.desired is Desired.RUNNING:
                return entry.unit
            await self._consider_standing_in(entry)
            unit = entry.serving
            if unit.endpoint is not None and entry.record.desired is Desired.RUNNING:
                return unit
            self._raise_if_hopeless(unit, seen.setdefault(unit, unit.restarts))
            await self._ask(entry, unit)
            if unit.endpoint is not None and entry.record.desired is Desired.RUNNING:
                # The wish was changed back before anything was done about it: nothing is going to change.
                continue
            left = deadline - self._clock.monotonic()
            if left <= 0:
                raise NeverStarted(
                    f"The workspace did not get ready within {self._deadline_s:.0f} s: {unit.reason}",
                    details={"why": "start_deadline"},
                    retry_after=2.0,
                )
            with unit.attend():
                await unit.change(left)

    async def _ask(self, entry: Entry, unit: Unit) -> None:
        """Have it run. The wish is stored while the container is being made: it costs a disk's round trip, and a crash
        in between leaves a container that nobody wants, which the next daemon removes."""
        before = entry.record.desired
        changed = self._wishes.run(entry)
        self._reconciler.nudge(entry, unit)
        if changed:
            try:
                await self._fleet.keep(entry, before)
            finally:
                self._reconciler.nudge(entry, unit)

    def _raise_if_hopeless(self, unit: Unit, restarts_seen: int) -> None:
        """Tell the caller when a start was refused while it waited, or when nobody will try one."""
        if unit.forbidden is not None and unit.phase is Phase.ERROR:
            raise LimitsNotEnforced(unit.forbidden)
        if unit.exhausted:
            raise NeverStarted(unit.reason, details={"why": "workspace_error"}, retryable=False)
        if unit.restarts > restarts_seen and unit.error is not None:
            raise NeverStarted(unit.error.sentence, details={"why": unit.error.code}, retry_after=2.0)

    async def _consider_standing_in(self, entry: Entry) -> None:
        why = self._engines.away(entry.isolation)
        if why is None or entry.standing_in or entry.isolation is not Isolation.CONTAINER:
            return
        if not entry.fallback:
            raise EngineUnavailable(
                f"The container engine is away and this owner's policy allows no worker instead: {why}", retry_after=2.0
            )
        if not self._engines[Isolation.WORKER].sandboxed:
            raise EngineUnavailable(
                f"The container engine is away, and this host has no sandbox in which a worker could stand in "
                f"(bubblewrap does not run here): {why}",
                retry_after=2.0,
            )
        entry.standing_in = True
        await self._audit.say(
            DAEMON, "workspace.degraded", f"A worker stands in for the container: {why}", entry.record.id
        )

    async def _engine_changed(self, isolation: Isolation, why: str | None) -> None:
        action = "engine.back" if why is None else "engine.away"
        after = {"isolation": isolation.value}
        await self._audit.say(DAEMON, action, why or f"The {isolation} engine answers again.", after=after)
        for entry in self._fleet:
            if entry.isolation is not isolation:
                continue
            if why is None and entry.standing_in:
                entry.standing_in = False
                await self._audit.say(
                    DAEMON, "workspace.restored", "The engine is back: calls go to a container again.", entry.record.id
                )
            if why is None:
                self._reconciler.nudge_all(entry, look=True)
            else:
                entry.unit.changed()
