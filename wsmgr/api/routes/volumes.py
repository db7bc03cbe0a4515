"""The volumes of the host, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from wsmgr.api import mapping
from wsmgr.api.context import Actor, DaemonOf, StrictJsonRoute, problems
from wsmgr.wire.names import VOLUME_PATTERN
from wsmgr.wire.volume import VolumePage

router = APIRouter(prefix="/api/volumes", tags=["volumes"], route_class=StrictJsonRoute)
Name = Annotated[str, Path(pattern=VOLUME_PATTERN, description="The name of a volume.")]


@router.get("", responses=problems())
async def volumes(daemon: DaemonOf) -> VolumePage:
    """What root has given this host for persistent data, and who has it."""
    holders = daemon.data.holders
    return VolumePage(items=[mapping.volume(one, holders.get(one.name)) for one in await daemon.data.look()])


@router.delete("/{name}", responses=problems(404, 409, 502), status_code=204)
async def delete(daemon: DaemonOf, actor: Actor, name: Name) -> None:
    """Delete the data of an orphan, for ever. That of a workspace goes with the workspace."""
    await daemon.data.delete_orphan(name, actor)
