"""The live view of all workspaces: worked out once a second for all who watch, and not at all while nobody does.

A reader is told what has changed since it was told before: one that is slow hears less often of more, and never has a
backlog. Readers that are as far as each other share the very bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import structlog

from wsmgr.api.identity import Identity
from wsmgr.api.roster import Roster
from wsmgr.control.daemon import Daemon
from wsmgr.core.errors import QuotaExceeded
from wsmgr.wire.fleet import FleetCaller

log = structlog.get_logger(__name__)

EVERY_S = 1.0
BEAT = b": \n\n"
BEAT_AFTER_S = 1.5
"""A reader hears something after so long even when it takes longer to find what has changed."""


class LiveFleet:
    """At most `most` watch at once. One event loop uses it."""

    def __init__(self, daemon: Daemon, *, most: int = 64) -> None:
        self._daemon = daemon
        self._most = most
        self.roster = Roster(daemon)
        self.readers = 0
        self._looking: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()
        self._fresh = False

    def join(self) -> None:
        """One more watches; `leave` when that ends. Raises QuotaExceeded."""
        if self.readers >= self._most:
            raise QuotaExceeded(f"{self._most} watch already; end one of them.", details={"limit": "watchers"})
        self.readers += 1
        if self._looking is None or self._looking.done():
            self._fresh = False
            self._looking = asyncio.create_task(self._look(), name="live view")

    def leave(self) -> None:
        """One less."""
        self.readers -= 1
        if not self.readers and self._looking is not None:
            self._looking.cancel()

    async def follow(self, caller: Identity) -> AsyncGenerator[bytes, None]:
        """For one who has joined: who they are, everything, then what changes, with a sign of life each second. Ends
        with the daemon."""
        # Sent at once, so that a client knows that it is heard.
        yield _hello(caller)
        known: int | None = None
        while not self._daemon.feed.closed:
            if self._fresh and known != self.roster.number:
                frame, known = self.roster.frame(known), self.roster.number
                yield frame + BEAT
            else:
                yield BEAT
            await self._next()

    async def _next(self) -> None:
        """Return after the next look, or when a sign of life is due."""
        try:
            async with asyncio.timeout(BEAT_AFTER_S):
                await self._looked.wait()
        except TimeoutError:
            return

    async def _look(self) -> None:
        clock = self._daemon.clock
        while not self._daemon.feed.closed:
            began = clock.monotonic()
            try:
                await self.roster.look()
                self._fresh = True
            except Exception:
                # Readers go on hearing that the daemon lives; the next look tries again.
                log.exception("live view failed")
            looked, self._looked = self._looked, asyncio.Event()
            looked.set()
            await clock.sleep(max(EVERY_S / 10, EVERY_S - (clock.monotonic() - began)))


def _hello(caller: Identity) -> bytes:
    told = FleetCaller(actor=caller.actor, role=caller.role.value)
    return b"retry: 1000\n\nevent: caller\ndata: %b\n\n" % told.model_dump_json().encode()
