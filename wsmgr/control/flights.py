"""The calls under way that somebody may want to end: by their id, or by going away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from wsmgr.control.flight import Flight, cancelled_by_caller, without_output
from wsmgr.control.unit import Unit
from wsmgr.core.ids import ExecutionId
from wsmgr.core.outcome import Outcome
from wsmgr.ports.channel import Channel, ChannelClosed, ChannelTimeout, ProtocolViolation, RuntimeBusy

TELL_S = 2.0
"""How long a runtime may take to take note of a cancellation, and again to end the execution."""


class Flights:
    """By id; of one id there is at most one."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._flights: dict[ExecutionId, Flight] = {}

    def find(self, execution: ExecutionId) -> Flight | None:
        """The one of that id."""
        return self._flights.get(execution)

    @contextmanager
    def known(self, flight: Flight) -> Iterator[None]:
        """Inside the block it can be found."""
        self._flights[flight.id] = flight
        try:
            yield
        finally:
            del self._flights[flight.id]
            if flight.landed is not None:
                flight.landed.set()

    async def run(
        self, flight: Flight, work: Coroutine[Any, Any, tuple[Unit, Outcome]], unit: Unit
    ) -> tuple[Unit, Outcome]:
        """Do the work of a flight in a task of its own, so that it alone can be ended. Cancelled by its caller it has
        an outcome that says so, on `unit` where it came to none."""
        if flight.cancelled:
            work.close()
            return unit, without_output(cancelled_by_caller())
        flight.work = asyncio.create_task(work)
        try:
            return await flight.work
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if not _is_cancelled(flight) or (current is not None and current.cancelling()):
                raise
            return unit, without_output(cancelled_by_caller())

    async def cancel(self, execution: ExecutionId, wait_s: float = 0.0) -> bool:
        """End a call that is under way, running or waiting for whatever, and wait up to `wait_s` seconds until it has
        ended. False when there is none of that id. Its record says how it ended."""
        flight = self._flights.get(execution)
        if flight is None:
            return False
        flight.cancelled = True
        flight.landed = flight.landed or asyncio.Event()
        work = flight.work
        if work is not None:
            if await self._told(flight):
                # The runtime says how it ended, and what was printed until then.
                await asyncio.wait({work}, timeout=TELL_S)
            work.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await flight.landed.wait()
        return True

    async def leave(self, flight: Flight) -> None:
        """Whoever wanted it has gone: unless others wait for it, it is cancelled."""
        if self._flights.get(flight.id) is flight and not flight.joined:
            await self.cancel(flight.id)

    async def _told(self, flight: Flight) -> bool:
        endpoint = flight.endpoint
        if endpoint is None:
            return False
        try:
            return await self._channel.cancel(endpoint, flight.id, TELL_S)
        except (ChannelClosed, ChannelTimeout, ProtocolViolation, RuntimeBusy):
            return False


def _is_cancelled(flight: Flight) -> bool:
    """As it is now, whatever it was before an await."""
    return flight.cancelled
