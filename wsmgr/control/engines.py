"""Which engines there are, and which of them can do work now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping

import structlog

from wsmgr.core.errors import EngineUnavailable, Unsupported, WsmgrError
from wsmgr.core.isolation import Isolation
from wsmgr.ports.clock import Clock
from wsmgr.ports.engine import Engine

log = structlog.get_logger(__name__)

Change = Callable[[Isolation, str | None], Awaitable[None]]


class Engines:
    """Knows each engine's sign of life. A report of trouble marks it away at once; only a ping brings it back."""

    def __init__(self, engines: Mapping[Isolation, Engine], clock: Clock, *, probe_s: float, every_s: float = 10.0):
        self._engines = dict(engines)
        self._clock = clock
        self._probe_s = probe_s
        self._every_s = every_s
        self._away: dict[Isolation, str] = {}
        self._trouble = asyncio.Event()
        self._listeners: list[Change] = []

    def __getitem__(self, isolation: Isolation) -> Engine:
        """The engine of an isolation. Raises Unsupported when this daemon has none."""
        try:
            return self._engines[isolation]
        except KeyError:
            raise Unsupported(f"This daemon has no engine for the isolation {isolation.value!r}.") from None

    def __iter__(self) -> Iterator[Engine]:
        return iter(self._engines.values())

    def on_change(self, listener: Change) -> None:
        """Call `listener(isolation, why)` when an engine goes away (`why` is a sentence) or is back (None)."""
        self._listeners.append(listener)

    def away(self, isolation: Isolation) -> str | None:
        """Why the engine cannot work now; None when it can."""
        return self._away.get(isolation)

    async def report(self, isolation: Isolation, error: EngineUnavailable) -> None:
        """Somebody met this error: the engine is away until a ping succeeds."""
        self._trouble.set()
        if isolation not in self._away:
            await self._tell(isolation, error.sentence)

    async def open(self) -> None:
        """Open all engines; one that is away now is opened again by `watch`."""
        for isolation, engine in self._engines.items():
            try:
                await engine.open()
            except EngineUnavailable as error:
                await self.report(isolation, error)

    async def close(self) -> None:
        """Close all engines."""
        for engine in self._engines.values():
            await engine.close()

    async def watch(self) -> None:
        """Ping for ever: often while one is away, else now and then."""
        while True:
            self._trouble.clear()
            for isolation in self._engines:
                await self.probe(isolation)
            pause = self._clock.sleep(1.0 if self._away else self._every_s)
            waits = [asyncio.ensure_future(pause), asyncio.ensure_future(self._trouble.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                # A report starts a probe soon, not at once: a dying service answers the first ping more often than not.
                await self._clock.sleep(0.2)
            finally:
                for wait in waits:
                    wait.cancel()

    async def probe(self, isolation: Isolation) -> None:
        """Ask one engine for a sign of life and tell the listeners of a change."""
        engine = self._engines[isolation]
        try:
            async with asyncio.timeout(self._probe_s):
                if isolation in self._away:
                    await engine.open()
                await engine.ping()
        except TimeoutError:
            await self.report(isolation, EngineUnavailable(f"The engine gave no answer within {self._probe_s:.0f} s."))
        except EngineUnavailable as error:
            await self.report(isolation, error)
        except WsmgrError as error:
            await self.report(isolation, EngineUnavailable(error.sentence))
        else:
            if isolation in self._away:
                await self._tell(isolation, None)

    async def _tell(self, isolation: Isolation, why: str | None) -> None:
        if why is None:
            self._away.pop(isolation, None)
            log.info("engine is back", isolation=isolation.value)
        else:
            self._away[isolation] = why
            log.warning("engine is away", isolation=isolation.value, why=why)
        for listener in self._listeners:
            await listener(isolation, why)
