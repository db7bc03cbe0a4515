"""One call while it is under way, and the record that it becomes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from wsmgr.control.entry import Entry
from wsmgr.control.request import Request
from wsmgr.control.unit import Unit
from wsmgr.core.execution import Execution, ExecutionState, state_of
from wsmgr.core.ids import ExecutionId, Version
from wsmgr.core.isolation import Isolation
from wsmgr.core.outcome import Failure, FailureType, Outcome
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import Listener

UNRESOLVED = Version("")


@dataclass(slots=True, eq=False)
class Flight:
    """A call, from its arrival to its end.

    `version` is the one that runs, UNRESOLVED until that is looked up. `input_kept`: its record has the input, too.
    `listener` hears what the plugin prints and emits. `starting` is awaited with the record right before the plugin may
    start, and `begun` is set before that. `work` is the task that brings it to its outcome, where it has its own one;
    `endpoint` is where it was sent last; `joined`: how many others wait for the same outcome. `cancelled`: its caller
    asked for its end, and whoever waits for that hears it from `landed`.
    """

    request: Request
    id: ExecutionId
    created_at: datetime
    version: Version = UNRESOLVED
    input_kept: bool = False
    listener: Listener | None = None
    starting: Callable[[Execution], Awaitable[None]] | None = None
    begun: bool = False
    cold_start: bool = False
    start_ms: float = 0.0
    queue_ms: float = 0.0
    work: asyncio.Task[tuple[Unit, Outcome]] | None = None
    endpoint: Endpoint | None = None
    joined: int = 0
    cancelled: bool = False
    landed: asyncio.Event | None = None


def record_of(flight: Flight, entry: Entry, unit: Unit, outcome: Outcome | None) -> Execution:
    """The record of a call that ran on `unit`; without an outcome it runs."""
    return Execution(
        id=flight.id,
        workspace=flight.request.workspace,
        plugin=flight.request.slug,
        version=flight.version,
        state=state_of(outcome),
        isolation=unit.isolation,
        degraded=unit.isolation is not entry.isolation,
        cold_start=flight.cold_start,
        created_at=flight.created_at,
        queue_ms=flight.queue_ms,
        start_ms=flight.start_ms,
        fingerprint=flight.request.fingerprint,
        outcome=outcome,
        input=flight.request.input if flight.input_kept else None,
        input_kept=flight.input_kept,
    )


def queued_record(
    request: Request, execution: ExecutionId, version: Version, isolation: Isolation, now: datetime
) -> Execution:
    """The record of a call that waits to be started; `version` and `isolation` are what they would be now."""
    return Execution(
        id=execution,
        workspace=request.workspace,
        plugin=request.slug,
        version=version,
        state=ExecutionState.QUEUED,
        isolation=isolation,
        degraded=False,
        cold_start=False,
        created_at=now,
        queue_ms=0.0,
        start_ms=0.0,
        fingerprint=request.fingerprint,
        outcome=None,
    )


def cancelled_by_caller() -> Failure:
    """Why it ended."""
    return Failure(FailureType.CANCELLED, "The execution was cancelled by its caller.")


def without_output(failure: Failure) -> Outcome:
    """The outcome of a call that did not come to print anything."""
    return Outcome(None, failure, (), logs_truncated=False, duration_ms=0.0)
