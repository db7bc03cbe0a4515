"""Brings every unit to what is wanted of it: observe, decide (core.reconcile), perform one step, again.

There is one worker task per unit, and only while there is something to do: the task is the single writer of its unit.
A nudge carries nothing but the unit; nudges that come while a worker is busy make it look once more.
"""

from __future__ import annotations

import asyncio

import structlog

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.capabilities import Capabilities
from wsmgr.control.capacity import Capacity
from wsmgr.control.data import Data
from wsmgr.control.engines import Engines
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.groups import Groups
from wsmgr.control.starts import Starts
from wsmgr.control.steps import Steps
from wsmgr.control.tasks import end_all
from wsmgr.control.unit import Unit
from wsmgr.core.errors import EngineUnavailable, WsmgrError
from wsmgr.core.reconcile import (
    LOOK_AGAIN_S,
    Create,
    Decision,
    Nothing,
    Start,
    World,
    cause_of,
    plan,
    restarts_left,
)
from wsmgr.core.workspace import Absent, Created, Desired, Exited, Observed, Phase, Running, Unknown
from wsmgr.ports.clock import Clock

log = structlog.get_logger(__name__)


class Reconciler:
    """Owns the workers."""

    def __init__(
        self,
        fleet: Fleet,
        engines: Engines,
        clock: Clock,
        audit: Audit,
        capacity: Capacity,
        capabilities: Capabilities,
        starts: Starts,
        groups: Groups,
        data: Data,
        steps: Steps,
    ) -> None:
        self._fleet = fleet
        self._engines = engines
        self._clock = clock
        self._audit = audit
        self._capacity = capacity
        self._capabilities = capabilities
        self._starts = starts
        self._groups = groups
        self._data = data
        self._steps = steps
        self._workers: dict[Unit, asyncio.Task[None]] = {}
        self._wakes: dict[Unit, asyncio.Event] = {}

    def nudge(self, entry: Entry, unit: Unit, *, look: bool = False) -> None:
        """Have the unit looked at soon; with `look` the engine is asked again, whatever is believed."""
        if look:
            unit.belief = None
        wake = self._wakes.get(unit)
        if wake is not None:
            wake.set()
            return
        self._wakes[unit] = asyncio.Event()
        task = asyncio.create_task(self._work(entry, unit), name=f"reconcile {unit.workspace}/{unit.isolation}")
        self._workers[unit] = task

    def restarts_left(self, entry: Entry) -> int:
        """How often it may still fail within the window before it is given up."""
        unit = entry.serving
        return restarts_left(unit.failures, self._clock.monotonic(), entry.budget, exhausted=unit.exhausted)

    def nudge_all(self, entry: Entry, *, look: bool = False) -> None:
        """Nudge every unit of a workspace, and the one that serves it."""
        # In one order, always: a set would have the order of addresses in memory.
        for unit in dict.fromkeys((*entry.units.values(), entry.serving)):
            self.nudge(entry, unit, look=look)

    async def close(self) -> None:
        """Cancel the workers; steps that are half done are found again by the next daemon."""
        await end_all(list(self._workers.values()))
        self._groups.close()

    async def _work(self, entry: Entry, unit: Unit) -> None:
        wake = self._wakes[unit]
        try:
            while True:
                wake.clear()
                recheck = await self._guarded_tick(entry, unit)
                if wake.is_set():
                    continue
                if recheck is None:
                    break
                if recheck > 0:
                    await self._pause(wake, recheck)
        finally:
            del self._wakes[unit]
            del self._workers[unit]

    async def _pause(self, wake: asyncio.Event, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        waking = asyncio.ensure_future(wake.wait())
        try:
            await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

    async def _guarded_tick(self, entry: Entry, unit: Unit) -> float | None:
        try:
            return await self.tick(entry, unit)
        except WsmgrError as error:
            self._starts.leave(unit, entry.record.owner)
            unit.error = error
            if unit.reason != error.sentence:
                # Told once: calls that wait answer each news with a nudge, and would have it looked at without a pause.
                unit.reason = error.sentence
                unit.changed()
                log.warning("step failed", workspace=unit.workspace, why=error.sentence)
            return LOOK_AGAIN_S
        except Exception:
            # A defect must not end the only writer of a unit; it is logged whole, and the unit is looked at again.
            log.exception("reconciler defect", workspace=unit.workspace)
            self._starts.leave(unit, entry.record.owner)
            unit.belief = None
            return 5 * LOOK_AGAIN_S

    async def tick(self, entry: Entry, unit: Unit) -> float | None:
        """One observation, one decision, one step. Returns when to look again (0: at once, None: when nudged)."""
        observed = await self._groups.look(unit, await self._observe(unit))
        await self._notice(entry, unit, observed)
        if isinstance(observed, Running) and self._data.unsettled(entry, unit.isolation):
            await self._resettle(entry, unit)
        decision = plan(self._world(entry, unit, observed), self._clock.monotonic())
        decision = self._in_turn(entry, unit, decision)
        await self._record(entry, unit, decision)
        if isinstance(decision.step, Nothing):
            if await self._give_up_pause(entry, unit, observed):
                return 0
            await self._settled(entry, unit, observed)
            return decision.recheck_after
        # As long as a step is under way, or when it is broken off, nothing is known.
        unit.belief = None
        try:
            unit.belief = await self._steps.perform(entry, unit, decision.step)
        except EngineUnavailable as error:
            unit.belief = None
            unit.error = error
            unit.changed()
            await self._engines.report(unit.isolation, error)
            return LOOK_AGAIN_S
        except WsmgrError as error:
            unit.belief = None
            unit.error = error
            await self._steps.failed(entry, unit, error.sentence)
        finally:
            # What was just made keeps its turn for its start: else a burst is made whole before its first one runs.
            if not isinstance(unit.belief, Created):
                self._starts.leave(unit, entry.record.owner)
        return 0

    async def _resettle(self, entry: Entry, unit: Unit) -> None:
        """Its plan has changed: another size of its data holds while it runs, a first volume from its next container
        on. What fails is tried again with that, and does not keep it from running meanwhile."""
        try:
            await self._data.settle(entry, unit.isolation)
        except WsmgrError as error:
            log.warning("data left as it is", workspace=unit.workspace, why=error.sentence)

    def _in_turn(self, entry: Entry, unit: Unit, decision: Decision) -> Decision:
        """The decision, unless it has to wait for its turn on the engine. Then nothing is done until that is there, and
        what is wanted by then is decided anew."""
        owner = entry.record.owner
        if not isinstance(decision.step, Create | Start):
            self._starts.leave(unit, owner)
        elif not self._starts.claim(unit, owner, lambda: self.nudge(entry, unit)):
            sentence = "It waits for its turn: other workspaces are being started."
            return Decision(Nothing(), decision.phase, sentence)
        return decision

    async def _observe(self, unit: Unit) -> Observed:
        if unit.belief is not None:
            return unit.belief
        why = self._engines.away(unit.isolation)
        if why is not None:
            return Unknown(f"The engine is away: {why}")
        try:
            observed = await self._engines[unit.isolation].observe(unit.workspace)
        except EngineUnavailable as error:
            await self._engines.report(unit.isolation, error)
            return Unknown(f"The engine is away: {error.sentence}")
        wake = self._wakes.get(unit)
        if isinstance(observed, Absent) and (wake is None or not wake.is_set()):
            # Nothing comes to be by itself, so that this holds until somebody has it looked at anew.
            unit.belief = observed
        return observed

    async def _notice(self, entry: Entry, unit: Unit, observed: Observed) -> None:
        """Compare what is seen with what was seen, and count an end that nobody asked for as a failure."""
        before = unit.observed
        if isinstance(observed, Unknown):
            return
        unit.observed = observed
        if isinstance(observed, Running):
            if unit.endpoint is not None and unit.endpoint != observed.endpoint:
                self._steps.lose(unit)
            return
        self._steps.lose(unit)
        unit.condemned = None
        if unit.exhausted:
            # Given up already; what a daemon before this one left behind is the end that it counted.
            return
        if entry.desired_of(unit) in {Desired.STOPPED, Desired.ABSENT}:
            # It is as wanted, whoever ended it: a daemon that died in the middle of a stop, say.
            return
        if isinstance(observed, Exited) and observed != before and observed.handle != unit.stopping:
            unit.last_exit = observed
            await self._steps.failed(entry, unit, cause_of(observed))
        elif isinstance(observed, Absent) and isinstance(before, Running) and before.handle != unit.stopping:
            unit.last_exit = None
            await self._steps.failed(entry, unit, "Its container was removed by somebody else.")

    def _world(self, entry: Entry, unit: Unit, observed: Observed) -> World:
        spec = self._fleet.spec(entry, unit.isolation)
        unit.forbidden = self._capabilities.forbids(entry, unit)
        return World(
            desired=entry.desired_of(unit),
            observed=observed,
            digest=spec.digest,
            ready=unit.endpoint is not None,
            attending=unit.attending,
            urgent=entry.urgent_for(unit),
            condemned=unit.condemned,
            failures=unit.failures,
            last_failure=unit.last_failure,
            exhausted=unit.exhausted,
            budget=entry.budget,
            room=not isinstance(observed, Absent) or self._capacity.room(entry),
            freezable=unit.freezable,
            tunable=self._groups.tunable(unit, spec.ceilings),
            adjust=self._groups.adjust(unit, spec.ceilings),
            forbidden=unit.forbidden,
            unproven=entry.limits.require_enforced and not self._capabilities.proven(unit.isolation),
        )

    async def _record(self, entry: Entry, unit: Unit, decision: Decision) -> None:
        before = unit.phase
        changed = (before, unit.reason) != (decision.phase, decision.reason)
        unit.phase, unit.reason = decision.phase, decision.reason
        if not changed:
            return
        log.debug("decided", workspace=unit.workspace, isolation=unit.isolation.value, phase=decision.phase.value,
                  reason=decision.reason, step=type(decision.step).__name__)  # fmt: skip
        if decision.phase is Phase.ERROR and before is not Phase.ERROR:
            await self._audit.say(DAEMON, "workspace.error", decision.reason, entry.record.id)
        unit.changed()

    async def _give_up_pause(self, entry: Entry, unit: Unit, observed: Observed) -> bool:
        """Whether the wish was changed: what is gone counts as stopped, and what cannot be frozen runs on."""
        if entry.record.desired is not Desired.PAUSED or unit is not entry.serving or entry.held_down:
            return False
        if isinstance(observed, Absent):
            return await self._fleet.want(entry, Desired.STOPPED, urgent=False)
        if isinstance(observed, Running) and not observed.paused and not unit.freezable:
            return await self._fleet.want(entry, Desired.RUNNING, urgent=False)
        return False

    async def _settled(self, entry: Entry, unit: Unit, observed: Observed) -> None:
        """When a removal is through for every unit, the workspace is forgotten; not under a call that wants it back."""
        if not isinstance(observed, Absent) or entry.record.desired is not Desired.ABSENT or entry.attending:
            return
        if (
            all(isinstance(u.belief, Absent) for u in entry.units.values())
            and self._fleet.find(entry.record.id) is entry
        ):
            await self._data.release(entry)
            # That took a while: a call may have come.
            if entry.record.desired is Desired.ABSENT and not entry.attending:
                await self._fleet.forget(entry)
            unit.changed()
