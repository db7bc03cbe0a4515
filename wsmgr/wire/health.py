"""The health of the daemon itself."""

from __future__ import annotations

from typing import Literal

from wsmgr.wire.base import Response
from wsmgr.wire.names import Isolation


class EngineHealth(Response):
    """Whether the engine of the chosen isolation does real work; `reason` says why not."""

    isolation: Isolation
    available: bool
    reason: str | None = None


class Health(Response):
    """`degraded`: calls are served, but not as chosen (the engine is away, say). `uptime` in seconds."""

    status: Literal["healthy", "degraded", "stopping"]
    version: str
    uptime: float
    engine: EngineHealth
    inflight: int = 0
