"""What anybody who reaches the listener may ask."""

from __future__ import annotations

from fastapi import APIRouter, Response

from wsmgr import __version__
from wsmgr.api.context import DaemonOf, LiveOf, problems
from wsmgr.api.metrics import exposition
from wsmgr.wire.health import EngineHealth, Health

router = APIRouter(tags=["open"])


@router.get("/health", responses=problems())
async def health(daemon: DaemonOf) -> Health:
    """Whether the daemon does its work. It is degraded while the chosen engine is away."""
    why = daemon.engines.away(daemon.isolation)
    return Health(
        status="stopping" if daemon.executions.refusing else "degraded" if why else "healthy",
        version=__version__,
        uptime=daemon.clock.monotonic() - daemon.started,
        engine=EngineHealth(isolation=daemon.isolation.value, available=why is None, reason=why),
        inflight=daemon.executions.inflight,
    )


@router.get("/metrics", responses=problems(), response_class=Response)
async def metrics(daemon: DaemonOf, live: LiveOf) -> Response:
    """Prometheus text."""
    body, media_type = exposition(daemon, live)
    return Response(body, media_type=media_type)
