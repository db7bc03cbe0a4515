"""Calls that their callers do not wait for: kept first, then started by the daemon itself, each at most once."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from wsmgr.control.admission import Admission
from wsmgr.control.executions import Executions, at_home, same_request
from wsmgr.control.flight import Flight, cancelled_by_caller, queued_record, without_output
from wsmgr.control.lanes import Lanes, Waiting
from wsmgr.control.parcel import packed, unpacked
from wsmgr.control.request import Request
from wsmgr.control.tasks import end_all
from wsmgr.control.terms import Terms
from wsmgr.core.errors import Conflict, ShuttingDown, StoreUnavailable, WsmgrError
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import ExecutionId, OwnerKey, owner_of
from wsmgr.core.outcome import Failure, FailureType
from wsmgr.ports.clock import Clock
from wsmgr.ports.store import Store

log = structlog.get_logger(__name__)

BACKOFF_S = (0.5, 2.0, 10.0, 30.0)
"""The pauses after the first tries that could not start a call; the last one is that after all further ones."""
GIVE_UP_S = 3600.0
"""For so long after the first try a call is tried again."""
LOOK_S = 60.0
"""So often the queue looks whether there is something to do, whatever it was told."""


@dataclass(slots=True, eq=False)
class _Try:
    """A call that is being started or runs."""

    waiting: Waiting
    flight: Flight | None = None


class Queue:
    """`over` hears that one has ended. `at_once` calls are started or run at the same time, and of one owner at most
    half of them."""

    def __init__(
        self,
        executions: Executions,
        store: Store,
        terms: Terms,
        admission: Admission,
        clock: Clock,
        over: Callable[[], None],
        at_once: int,
    ) -> None:
        self._executions = executions
        self._store = store
        self._terms = terms
        self._admission = admission
        self._clock = clock
        self._over = over
        self._at_once = at_once
        self._lanes = Lanes()
        self._most: dict[OwnerKey, int] = {}
        self._arriving: Counter[OwnerKey] = Counter()
        self._tries: dict[asyncio.Task[None], _Try] = {}
        self._news = asyncio.Event()
        self._unsure = False
        self._stopping = False

    @property
    def waiting(self) -> int:
        """How many calls wait to be started."""
        return len(self._lanes)

    async def load(self) -> None:
        """Take in what is kept and not known yet. Raises StoreUnavailable."""
        records = await self._store.queued()
        for owner in {owner_of(record.workspace) for record in records}:
            self._most[owner] = (await self._terms.limits(owner)).total_executions
        for record in records:
            self._take_in(record)

    async def put(self, request: Request, callback: str | None) -> Execution:
        """Queue a call; once this returns it is run however often the daemon ends. The record of the first one where
        the id was used before. Raises QuotaExceeded, TooLarge, NotFound, Conflict, StoreUnavailable."""
        if self._stopping or self._executions.refusing:
            raise ShuttingDown("The daemon is stopping and takes no new calls.", retry_after=2.0)
        if request.id is not None:
            first = await self._store.execution(request.id)
            if first is not None:
                return self._known(first, request)
        owner = owner_of(request.workspace)
        terms = self._terms.of(await self._terms.owner(owner))
        version, language = await self._executions.resolve(request)
        name = request.id or ExecutionId(uuid.uuid4().hex)
        request = replace(at_home(request, language), id=name)
        record = queued_record(request, name, version, terms.isolation, self._clock.now())
        parcel = packed(request)
        limits = terms.plan.limits
        before = self._lanes.of(owner) + self._arriving[owner]
        inline = request.inline is not None
        self._admission.queued(owner, limits, size=request.size, inline=inline, queued=before, given=request.input)
        self._most[owner] = limits.total_executions
        return await self._keep(record, parcel, callback, request)

    async def cancel(self, execution: ExecutionId) -> Execution | None:
        """End a call that waits; its record then. None when none of that id waits here."""
        waiting = self._lanes.find(execution)
        if waiting is None:
            return None
        waiting.cancelled = True
        over = await self._end(waiting, cancelled_by_caller())
        if over is not None:
            self._lanes.gone(waiting)
        return over

    async def run(self) -> None:
        """Start what is due, for ever; cancel it to end."""
        while True:
            self._news.clear()
            try:
                if self._unsure:
                    self._unsure = False
                    await self.load()
                self._start_due()
            except StoreUnavailable as error:
                self._unsure = True
                log.warning("the queue was not read", why=error.sentence)
            except Exception:
                # A queue that stood still would be missed only much later; the defect is logged and it goes on.
                log.exception("the queue failed")
            await self._wait()

    async def stop(self) -> None:
        """Start nothing more. Calls that have not begun stay queued, for the next daemon; the others go on."""
        self._stopping = True
        early = [task for task, one in self._tries.items() if one.flight is None or not one.flight.begun]
        await end_all(early)

    async def close(self) -> None:
        """End what is left, after the workspaces have."""
        await end_all(list(self._tries))

    def _known(self, first: Execution, request: Request) -> Execution:
        same_request(first.fingerprint, request)
        if first.state is ExecutionState.QUEUED:
            self._take_in(first)
        return first

    async def _keep(self, record: Execution, parcel: bytes, callback: str | None, request: Request) -> Execution:
        owner = owner_of(record.workspace)
        self._arriving[owner] += 1
        try:
            first = await self._store.enqueue(record, parcel, callback)
        except StoreUnavailable:
            self._unsure = True  # it may be kept in spite of that
            raise
        finally:
            self._arriving[owner] -= 1
            if not self._arriving[owner]:
                del self._arriving[owner]
        if first is not None:
            return self._known(first, request)
        self._take_in(record)
        return record

    def _take_in(self, record: Execution) -> None:
        if self._lanes.find(record.id) is None:
            self._lanes.add(Waiting(record))
        self._news.set()

    def _start_due(self) -> None:
        most = max(1, self._at_once // 2)
        while not self._stopping and self._lanes.taken < self._at_once:
            waiting = self._lanes.take(self._clock.monotonic(), self._most, most)
            if waiting is None:
                return
            one = _Try(waiting)
            task = asyncio.create_task(self._try(one), name=f"queued {waiting.record.id}")
            self._tries[task] = one
            task.add_done_callback(self._tried)

    def _tried(self, task: asyncio.Task[None]) -> None:
        one = self._tries.pop(task)
        if not task.cancelled() and task.exception() is not None:
            # Its record says how far it came; the next start of the daemon makes it queued or lost.
            log.error("a queued call met a defect", exc_info=task.exception())
            self._lanes.gone(one.waiting)
        self._news.set()
        self._over()

    async def _wait(self) -> None:
        now = self._clock.monotonic()
        due = self._lanes.next_due(now)
        seconds = LOOK_S if due is None else min(LOOK_S, due - now)
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        hearing = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait({sleeping, hearing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            hearing.cancel()

    async def _try(self, one: _Try) -> None:
        """Run a call by the ordinary path; put it back where it provably did not start."""
        waiting = one.waiting
        if waiting.tried is None:
            waiting.tried = self._clock.monotonic()
        try:
            parcel = await self._store.queued_call(waiting.record.id)
            if parcel is None or waiting.cancelled:
                self._lanes.gone(waiting)
                return
            one.flight = self._flight(waiting, unpacked(parcel))
            await self._executions.fly(one.flight)
        except ShuttingDown:
            await self._back(one)
        except WsmgrError as error:
            await self._not_started(one, error)
        else:
            self._lanes.gone(waiting)

    def _flight(self, waiting: Waiting, request: Request) -> Flight:
        flight = self._executions.flight(request)
        flight.created_at = waiting.record.created_at
        flight.queue_ms = max(0.0, (self._clock.now() - flight.created_at).total_seconds() * 1000)

        async def starting(record: Execution) -> None:
            if waiting.cancelled or not await self._store.start_queued(record):
                raise _Over

        flight.starting = starting
        return flight

    async def _not_started(self, one: _Try, error: WsmgrError) -> None:
        waiting = one.waiting
        now = self._clock.monotonic()
        first = waiting.tried if waiting.tried is not None else now
        if isinstance(error, _Over):
            self._lanes.gone(waiting)
            return
        if not error.retryable or now - first > GIVE_UP_S:
            why = Failure(FailureType.NEVER_STARTED, f"The queued call could not be started: {error.sentence}")
            try:
                await self._end(waiting, why)
            except StoreUnavailable:
                await self._back(one)
            else:
                self._lanes.gone(waiting)
            return
        log.info("queued call not started yet", execution=waiting.record.id, why=error.sentence)
        await self._back(one)

    async def _back(self, one: _Try) -> None:
        """To the queue, as it had not been taken from there."""
        waiting = one.waiting
        pause = BACKOFF_S[min(waiting.failures, len(BACKOFF_S) - 1)]
        waiting.failures += 1
        if one.flight is not None and one.flight.begun:
            try:
                await self._store.requeue(waiting.record.id)
            except StoreUnavailable as error:
                # Until it starts, or the daemon does, its record says that it runs.
                log.warning("queued call not put back", execution=waiting.record.id, why=error.sentence)
        self._lanes.give_back(waiting, self._clock.monotonic() + pause)

    async def _end(self, waiting: Waiting, why: Failure) -> Execution | None:
        """Store the end of a call that did not run; None when it was over before."""
        cancelled = why.type is FailureType.CANCELLED
        state = ExecutionState.CANCELLED if cancelled else ExecutionState.FAILED
        record = replace(waiting.record, state=state, outcome=without_output(why))
        finished = await self._store.finish(record)
        self._over()
        return record if finished else None


class _Over(Conflict):
    """It was cancelled before it could start."""

    def __init__(self) -> None:
        super().__init__("The execution was cancelled before it started.")
