"""Tells the URLs that came with queued calls that those are over, however long that takes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.core.errors import InvalidRequest, StoreUnavailable, Unsupported
from wsmgr.core.execution import Execution
from wsmgr.core.ids import ExecutionId
from wsmgr.ports.caller import Caller, Refused
from wsmgr.ports.clock import Clock
from wsmgr.ports.notifier import NotDelivered
from wsmgr.ports.store import Store

log = structlog.get_logger(__name__)

BACKOFF_S = (1.0, 5.0, 30.0, 120.0)
"""The pauses after the first failures; the last one is that after all further ones."""
GIVE_UP_S = 3600.0
"""So long one is tried."""
AT_ONCE = 8
"""So many are told at the same time."""
WAITING = 1000
"""So many are looked at; what else is due is in the database."""
EVERY_S = 30.0


@dataclass(slots=True)
class _Attempts:
    first: float
    due: float
    failures: int = 0


class Callbacks:
    """What is to be told is read from the records themselves, so that a restart of the daemon loses none of it. Without
    a caller no callback is accepted."""

    def __init__(self, caller: Caller | None, store: Store, clock: Clock, audit: Audit) -> None:
        self._caller = caller
        self._store = store
        self._clock = clock
        self._audit = audit
        self._attempts: dict[ExecutionId, _Attempts] = {}
        self._news = asyncio.Event()

    def check(self, url: str) -> None:
        """Raises Unsupported or InvalidRequest when such a callback would not be made."""
        if self._caller is None:
            raise Unsupported(
                "This daemon calls nobody back: its setting callbacks is none. Poll the execution instead."
            )
        try:
            self._caller.check(url)
        except Refused as error:
            raise InvalidRequest(f"callback: {error}") from None

    def look(self) -> None:
        """An execution with a callback may be over."""
        self._news.set()

    async def run(self) -> None:
        """Deliver for ever; cancel it to end."""
        while True:
            self._news.clear()
            seconds = EVERY_S
            try:
                seconds = await self.sweep()
            except StoreUnavailable as error:
                log.warning("callbacks not read", why=error.sentence)
            except Exception:
                # They must be made in spite of a defect; the next round tries again.
                log.exception("callbacks failed")
            sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
            hearing = asyncio.ensure_future(self._news.wait())
            try:
                await asyncio.wait({sleeping, hearing}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeping.cancel()
                hearing.cancel()

    async def close(self) -> None:
        """Let go of connections."""
        if self._caller is not None:
            await self._caller.close()

    async def sweep(self) -> float:
        """Try what is due; seconds until something is due again. Raises StoreUnavailable."""
        found = await self._store.due_callbacks(WAITING)
        known = {execution for execution, _ in found}
        self._attempts = {key: value for key, value in self._attempts.items() if key in known}
        gate = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._tell(execution, url, gate) for execution, url in found))
        now = self._clock.monotonic()
        return max(0.05, min((one.due for one in self._attempts.values()), default=now + EVERY_S) - now)

    async def _tell(self, execution: ExecutionId, url: str, gate: asyncio.Semaphore) -> None:
        async with gate:
            now = self._clock.monotonic()
            attempts = self._attempts.setdefault(execution, _Attempts(now, now))
            if now < attempts.due:
                return
            record = await self._store.execution(execution)
            if record is None:
                return
            try:
                await self._call(url, record)
            except Refused as error:
                await self._give_up(record, str(error))
            except NotDelivered as error:
                if not self._has_given_up(attempts):
                    log.warning("callback not delivered", execution=execution, why=str(error))
                    return
                await self._give_up(record, str(error))
            await self._store.called_back(execution)
            self._attempts.pop(execution, None)

    async def _call(self, url: str, record: Execution) -> None:
        if self._caller is None:
            raise Refused("This daemon calls nobody back any more.")
        await self._caller.call(url, record)

    async def _give_up(self, record: Execution, why: str) -> None:
        await self._audit.say(DAEMON, "execution.callback_given_up", f"{record.id}: {why}", record.workspace)

    def _has_given_up(self, attempts: _Attempts) -> bool:
        """Count a failure; when it is due again, unless it was tried for too long."""
        now = self._clock.monotonic()
        attempts.due = now + BACKOFF_S[min(attempts.failures, len(BACKOFF_S) - 1)]
        attempts.failures += 1
        return attempts.due - attempts.first > GIVE_UP_S
