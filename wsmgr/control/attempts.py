"""Brings an admitted call to its outcome: a unit that answers, its turn, and one try after the other."""

from __future__ import annotations

from wsmgr.control.calls import ATTEMPTS, Calls
from wsmgr.control.demand import Demand
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.flight import Flight, record_of
from wsmgr.control.request import context_of
from wsmgr.control.unit import Unit
from wsmgr.core.admission import timeout_of
from wsmgr.core.errors import NeverStarted
from wsmgr.core.ids import Version
from wsmgr.core.outcome import Outcome
from wsmgr.ports.channel import Call
from wsmgr.ports.clock import Clock


class Attempts:
    """Stateless but for its collaborators."""

    def __init__(self, fleet: Fleet, demand: Demand, calls: Calls, clock: Clock) -> None:
        self._fleet = fleet
        self._demand = demand
        self._calls = calls
        self._clock = clock

    async def run(self, flight: Flight, entry: Entry, version: Version) -> tuple[Unit, Outcome]:
        """Where it ran and how it ended. Raises WsmgrError only when the plugin provably never started."""
        self._fleet.touch(entry)
        timeout_s = timeout_of(entry.limits, flight.request.timeout_ms)
        for _ in range(ATTEMPTS):
            unit = await self._ready(entry, flight)
            with unit.attend():
                outcome = await self._in_turn(flight, entry, unit, version, timeout_s)
            if outcome is not None:
                self._fleet.touch(entry)
                return unit, outcome
        raise NeverStarted(
            "The workspace went away again and again before the call could start.",
            details={"why": "workspace_unstable", "attempts": ATTEMPTS},
            retry_after=2.0,
        )

    async def _ready(self, entry: Entry, flight: Flight) -> Unit:
        if entry.serving.endpoint is not None:
            return await self._demand.unit(entry)
        before = self._clock.monotonic()
        unit = await self._demand.unit(entry)
        flight.cold_start = True
        flight.start_ms += (self._clock.monotonic() - before) * 1000
        return unit

    async def _in_turn(
        self, flight: Flight, entry: Entry, unit: Unit, version: Version, timeout_s: float
    ) -> Outcome | None:
        """Run when it is this call's turn; None when it provably never started."""
        limits = entry.limits
        turns = self._fleet.account(entry.record.owner).turns
        before = self._clock.monotonic()
        await entry.turns.take(limits.concurrent_executions, limits.queue_timeout_s)
        try:
            left = before + limits.queue_timeout_s - self._clock.monotonic()
            await turns.take(entry.limits.total_executions, left, "owner")
            try:
                flight.queue_ms += (self._clock.monotonic() - before) * 1000
                if flight.starting is not None:
                    flight.begun = True
                    await flight.starting(record_of(flight, entry, unit, version, None))
                call = Call(
                    execution=flight.id,
                    plugin=flight.request.slug,
                    version=version,
                    input=flight.request.input,
                    context=context_of(flight.request, version, flight.id),
                    timeout_s=timeout_s,
                    output_bytes=limits.output_bytes,
                    log_bytes=limits.log_bytes,
                )
                return await self._calls.make(flight, entry, unit, call)
            finally:
                turns.give_back(entry.limits.total_executions)
        finally:
            # By the limits of now: a plan that has grown lets more of those that wait run.
            entry.turns.give_back(entry.limits.concurrent_executions)
