"""Performs one step on one unit. Only the reconciler's worker of the unit calls this."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.data import Data
from wsmgr.control.engines import Engines
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.groups import Groups
from wsmgr.control.readiness import Readiness
from wsmgr.control.unit import Unit
from wsmgr.core.reconcile import (
    Adjust,
    AwaitReady,
    Create,
    Freeze,
    Nothing,
    Remove,
    Start,
    Step,
    Stop,
    Thaw,
)
from wsmgr.core.workspace import Absent, Created, Observed, Running
from wsmgr.ports.channel import Channel
from wsmgr.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class Timings:
    """In seconds: from start to a runtime that answers, and between SIGTERM and SIGKILL."""

    start_deadline_s: float
    stop_grace_s: float


class Steps:
    """Each step is idempotent: a daemon that dies in it leaves what its successor finds again."""

    def __init__(
        self,
        fleet: Fleet,
        engines: Engines,
        channel: Channel,
        clock: Clock,
        audit: Audit,
        groups: Groups,
        data: Data,
        timings: Timings,
    ) -> None:
        self._fleet = fleet
        self._engines = engines
        self._channel = channel
        self._clock = clock
        self._audit = audit
        self._groups = groups
        self._data = data
        self._timings = timings
        self._readiness = Readiness(channel, clock, audit, timings.start_deadline_s)

    async def perform(self, entry: Entry, unit: Unit, step: Step) -> Observed | None:
        """Do it; the state that it proves, or None when only the engine knows. Raises WsmgrError."""
        engine = self._engines[unit.isolation]
        match step:
            case Create():
                await self._data.settle(entry, unit.isolation)
                spec = self._fleet.spec(entry, unit.isolation)
                return Created(await engine.create(spec), spec.digest)
            case Start(handle):
                unit.stopping = None
                await engine.start(handle)
                return None
            case AwaitReady(running):
                return await self._readiness.step(unit, running)
            case Freeze(running):
                return await self._freeze(unit, running)
            case Thaw(running):
                await self._groups.thaw(unit)
                return replace(running, paused=False)
            case Adjust(running):
                await self._groups.apply(unit, self._fleet.spec(entry, unit.isolation).ceilings)
                return running
            case Stop(handle):
                await self._stop(entry, unit, handle)
                return None
            case Remove(handle):
                await engine.remove(handle)
                return Absent()
            case Nothing():
                return None
            case _:
                assert_never(step)

    async def failed(self, entry: Entry, unit: Unit, cause: str) -> None:
        """Count a failure of the unit, with its one-sentence cause."""
        unit.fail(cause, self._clock.monotonic(), entry.budget)
        unit.reason = cause
        await self._audit.say(DAEMON, "workspace.failed", cause, entry.record.id)
        if unit.exhausted and unit is entry.unit:
            await self._fleet.give_up(entry, cause)
        unit.changed()

    def lose(self, unit: Unit) -> None:
        """From here on no call uses its runtime."""
        if unit.endpoint is not None:
            self._channel.forget(unit.endpoint)
            unit.endpoint, unit.ready_since = None, None
            unit.changed()

    async def _freeze(self, unit: Unit, running: Running) -> Running:
        # A call may have come since this was decided; those that come from here on wait for the thaw.
        if unit.attending:
            return running
        self.lose(unit)
        return replace(running, paused=await self._groups.freeze(unit))

    async def _stop(self, entry: Entry, unit: Unit, handle: str) -> None:
        self.lose(unit)
        unit.stopping = handle
        if unit.condemned is not None:
            cause, unit.condemned = unit.condemned, None
            await self.failed(entry, unit, cause)
        await self._engines[unit.isolation].stop(handle, self._timings.stop_grace_s)
