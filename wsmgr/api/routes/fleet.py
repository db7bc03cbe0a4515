"""All workspaces, live."""

from __future__ import annotations

from fastapi import APIRouter, Response

from wsmgr.api.context import Caller, LiveOf, StrictJsonRoute, problems
from wsmgr.api.stream import MEDIA_TYPE, EventStream

router = APIRouter(prefix="/api/fleet", tags=["fleet"], route_class=StrictJsonRoute)


@router.get(
    "/stream",
    responses={
        200: {"description": "A snapshot, then changes without end.", "content": {MEDIA_TYPE: {}}},
        **problems(429),
    },
    response_class=Response,
)
async def stream(live: LiveOf, caller: Caller) -> Response:
    """Server-sent events: `caller` with the reader's own role, `snapshot` with all workspaces and the host, then
    `changes` at most once a second, each with the newest state of what is new since the one before. A comment line
    comes each second."""
    live.join()
    return EventStream(live.follow(caller), live.leave)
