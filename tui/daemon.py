"""What the terminal UI asks of a client: `wsmgr.client.AsyncClient` has it, and so has the fake of the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol, TypeVar

from wsmgr.client.operation import Operation
from wsmgr.wire.event import Event
from wsmgr.wire.fleet import FleetUpdate

T = TypeVar("T")


class Daemon(Protocol):
    """Every method raises `wsmgr.client.ClientError`, and nothing else, when it fails."""

    async def call(self, operation: Operation[T], /) -> T:
        """Do one operation of `wsmgr.client.operations`."""
        ...

    def fleet(self) -> AsyncIterator[FleetUpdate]:
        """The live view; ends by an error alone."""
        ...

    def follow(self, *, after: int | None = None) -> AsyncIterator[Event]:
        """The events after an id, then what happens."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
