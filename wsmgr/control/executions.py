"""Runs calls: the hot path of the daemon. A warm call with no id of the caller's touches no store, thread or task."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

from wsmgr.control.admission import Admission
from wsmgr.control.attempts import Attempts
from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.flight import Flight, record_of
from wsmgr.control.flights import Flights
from wsmgr.control.plugins import Plugins
from wsmgr.control.request import Request
from wsmgr.control.tally import Tally
from wsmgr.core.errors import Conflict, ShuttingDown, StoreUnavailable, WsmgrError
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import ExecutionId, Version, owner_of
from wsmgr.core.plugin import Language
from wsmgr.core.runtime import home_of, speaks
from wsmgr.ports.channel import Listener
from wsmgr.ports.clock import Clock
from wsmgr.ports.store import Store


class Executions:
    """Owns the calls in flight."""

    def __init__(
        self,
        fleet: Fleet,
        plugins: Plugins,
        attempts: Attempts,
        flights: Flights,
        store: Store,
        clock: Clock,
        audit: Audit,
        tally: Tally,
        admission: Admission,
    ) -> None:
        self._fleet = fleet
        self._plugins = plugins
        self._attempts = attempts
        self._flights = flights
        self._store = store
        self._clock = clock
        self._audit = audit
        self._tally = tally
        self._admission = admission
        self._named: dict[ExecutionId, tuple[Flight, asyncio.Future[Execution]]] = {}
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
        return await self.fly(self.flight(request))

    def flight(self, request: Request, listener: Listener | None = None) -> Flight:
        """A call that is about to be made, with its id."""
        return Flight(request, request.id or ExecutionId(uuid.uuid4().hex), self._clock.now(), listener)

    async def fly(self, flight: Flight) -> Execution:
        """As `run`. A call that joins another one of the same id hears only how it ends."""
        if self.refusing:
            raise ShuttingDown("The daemon is stopping and takes no new calls.", retry_after=2.0)
        if flight.request.id is not None:
            return await self._fly_named(flight)
        if flight.listener is None:
            return await self._run(flight)
        with self._flights.known(flight):
            return await self._run(flight)

    async def _fly_named(self, flight: Flight) -> Execution:
        """The same id twice shares one run, also while it is under way."""
        known = self._named.get(flight.id)
        if known is not None:
            first, result = known
            same_request(first.request.fingerprint, flight.request)
            first.joined += 1
            try:
                return await asyncio.shield(result)
            finally:
                first.joined -= 1
        result = asyncio.get_running_loop().create_future()
        self._named[flight.id] = (flight, result)
        try:
            with self._flights.known(flight):
                record = await self._run(flight)
        except BaseException as error:
            cut = ShuttingDown("The daemon stopped during the call; its record, by its id, says what became of it.")
            result.set_exception(error if isinstance(error, Exception) else cut)
            result.exception()
            raise
        else:
            result.set_result(record)
            return record
        finally:
            del self._named[flight.id]

    async def _run(self, flight: Flight) -> Execution:
        self.inflight += 1
        try:
            # Nothing is made for a call that could not run; and where it runs depends on its language.
            version, language = await self.resolve(flight.request)
            flight.request = request = at_home(flight.request, language)
            entry = self._fleet.find(request.workspace)
            if entry is not None:
                return await self._admitted(flight, entry, version)
            async with self._admission.newcomer(request.workspace):
                return await self._admitted(flight, await self._made(request), version)
        finally:
            self.inflight -= 1

    async def _made(self, request: Request) -> Entry:
        """The workspace of an owner's first call to it."""
        entry, new = await self._fleet.ensure(request.workspace)
        if new:
            await self._audit.say(DAEMON, "workspace.created", "Made for its first call.", request.workspace)
        return entry

    async def _admitted(self, flight: Flight, entry: Entry, version: Version) -> Execution:
        request = flight.request
        queued = flight.starting is not None
        admitted = self._admission.call(entry, size=request.size, inline=request.inline is not None, paid=queued)
        # From here on nothing stops or forgets the workspace that this call is for.
        with entry.unit.attend(), admitted:
            if queued:
                return await self._queued(flight, entry, version)
            if request.id is not None:
                return await self._durable(flight, entry, version)
            attempt = self._attempts.run(flight, entry, version)
            if flight.listener is not None:
                unit, outcome = await self._flights.run(flight, attempt, entry.unit)
            else:
                unit, outcome = await attempt
            return self._note(record_of(flight, entry, unit, version, outcome))

    async def _durable(self, flight: Flight, entry: Entry, version: Version) -> Execution:
        """With its begin stored before and its end before the answer."""
        first = await self._store.begin(record_of(flight, entry, entry.unit, version, None))
        if first is not None:
            same_request(first.fingerprint, flight.request)
            return _not_waiting(first)
        try:
            attempt = self._attempts.run(flight, entry, version)
            unit, outcome = await self._flights.run(flight, attempt, entry.unit)
        except WsmgrError:
            # It did not start: the same id may be tried again.
            await self._store.withdraw(flight.id)
            raise
        record = record_of(flight, entry, unit, version, outcome)
        try:
            await self._store.end(record)
        except StoreUnavailable:
            # It ran: a retry under this id must find the outcome, or `running`, and never run it again.
            self._note(record)
            raise
        self._count(record)
        return record

    async def _queued(self, flight: Flight, entry: Entry, version: Version) -> Execution:
        """Its record is there and says queued; its begin is stored when the plugin may start, its end at the end."""
        attempt = self._attempts.run(flight, entry, version)
        unit, outcome = await self._flights.run(flight, attempt, entry.unit)
        record = record_of(flight, entry, unit, version, outcome)
        try:
            await self._store.finish(record)
        except StoreUnavailable:
            self._note(record)
        else:
            self._count(record)
        return record

    def _note(self, record: Execution) -> Execution:
        self._count(record)
        self._store.note(record)
        return record

    def _count(self, record: Execution) -> None:
        failed = record.state is not ExecutionState.SUCCEEDED
        self.finished += 1
        self.failed += failed
        if record.outcome is not None:
            self._tally.note(record.workspace, record.outcome.duration_ms, failed=failed)
            if record.outcome.failure is not None and record.outcome.failure.disk_full:
                self._tally.note_refused(record.workspace)

    async def resolve(self, request: Request) -> tuple[Version, Language]:
        """The version that a call would run now, and what it is written in. Raises NotFound."""
        if request.inline is not None:
            return request.inline.version, request.inline.language
        owner = owner_of(request.workspace)
        if request.version is None:
            return await self._plugins.current(owner, request.slug)
        source = await self._plugins.source(owner, request.slug, request.version)
        return source.version, source.language


def at_home(request: Request, language: Language) -> Request:
    """The same call, to the workspace of its owner that runs this language."""
    if speaks(request.workspace, language):
        return request
    return replace(request, workspace=home_of(request.workspace, language))


def same_request(fingerprint: str, request: Request) -> None:
    """Raises Conflict when an id was used for another call."""
    if fingerprint != request.fingerprint:
        raise Conflict(
            f"The executionId {request.id!r} was used for another call. Every call needs an id of its own; "
            "the same id is only for trying the same call again.",
            details={"why": "execution_id_reused"},
        )


def _not_waiting(first: Execution) -> Execution:
    """A call that is in the queue has no outcome to be told, and is not run for the sake of another one."""
    if first.state is ExecutionState.QUEUED:
        raise Conflict(
            f"The execution {first.id!r} is in the queue, where the same call with mode=async put it. "
            "Ask for its record, or cancel it.",
            details={"why": "execution_queued"},
            retry_after=1.0,
            retryable=True,
        )
    return first
