"""Whether an API service is behind a socket, asked without a thread: a hung one costs only a time-out."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path

_WORK = b"GET /v4.0.0/libpod/containers/json?all=true&limit=1 HTTP/1.0\r\nHost: podman\r\n\r\n"


class Liveness(StrEnum):
    """`LIVE`: it does real work. `SILENT`: somebody listens and does not answer. `GONE`: nobody listens."""

    LIVE = "live"
    SILENT = "silent"
    GONE = "gone"


async def liveness(socket: Path, timeout_s: float) -> Liveness:
    """Ask for a list of containers, which takes podman's locks; `_ping` would be answered by a deadlocked service."""
    try:
        async with asyncio.timeout(timeout_s):
            return await _ask(socket)
    except (FileNotFoundError, ConnectionRefusedError):
        return Liveness.GONE
    except (TimeoutError, OSError):
        # Also EAGAIN: the backlog of a service that accepts nothing any more is full.
        return Liveness.SILENT


async def _ask(socket: Path) -> Liveness:
    reader, writer = await asyncio.open_unix_connection(str(socket))
    try:
        writer.write(_WORK)
        status = await reader.readline()
    finally:
        writer.close()
    if not status:
        # It accepted and hung up: it is on its way out.
        return Liveness.GONE
    return Liveness.LIVE if b" 200 " in status else Liveness.SILENT
