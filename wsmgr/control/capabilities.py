"""What each engine can enforce on this host: proven once at the start, and again when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from wsmgr.control.engines import Engines
from wsmgr.core.capability import Capability, Level
from wsmgr.core.errors import WsmgrError
from wsmgr.core.isolation import Isolation

log = structlog.get_logger(__name__)

LIMITS = ("memory", "cpu", "pids", "scratch", "network")
"""The limits of which a workspace says whether they hold."""


class Capabilities:
    """Keeps the last matrix of every engine. Proving takes seconds, so that it is never part of a call."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
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
            self._matrix[isolation] = tuple(await self._engines[isolation].capabilities())
        except WsmgrError as error:
            log.warning("capabilities could not be proven", isolation=isolation.value, why=error.sentence)
