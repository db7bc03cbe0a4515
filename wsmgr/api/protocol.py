"""uvicorn's HTTP protocol, with the credentials of the peer in every request's state and bounds for its head."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wsmgr.api.identity import peer_of
from wsmgr.api.problems import MEDIA_TYPE, problem

HEAD_BYTES = 64 * 1024
"""What may have come of a request line and its headers while they are not complete."""


class PeerProtocol(HttpToolsProtocol):
    """`scope["state"]["peer"]` is a Peer on the unix socket and None on TCP, `scope["state"]["hang_up"]` ends the
    connection at once. uvicorn has no such things of its own, and no bounds: whoever may connect, to TCP without any
    token, could else fill the daemon's memory with one header."""

    head_s = 30.0
    """How long the request line and the headers may take to come."""
    _head_bytes = 0
    _in_head = False
    _head_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Read the credentials once for a connection."""
        both_ways = cast("asyncio.Transport", transport)
        connection: Any = both_ways.get_extra_info("socket")
        self.app_state = {**self.app_state, "peer": peer_of(connection), "hang_up": both_ways.abort}
        super().connection_made(both_ways)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._head_came()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """It is there."""
        self._head_came()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Almost always a whole head comes at once, which costs no more than the look at a flag."""
        super().data_received(data)
        if self._in_head:
            self._head_grew(len(data))

    def send_400_response(self, msg: str) -> None:
        """As every other error, by the name that uvicorn gives it."""
        self._refuse(HTTPStatus.BAD_REQUEST, "bad_request", f"This is no HTTP request. {msg}")

    def _head_grew(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            sentence = f"The request line and its headers may have {HEAD_BYTES} bytes."
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large", sentence)
        elif self._head_late is None:
            sentence = f"The request's headers were not complete after {self.head_s:g} s."
            self._head_late = self.loop.call_later(
                self.head_s, self._refuse, HTTPStatus.REQUEST_TIMEOUT, "request_timeout", sentence
            )

    def _head_came(self) -> None:
        self._in_head = False
        if self._head_late is not None:
            self._head_late.cancel()
            self._head_late = None

    def _refuse(self, status: HTTPStatus, code: str, sentence: str) -> None:
        self._head_came()
        body = problem(status, code, sentence)
        head = f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: {MEDIA_TYPE}\r\nconnection: close\r\n"
        self.transport.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        self.transport.close()
