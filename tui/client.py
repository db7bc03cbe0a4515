"""The client of the terminal UI: the live view comes first, and all else is loaded when it is first asked for."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, TypeVar

from wsmgr.client.live import LiveView
from wsmgr.client.target import Target

if TYPE_CHECKING:
    from wsmgr.client import AsyncClient
    from wsmgr.client.operation import Operation
    from wsmgr.wire.event import Event
    from wsmgr.wire.fleet import FleetUpdate

T = TypeVar("T")


class LateClient:
    """A `tui.daemon.Daemon`. `asked`: a connection on which the live view has been asked for already, or None."""

    def __init__(self, target: Target, asked: socket.socket | None = None) -> None:
        self._target = target
        self._asked = asked
        self._client: AsyncClient | None = None

    async def call(self, operation: Operation[T], /) -> T:
        """Do one operation."""
        return await self._loaded().call(operation)

    async def fleet(self) -> AsyncIterator[FleetUpdate]:
        """The live view; ends by an error alone."""
        asked, self._asked = self._asked, None
        async for update in LiveView(self._target, asked=asked).updates():
            yield update

    async def follow(self, *, after: int | None = None) -> AsyncIterator[Event]:
        """The events after an id, then what happens."""
        async for event in self._loaded().follow(after=after):
            yield event

    async def close(self) -> None:
        """Close the connections."""
        if self._asked is not None:
            self._asked.close()
        if self._client is not None:
            await self._client.close()

    def _loaded(self) -> AsyncClient:
        if self._client is None:
            from wsmgr.client import AsyncClient  # noqa: PLC0415  # with httpx, which takes longer than the first rows

            self._client = AsyncClient(target=self._target)
        return self._client
