"""One soak: a storm with the daemon's own end in it, a storm around a daemon that stays, an exam, an audit."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager

from tests.soak import draw, gauge
from tests.soak.authors import Author
from tests.soak.callers import Caller
from tests.soak.chaos import EXIT_WITHIN_S, Chaos
from tests.soak.exam import Exam
from tests.soak.keepers import Keeper, Person
from tests.soak.leftovers import Look, Remains, podman_places, subordinate_uids
from tests.soak.listener import Listener
from tests.soak.logbook import audit as audit_log
from tests.soak.progress import Progress, counts
from tests.soak.records import audit as audit_records
from tests.soak.stage import Stage

CALLERS = 12
WITH_DAEMON, WARM_UP = 0.45, 0.15
"""The share of the time in which the daemon is hit too, and in which a daemon that stays warms up."""
FADES_WITHIN_S = 15.0
"""How long the processes that clean up after containers may take."""


class Soak:
    """Run it once. `minutes` is the length of the storms; the exam and the audit come on top."""

    def __init__(self, stage: Stage, minutes: float) -> None:
        self._stage = stage
        self._seconds = minutes * 60
        self._progress = Progress(stage)
        self._exam = Exam(stage)

    async def run(self) -> list[str]:
        """All violations, each one a sentence."""
        stage, say = self._stage, self._progress.say
        look = Look(stage.folder, podman_places(), subordinate_uids())
        before = look.remains()
        stage.witness.start()
        try:
            await stage.start_daemon()
            await self._exam.prepare([Author(stage, owner) for owner in draw.OWNERS])
            await self._storms()
            say("The exam.")
            await self._exam.sit()
            await self._end()
        finally:
            stage.daemon.kill()
            stage.witness.stop()
        say("The audit of what is left.")
        for sentence in audit_records(stage.daemon.state / "wsmgr.db"):
            stage.ledger.violation(sentence)
        for sentence in audit_log(stage.daemon.log.read_text(errors="replace").splitlines()):
            stage.ledger.violation(sentence)
        left = await _faded(look, before)
        for sentence in left:
            stage.ledger.violation(sentence)
        if left:
            # It has been told; whatever runs next on this host must not meet it.
            await asyncio.to_thread(stage.clear)
        self._progress.violations()
        say(counts(stage.ledger))
        return list(dict.fromkeys(stage.ledger.wrong))

    async def _storms(self) -> None:
        stage, say = self._stage, self._progress.say
        async with self._company([Listener(stage).run(), self._progress.run()]), self._company(self._actors()):
            say("Storm: calls, people, authors, and faults that also hit the daemon.")
            await self._storm(WITH_DAEMON, on_daemon=True)
            stage.daemon_goes()
            await asyncio.to_thread(stage.daemon.kill)
            await stage.start_daemon()
            say("Storm: the same around a daemon that stays; first it warms up.")
            chaos = Chaos(stage, on_daemon=False)
            await self._storm(WARM_UP, chaos=chaos)
            first = await self._exam.rest()
            say(f"At rest, warm: {first}")
            await self._storm(1 - WITH_DAEMON - WARM_UP, chaos=chaos)
            last = await self._exam.rest()
            say(f"At rest, at the end: {last}")
            if first is None or last is None:
                stage.ledger.violation("The daemon ended by itself.")
            else:
                for sentence in gauge.growth(first, last):
                    stage.ledger.violation(sentence)
            stage.end()

    def _actors(self) -> Iterable[Coroutine[None, None, None]]:
        stage = self._stage
        yield from (Caller(stage, number).run() for number in range(CALLERS))
        yield from (Author(stage, owner).run() for owner in draw.OWNERS)
        yield Person(stage, "passer-by", draw.wild_acts).run()
        yield Keeper(stage).run()

    async def _storm(self, share: float, *, chaos: Chaos | None = None, on_daemon: bool = False) -> None:
        stage = self._stage
        stage.open()
        async with self._company([(chaos or Chaos(stage, on_daemon=on_daemon)).run()]):
            await asyncio.sleep(self._seconds * share)
            await stage.calm()

    @asynccontextmanager
    async def _company(self, coroutines: Iterable[Coroutine[None, None, None]]) -> AsyncIterator[None]:
        """Tasks that run beside the block; one that fails ends the soak."""
        tasks = [asyncio.create_task(one) for one in coroutines]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome

    async def _end(self) -> None:
        """An orderly end of the daemon and of podman's service."""
        try:
            code = await asyncio.to_thread(self._stage.daemon.stop, signal.SIGTERM, EXIT_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._stage.ledger.violation(f"The daemon did not end within {EXIT_WITHIN_S:.0f} s of SIGTERM.")
        else:
            if code != 0:
                self._stage.ledger.violation(f"The daemon ended with {code}, not 0.")


async def _faded(look: Look, before: Remains) -> list[str]:
    """What is left over, once those that clean up have had their time."""
    loop = asyncio.get_running_loop()
    until = loop.time() + FADES_WITHIN_S
    while True:
        left = (await asyncio.to_thread(look.remains)).beyond(before)
        if not left or loop.time() > until:
            return left
        await asyncio.sleep(0.5)
