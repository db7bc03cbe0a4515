"""Ends an execution because its caller asks for it, wherever it is: waiting, starting, running."""

from __future__ import annotations

from wsmgr.control.flights import Flights
from wsmgr.control.queue import Queue
from wsmgr.core.errors import Conflict, NotFound
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import ExecutionId
from wsmgr.ports.store import ExecutionStore

WAIT_S = 5.0
"""How long the end is waited for: the runtime's word, and the record's way to the database."""


class Cancelling:
    """Stateless but for its collaborators."""

    def __init__(self, flights: Flights, queue: Queue, store: ExecutionStore) -> None:
        self._flights = flights
        self._queue = queue
        self._store = store

    async def cancel(self, execution: ExecutionId) -> Execution | None:
        """The record of the cancelled execution, None when it is about to end. Raises NotFound, and Conflict when it is
        over already, or ended by itself meanwhile."""
        asked = await self._flights.cancel(execution, WAIT_S)
        if not asked:
            ended = await self._queue.cancel(execution)
            if ended is not None:
                return ended
        record = await self._store.execution(execution)
        if record is None or (asked and not record.state.over):
            if asked:
                return None
            raise NotFound(f"There is no execution {execution!r}.")
        if asked and record.state is ExecutionState.CANCELLED:
            return record
        what = f"is over: {record.state.value}" if record.state.over else "is not known to run in this daemon"
        raise Conflict(f"The execution {execution!r} {what}.", details={"state": record.state.value})
