"""The keys that all secrets are sealed with."""

from __future__ import annotations

from fastapi import APIRouter

from wsmgr.api.context import Actor, DaemonOf, StrictJsonRoute, problems
from wsmgr.wire.settings import SecretsRotated

router = APIRouter(prefix="/api/admin/secrets", tags=["admin"], route_class=StrictJsonRoute)


@router.post("/rotate", responses=problems())
async def rotate(daemon: DaemonOf, actor: Actor) -> SecretsRotated:
    """Make a new key, seal all secrets with it, and forget the old one."""
    return SecretsRotated(resealed=await daemon.configuring.rotate(actor))
