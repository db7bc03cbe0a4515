"""Asks every running workspace for its health, and gives up on those that keep failing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.reconciler import Reconciler
from wsmgr.control.unit import Check, Unit
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import Channel, ChannelClosed, ChannelTimeout, ProtocolViolation
from wsmgr.ports.clock import Clock

AT_ONCE = 32
"""How many workspaces are asked at the same time, so that those that hang hold up nobody else."""


@dataclass(frozen=True, slots=True)
class Probing:
    """`timeout_s` bounds one question; `failures` in a row end the instance."""

    timeout_s: float
    failures: int


class Health:
    """A probe is not activity, and counts as no call: it neither keeps a workspace alive nor holds up its stop."""

    def __init__(self, fleet: Fleet, reconciler: Reconciler, channel: Channel, clock: Clock, probing: Probing) -> None:
        self._fleet = fleet
        self._reconciler = reconciler
        self._channel = channel
        self._clock = clock
        self._probing = probing

    async def sweep(self) -> None:
        """Ask every unit whose runtime is known to answer, once."""
        asked = [(entry, unit) for entry in self._fleet for unit in entry.units.values() if unit.endpoint is not None]
        left = iter(asked)

        async def some() -> None:
            for entry, unit in left:
                await self.probe(entry, unit)

        await asyncio.gather(*(some() for _ in range(min(AT_ONCE, len(asked)))))

    async def probe(self, entry: Entry, unit: Unit) -> None:
        """Ask one, and record what it said of the instance that was asked, if that still serves."""
        endpoint = unit.endpoint
        if endpoint is None:
            return
        at, closed, hung = self._clock.now(), False, False
        try:
            health = await self._channel.health(endpoint, self._probing.timeout_s)
            why = None if health.status == "healthy" else f"it says that it is {health.status!r}"
        except ChannelTimeout as error:
            why, hung = str(error), True
        except ChannelClosed as error:
            why, closed = str(error), True
        except ProtocolViolation as error:
            why = str(error)
        if unit.endpoint != endpoint:
            return
        failures = 0 if why is None else unit.check_failures + 1
        unit.checked = Check(endpoint, healthy=why is None, at=at, failures=failures)
        if why is not None and failures >= self._probing.failures:
            self._condemn(entry, unit, endpoint, why, hung=hung)
        elif closed:
            # Most likely it ended: the engine knows, and can tell why.
            self._reconciler.nudge(entry, unit, look=True)

    def _condemn(self, entry: Entry, unit: Unit, endpoint: Endpoint, why: str, *, hung: bool) -> None:
        times = self._probing.failures
        cause = (
            f"It hung: it did not answer its health check {times} times."
            if hung
            else f"It failed its health check {times} times: {why.removesuffix('.')}."
        )
        if unit.suspect(endpoint, cause):
            self._channel.forget(endpoint)
        self._reconciler.nudge(entry, unit, look=True)
