"""Runs calls: the hot path of the daemon. A warm call with no id of the caller's touches no store, thread or task."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from datetime import datetime

from wsmgr.control.admission import Admission
from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.calls import ATTEMPTS, Calls
from wsmgr.control.demand import Demand
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.plugins import Plugins
from wsmgr.control.request import Request, context_of
from wsmgr.control.tally import Tally
from wsmgr.control.unit import Unit
from wsmgr.core.admission import timeout_of
from wsmgr.core.errors import Conflict, NeverStarted, ShuttingDown, StoreUnavailable, WsmgrError
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import ExecutionId, Version, owner_of
from wsmgr.core.outcome import Outcome
from wsmgr.ports.channel import Call
from wsmgr.ports.clock import Clock
from wsmgr.ports.store import ExecutionStore


@dataclass(slots=True)
class _Progress:
    """What is known of a call while it runs; becomes its record."""

    id: ExecutionId
    created_at: datetime
    cold_start: bool = False
    start_ms: float = 0.0
    queue_ms: float = 0.0


class Executions:
    """Owns the calls in flight."""

    def __init__(
        self,
        fleet: Fleet,
        plugins: Plugins,
        demand: Demand,
        calls: Calls,
        store: ExecutionStore,
        clock: Clock,
        audit: Audit,
        tally: Tally,
        admission: Admission,
    ) -> None:
        self._fleet = fleet
        self._plugins = plugins
        self._demand = demand
        self._calls = calls
        self._store = store
        self._clock = clock
        self._audit = audit
        self._tally = tally
        self._admission = admission
        self._named: dict[ExecutionId, tuple[str, asyncio.Future[Execution]]] = {}
        self.refusing = False
        self.inflight = 0
        self.finished = 0
        self.failed = 0

    def refuse(self) -> None:
        """Take no new calls."""
        self.refusing = True

    async def drain(self, deadline_s: float) -> bool:
        """Wait until no call is in flight; False when `deadline_s` seconds did not suffice."""
        until = self._clock.monotonic() + deadline_s
        while self.inflight and self._clock.monotonic() < until:
            await self._clock.sleep(0.02)
        return not self.inflight

    async def run(self, request: Request) -> Execution:
        """Run a call to its end. User code that fails is an outcome; raises WsmgrError when it did not run."""
        if self.refusing:
            raise ShuttingDown("The daemon is stopping and takes no new calls.", retry_after=2.0)
        if request.id is not None:
            return await self._run_named(request, request.id)
        return await self._run(request, ExecutionId(uuid.uuid4().hex))

    async def _run_named(self, request: Request, execution: ExecutionId) -> Execution:
        """The same id twice shares one run, also while it is under way."""
        known = self._named.get(execution)
        if known is not None:
            fingerprint, result = known
            _same_request(fingerprint, request)
            return await asyncio.shield(result)
        result = asyncio.get_running_loop().create_future()
        self._named[execution] = (request.fingerprint, result)
        try:
            record = await self._run(request, execution)
        except BaseException as error:
            cut = ShuttingDown("The daemon stopped during the call; its record, by its id, says what became of it.")
            result.set_exception(error if isinstance(error, Exception) else cut)
            result.exception()
            raise
        else:
            result.set_result(record)
            return record
        finally:
            del self._named[execution]

    async def _run(self, request: Request, execution: ExecutionId) -> Execution:
        self.inflight += 1
        try:
            entry = self._fleet.find(request.workspace)
            if entry is not None:
                return await self._admitted(request, entry, execution)
            # Nothing is made for a call that could not run.
            await self._resolve(request)
            async with self._admission.newcomer(request.workspace):
                return await self._admitted(request, await self._made(request), execution)
        finally:
            self.inflight -= 1

    async def _made(self, request: Request) -> Entry:
        """The workspace of an owner's first call to it."""
        entry, new = await self._fleet.ensure(request.workspace)
        if new:
            await self._audit.say(DAEMON, "workspace.created", "Made for its first call.", request.workspace)
        return entry

    async def _admitted(self, request: Request, entry: Entry, execution: ExecutionId) -> Execution:
        admitted = self._admission.call(
            entry, size=request.size, inline=request.inline is not None, given=request.input
        )
        # From here on nothing stops or forgets the workspace that this call is for.
        with entry.unit.attend(), admitted:
            version = await self._resolve(request)
            progress = _Progress(execution, self._clock.now())
            if request.id is None:
                unit, outcome = await self._attended(request, entry, version, progress)
                return self._note(self._record(request, entry, unit, version, progress, outcome))
            return await self._durable(request, entry, version, progress)

    async def _durable(self, request: Request, entry: Entry, version: Version, progress: _Progress) -> Execution:
        """As `_attended`, with its begin stored before and its end before the answer."""
        first = await self._store.begin(self._record(request, entry, entry.unit, version, progress, None))
        if first is not None:
            _same_request(first.fingerprint, request)
            return first
        try:
            unit, outcome = await self._attended(request, entry, version, progress)
        except WsmgrError:
            # It did not start: the same id may be tried again.
            await self._store.withdraw(progress.id)
            raise
        record = self._record(request, entry, unit, version, progress, outcome)
        try:
            await self._store.end(record)
        except StoreUnavailable:
            # It ran: a retry under this id must find the outcome, or `running`, and never run it again.
            self._note(record)
            raise
        self._count(record)
        return record

    async def _attended(
        self, request: Request, entry: Entry, version: Version, progress: _Progress
    ) -> tuple[Unit, Outcome]:
        """Where it ran and how it ended. Raises WsmgrError only when the plugin provably never started."""
        self._fleet.touch(entry)
        timeout_s = timeout_of(entry.limits, request.timeout_ms)
        for _ in range(ATTEMPTS):
            unit = await self._ready(entry, progress)
            with unit.attend():
                outcome = await self._in_turn(request, entry, unit, version, timeout_s, progress)
            if outcome is not None:
                self._fleet.touch(entry)
                return unit, outcome
        raise NeverStarted(
            "The workspace went away again and again before the call could start.",
            details={"why": "workspace_unstable", "attempts": ATTEMPTS},
            retry_after=2.0,
        )

    async def _ready(self, entry: Entry, progress: _Progress) -> Unit:
        if entry.serving.endpoint is not None:
            return await self._demand.unit(entry)
        before = self._clock.monotonic()
        unit = await self._demand.unit(entry)
        progress.cold_start = True
        progress.start_ms += (self._clock.monotonic() - before) * 1000
        return unit

    async def _in_turn(
        self, request: Request, entry: Entry, unit: Unit, version: Version, timeout_s: float, progress: _Progress
    ) -> Outcome | None:
        """Run when it is this call's turn; None when it provably never started."""
        limits = entry.limits
        turns = self._fleet.account(entry.record.owner).turns
        before = self._clock.monotonic()
        await entry.turns.take(limits.concurrent_executions, limits.queue_timeout_s)
        try:
            left = before + limits.queue_timeout_s - self._clock.monotonic()
            await turns.take(entry.limits.total_executions, left, "owner")
            try:
                progress.queue_ms += (self._clock.monotonic() - before) * 1000
                call = Call(
                    execution=progress.id,
                    plugin=request.slug,
                    version=version,
                    input=request.input,
                    context=context_of(request, version, progress.id),
                    timeout_s=timeout_s,
                    output_bytes=limits.output_bytes,
                    log_bytes=limits.log_bytes,
                )
                return await self._calls.make(request, entry, unit, call)
            finally:
                turns.give_back(entry.limits.total_executions)
        finally:
            # By the limits of now: a plan that has grown lets more of those that wait run.
            entry.turns.give_back(entry.limits.concurrent_executions)

    def _note(self, record: Execution) -> Execution:
        self._count(record)
        self._store.note(record)
        return record

    def _count(self, record: Execution) -> None:
        failed = record.state is ExecutionState.FAILED
        self.finished += 1
        self.failed += failed
        if record.outcome is not None:
            self._tally.note(record.workspace, record.outcome.duration_ms, failed=failed)
            if record.outcome.failure is not None and record.outcome.failure.disk_full:
                self._tally.note_refused(record.workspace)

    async def _resolve(self, request: Request) -> Version:
        if request.inline is not None:
            return request.inline.version
        owner = owner_of(request.workspace)
        if request.version is None:
            return await self._plugins.current(owner, request.slug)
        return (await self._plugins.source(owner, request.slug, request.version)).version

    def _record(
        self,
        request: Request,
        entry: Entry,
        unit: Unit,
        version: Version,
        progress: _Progress,
        outcome: Outcome | None,
    ) -> Execution:
        if outcome is None:
            state = ExecutionState.RUNNING
        else:
            state = ExecutionState.SUCCEEDED if outcome.failure is None else ExecutionState.FAILED
        return Execution(
            id=progress.id,
            workspace=request.workspace,
            plugin=request.slug,
            version=version,
            state=state,
            isolation=unit.isolation,
            degraded=unit.isolation is not entry.isolation,
            cold_start=progress.cold_start,
            created_at=progress.created_at,
            queue_ms=progress.queue_ms,
            start_ms=progress.start_ms,
            fingerprint=request.fingerprint,
            outcome=outcome,
        )


def _same_request(fingerprint: str, request: Request) -> None:
    if fingerprint != request.fingerprint:
        raise Conflict(
            f"The executionId {request.id!r} was used for another call. Every call needs an id of its own; "
            "the same id is only for trying the same call again.",
            details={"why": "execution_id_reused"},
        )
