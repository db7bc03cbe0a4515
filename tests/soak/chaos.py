"""Breaks things: one fault after the other, each as it was drawn."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from datetime import UTC, datetime

from tests.soak import draw, processes
from tests.soak.acts import Blow, Fault
from tests.soak.stage import FAULTS, SETTINGS, Stage
from wsmgr.bootstrap.last_resort import OVERTIME_S

EXIT_WITHIN_S = float(str(SETTINGS["shutdown_deadline_s"])) + OVERTIME_S + 5
"""How long a daemon may take to its end: the last resort ends it with 1, and its log says what it waited for."""
HURRIED_WITHIN_S = 10.0
PODMAN_S = 60.0


class Chaos:
    """`on_daemon`: whether the daemon is hit too."""

    def __init__(self, stage: Stage, *, on_daemon: bool) -> None:
        self._stage = stage
        name = "chaos with the daemon" if on_daemon else "chaos around the daemon"
        self._blows = draw.blows(draw.random_of(stage.seed, name), on_daemon=on_daemon)

    async def run(self) -> None:
        """Until it is cancelled, which must happen in a calm."""
        async for blow in self._stage.each(self._blows):
            async with self._stage.acting():
                hit = await self._deal(blow)
                self._note(blow, hit=hit)
                if hit:
                    self._stage.ledger.tally["faults"] += 1
                    self._stage.ledger.tally[blow.fault.value] += 1
            await asyncio.sleep(blow.pause_s)

    def _note(self, blow: Blow, *, hit: bool) -> None:
        """In a file beside the daemon's log, to be read next to it."""
        with (self._stage.folder / FAULTS).open("a") as file:
            when = datetime.now(UTC).isoformat(timespec="milliseconds")
            file.write(f"{when} {blow.fault.value} ({blow.place.workspace}, {blow.lasts_s:.1f} s): hit {hit}\n")

    async def _deal(self, blow: Blow) -> bool:
        """Whether anybody was hit."""
        daemon, name = self._stage.daemon, processes.name_of(self._stage.daemon, blow.place.workspace)
        match blow.fault:
            case Fault.RUNTIME_KILL:
                return processes.hit(await asyncio.to_thread(processes.runtime_of, name), signal.SIGKILL)
            case Fault.RUNTIME_STOP:
                return processes.hit(await asyncio.to_thread(processes.runtime_of, name), signal.SIGSTOP)
            case Fault.MAIN_KILL:
                return processes.hit(await asyncio.to_thread(processes.main_of, name), signal.SIGKILL)
            case Fault.SERVICE_KILL:
                return processes.hit(await asyncio.to_thread(processes.service_of, daemon), signal.SIGKILL)
            case Fault.SERVICE_STOP:
                return await self._stop_service(blow.lasts_s)
            case Fault.REMOVED:
                return await self._remove(name)
            case _:
                await self._end_daemon(blow)
                return True

    async def _stop_service(self, seconds: float) -> bool:
        service = await asyncio.to_thread(processes.service_of, self._stage.daemon)
        if not processes.hit(service, signal.SIGSTOP):
            return False
        try:
            await asyncio.sleep(seconds)
        finally:
            processes.hit(service, signal.SIGCONT)
        return True

    async def _remove(self, name: str) -> bool:
        """Killed first: what podman is stopping at the moment it removes without its processes (4.3.1)."""
        return await self._podman("kill", "--signal", "KILL", name) and await self._podman("rm", "-f", "-t", "0", name)

    async def _podman(self, *arguments: str) -> bool:
        argv = ["podman", *arguments]
        try:
            done = await asyncio.to_thread(
                subprocess.run, argv, capture_output=True, text=True, timeout=PODMAN_S, check=False
            )
        except subprocess.TimeoutExpired:
            self._stage.ledger.violation(f"`{' '.join(argv)}` had no end within {PODMAN_S:.0f} s: podman is stuck.")
            return False
        return done.returncode == 0

    async def _end_daemon(self, blow: Blow) -> None:
        daemon = self._stage.daemon
        self._stage.daemon_goes()
        if blow.fault is Fault.DAEMON_KILL:
            await asyncio.to_thread(daemon.kill)
            await asyncio.sleep(blow.lasts_s)
        else:
            await self._ask_to_end(blow)
        await self._stage.start_daemon()

    async def _ask_to_end(self, blow: Blow) -> None:
        daemon, begun = self._stage.daemon, time.monotonic()
        within = EXIT_WITHIN_S
        if blow.fault is Fault.DAEMON_HURRY:
            daemon.send(signal.SIGTERM)
            await asyncio.sleep(blow.lasts_s)
            within, begun = HURRIED_WITHIN_S, time.monotonic()
        number = signal.SIGUSR1 if blow.fault is Fault.DAEMON_KEEP else signal.SIGTERM
        try:
            code = await asyncio.to_thread(daemon.stop, number, within)
        except subprocess.TimeoutExpired:
            took = time.monotonic() - begun
            self._stage.ledger.violation(f"After {blow.fault.value} the daemon did not end within {took:.0f} s.")
            await asyncio.to_thread(daemon.kill)
        else:
            if code != 0:
                self._stage.ledger.violation(f"After {blow.fault.value} the daemon ended with {code}, not 0.")
