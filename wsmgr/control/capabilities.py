"""What each engine can enforce on this host: proven once at the start, and again when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from wsmgr.control.engines import Engines
from wsmgr.control.entry import Entry
from wsmgr.control.unit import Unit
from wsmgr.core.capability import Capability, Level
from wsmgr.core.cgroup import Ceilings
from wsmgr.core.errors import WsmgrError
from wsmgr.core.isolation import Isolation
from wsmgr.ports.clock import Clock
from wsmgr.ports.volumes import Volumes

log = structlog.get_logger(__name__)

PROVE_AGAIN_S = 60.0
"""The least time between two proofs."""

DEMANDED = ("memory", "cpu", "pids")
"""What a plan with `requireEnforcedLimits` does not run without."""

LIMITS = ("memory", "cpu", "pids", "scratch", "network")
"""The limits of which a workspace says whether they hold."""


class Capabilities:
    """Keeps the last matrix of every engine. Proving takes seconds, so that it is never part of a call."""

    def __init__(self, engines: Engines, volumes: Volumes, clock: Clock) -> None:
        self._engines = engines
        self._volumes = volumes
        self._clock = clock
        self._doubted = asyncio.Event()
        self._matrix: dict[Isolation, tuple[Capability, ...]] = {}
        self._proving = asyncio.Lock()

    async def matrix(self) -> Mapping[Isolation, Sequence[Capability]]:
        """What was proven; proves it first where that has not been done."""
        async with self._proving:
            for engine in self._engines:
                if engine.isolation not in self._matrix:
                    await self._prove(engine.isolation)
        return dict(self._matrix)

    def enforced(self, isolation: Isolation) -> dict[str, bool]:
        """For each limit whether it was seen to hold; all False before anything was proven."""
        levels = {one.name: one.level for one in self._matrix.get(isolation, ())}
        return {name: levels.get(name) is Level.ENFORCED for name in LIMITS}

    def level(self, isolation: Isolation, name: str) -> Level:
        """How far one capability was seen to hold; ABSENT before anything was proven."""
        return next((one.level for one in self._matrix.get(isolation, ()) if one.name == name), Level.ABSENT)

    def enforced_on(self, unit: Unit) -> dict[str, bool]:
        """As `enforced`, with what the kernel itself says of this one where it runs: also that it has no group of its
        own on a host that was seen to give others one."""
        found = self.enforced(unit.isolation)
        if unit.kernel is None:
            return found
        held = unit.kernel.ceilings
        if held is None and self.level(unit.isolation, "freeze") is Level.ENFORCED:
            held = Ceilings()
        if held is not None:
            found |= {
                "memory": held.memory_bytes is not None,
                "cpu": held.cpus is not None,
                "pids": held.pids is not None,
            }
        return found

    def proven(self, isolation: Isolation) -> bool:
        """Whether it is known what the engine enforces."""
        return isolation in self._matrix

    def doubt(self, isolation: Isolation) -> None:
        """A workspace lacks what was proven: nothing is claimed any more until that has been proven anew."""
        if self._matrix.pop(isolation, None) is not None:
            log.warning("what this host enforces has changed; it is proven anew", isolation=isolation.value)
            self._doubted.set()

    async def watch(self) -> None:
        """Prove at the start, and again when there is a doubt, but not more often than once in a while."""
        while True:
            self._doubted.clear()
            await self.prove()
            await self._clock.sleep(PROVE_AGAIN_S)
            await self._doubted.wait()

    def forbids(self, entry: Entry, unit: Unit) -> str | None:
        """Why its plan lets it not run here: it demands limits that are not seen to hold for it. None: it may run."""
        if not entry.limits.require_enforced:
            return None
        if not self.proven(unit.isolation) and (unit.kernel is None or unit.kernel.ceilings is None):
            return None
        held = self.enforced_on(unit)
        lacking = ", ".join(name for name in DEMANDED if not held[name])
        if not lacking:
            return None
        if held != self.enforced(unit.isolation):
            self.doubt(unit.isolation)
        return f"Its plan demands limits that are not enforced: {lacking}; `wsmgr doctor` says how to mend that."

    def gaps(self, isolation: Isolation) -> list[str]:
        """The limits that were tried and do not hold; none before anything was proven."""
        levels = {one.name: one.level for one in self._matrix.get(isolation, ())}
        return [name for name in LIMITS if name in levels and levels[name] is not Level.ENFORCED]

    async def prove(self) -> None:
        """Prove everything anew and log what does not hold."""
        self._matrix.clear()
        for isolation, lines in (await self.matrix()).items():
            gaps = [line.name for line in lines if line.level is not Level.ENFORCED]
            if gaps:
                log.warning("this host does not enforce everything", isolation=isolation.value, gaps=gaps,
                            see="wsmgr doctor")  # fmt: skip

    async def _prove(self, isolation: Isolation) -> None:
        if self._engines.away(isolation) is not None:
            return
        try:
            found = tuple(await self._engines[isolation].capabilities())
        except WsmgrError as error:
            log.warning("capabilities could not be proven", isolation=isolation.value, why=error.sentence)
            return
        self._matrix[isolation] = (*found, await self._volumes.prove()) if isolation is Isolation.CONTAINER else found
