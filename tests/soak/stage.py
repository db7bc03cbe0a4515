"""What every actor of a soak shares: the daemon, the ledger, and the gate that is shut for a calm."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.podman.daemon.rig import RealDaemon, podman
from tests.soak.ledger import Ledger
from tests.soak.witness import Witness
from wsmgr.client import AsyncClient

T = TypeVar("T")

SETTINGS: dict[str, object] = {"health_every_s": 2, "health_timeout_s": 2, "shutdown_deadline_s": 12}
"""Faster than an operator would have it, so that a soak sees more of it."""
PLANS = "plans: {FREE: {pluginVersionsKept: 10000}, PRO: {pluginVersionsKept: 10000}}\n"
"""What was acknowledged is looked for at the end, so that nothing may go by a plan meanwhile."""
FAULTS = "faults.log"
"""The file in the soak's folder that says when what was broken."""
STARTED_WITHIN_S = 60.0
"""How long the daemon may take to answer after a start."""
BACK_FOR_S = 1.0
"""For so long after a start a client may still meet a connection of the daemon before."""
CALM_WITHIN_S = 180.0
"""How long what is under way may go on: tries for a minute and a half, then a queue, a start, a call's own time."""


@dataclass(slots=True)
class Stage:
    """`folder` is the soak's own. `daemon_is_up` is false while a fault has the daemon away."""

    folder: Path
    seed: int
    ledger: Ledger = field(default_factory=Ledger)
    witness: Witness = field(default_factory=Witness)
    daemon_is_up: bool = False
    ending: bool = False
    _gate: asyncio.Event = field(default_factory=asyncio.Event)
    _acting: int = 0
    _outages: list[tuple[float, float | None]] = field(default_factory=list)
    daemon: RealDaemon = field(init=False)

    def __post_init__(self) -> None:
        plans = self.folder / "plans.yaml"
        plans.write_text(PLANS)
        self.daemon = RealDaemon(self.folder, plans_file=plans, **SETTINGS)

    def clear(self) -> None:
        """After the daemon's end: remove its containers and podman's service."""
        for one in self.daemon.containers():
            podman("rm", "-f", "-t", "0", one["Id"])
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(self.daemon.service_pid(), signal.SIGKILL)

    def client(self) -> AsyncClient:
        """A client of the daemon."""
        return AsyncClient(self.daemon.socket)

    async def start_daemon(self) -> None:
        """Have it answer."""
        await asyncio.to_thread(self.daemon.start)
        self._outages = [(begun, ended or time.monotonic()) for begun, ended in self._outages]
        self.daemon_is_up = True

    def daemon_goes(self) -> None:
        """Say so before it is done: from here on a client may go without an answer."""
        self.daemon_is_up = False
        self._outages.append((time.monotonic(), None))

    def was_away(self, since: float) -> bool:
        """Whether the daemon was on its way out, away, or on its way back at some moment from `since` (monotonic)."""
        return any(ended is None or ended + BACK_FOR_S >= since for _, ended in self._outages)

    def open(self) -> None:
        """Let the actors act."""
        self._gate.set()

    async def calm(self) -> None:
        """Let nobody begin anything, and wait for what is under way."""
        self._gate.clear()
        until = time.monotonic() + CALM_WITHIN_S
        # Actors end in many places; nothing is lost by looking twenty times a second.
        while self._acting:
            if time.monotonic() > until:
                self.ledger.violation(f"{self._acting} calls had no end {CALM_WITHIN_S:.0f} s after the last fault.")
                return
            await asyncio.sleep(0.05)

    async def each(self, acts: Iterator[T]) -> AsyncIterator[T]:
        """One act after the other, while the gate is open, until the soak ends."""
        for act in acts:
            await self._gate.wait()
            if self.ending:
                return
            yield act

    @asynccontextmanager
    async def acting(self) -> AsyncIterator[None]:
        """Something is under way, for which a calm waits."""
        self._acting += 1
        try:
            yield
        finally:
            self._acting -= 1

    def end(self) -> None:
        """Let the actors go home."""
        self.ending = True
        self._gate.set()
