"""uvicorn's HTTP protocol, with the credentials of the peer in every request's state."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wsmgr.api.identity import peer_of


class PeerProtocol(HttpToolsProtocol):
    """`scope["state"]["peer"]` is a Peer on the unix socket and None on TCP, `scope["state"]["hang_up"]` ends the
    connection at once. uvicorn has no such things of its own."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Read the credentials once for a connection."""
        both_ways = cast("asyncio.Transport", transport)
        connection: Any = both_ways.get_extra_info("socket")
        self.app_state = {**self.app_state, "peer": peer_of(connection), "hang_up": both_ways.abort}
        super().connection_made(both_ways)
