"""Answers that have no end: server-sent events, to clients of which any may stop reading."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

import structlog
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

log = structlog.get_logger(__name__)

MEDIA_TYPE = "text/event-stream"
SEND_S = 4.0
"""How long a client may leave what it was sent unread: shorter than the server waits for answers when it ends."""


class EventStream(StreamingResponse):
    """Ends with its body, or when the client goes or does not read; in any case `leave` is called."""

    def __init__(self, body: AsyncGenerator[bytes, None], leave: Callable[[], None]) -> None:
        super().__init__(body, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})
        self._leave = leave
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""

        async def bounded(message: Message) -> None:
            async with asyncio.timeout(SEND_S):
                await send(message)

        try:
            await super().__call__(scope, receive, bounded)
        except* TimeoutError:
            log.info("a listener does not read its events: cut off")
        finally:
            self._leave()
            await self._body.aclose()
