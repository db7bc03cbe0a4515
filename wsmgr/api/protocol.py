"""uvicorn's HTTP protocol, with the credentials of the peer in every request's state."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wsmgr.api.identity import peer_of


class PeerProtocol(HttpToolsProtocol):
    """`scope["state"]["peer"]` is a Peer on the unix socket and None on TCP. uvicorn has no such thing of its own."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Read the credentials once for a connection."""
        connection: Any = transport.get_extra_info("socket")
        self.app_state = {**self.app_state, "peer": peer_of(connection)}
        super().connection_made(transport)  # type: ignore[arg-type]  # uvicorn narrows asyncio's own signature
