"""What is kept of calls that wait to be started. A part of `ports.store`, whose promises hold here as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from wsmgr.core.execution import Execution
from wsmgr.core.ids import ExecutionId


class QueueStore(Protocol):
    """Calls that wait for the daemon to start them, and whom to tell when they have ended. Both go with their
    record."""

    async def enqueue(self, execution: Execution, call: bytes, callback: str | None) -> Execution | None:
        """Keep a record that says `queued`, what is to be run, and the URL to be told at the end; all or nothing. None
        when it is new; else the record that has this id already, and nothing is kept."""
        ...

    async def queued(self) -> Sequence[Execution]:
        """The records that say `queued`, in the order in which they came."""
        ...

    async def queued_call(self, execution: ExecutionId) -> bytes | None:
        """What is to be run, as long as the record does not say that it is over."""
        ...

    async def start_queued(self, execution: Execution) -> bool:
        """Replace the record of a queued call by one that says `running`, also when it says so already. False, and
        nothing changed, when it is over."""
        ...

    async def requeue(self, execution: ExecutionId) -> None:
        """Undo `start_queued` for a call that did not start after all; what is over stays."""
        ...

    async def finish(self, execution: Execution) -> bool:
        """Replace the record of a queued call by one that is over, and let go of what was to be run. False, and nothing
        changed, when it was over before."""
        ...

    async def due_callbacks(self, limit: int) -> Sequence[tuple[ExecutionId, str]]:
        """Executions that are over and the URLs that are to be told, the oldest first."""
        ...

    async def called_back(self, execution: ExecutionId) -> None:
        """Note that the URL was told, or that it was given up. Idempotent."""
        ...
