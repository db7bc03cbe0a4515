"""The audit trail of the whole daemon: in pages, and as a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated

import structlog
from fastapi import APIRouter, Header, Query, Response

from wsmgr.api import mapping
from wsmgr.api.context import DaemonOf, Limit, StrictJsonRoute, problems
from wsmgr.api.stream import MEDIA_TYPE, EventStream
from wsmgr.control.feed import Signal, follow
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.event import Event
from wsmgr.core.ids import parse_workspace_id
from wsmgr.wire.event import EventPage
from wsmgr.wire.names import WorkspaceId

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/api", tags=["events"], route_class=StrictJsonRoute)
HEARTBEAT_S = 15.0

_ID = "^[0-9]{1,17}$"
Before = Annotated[str | None, Query(pattern=_ID, description="The `next` of the page before.")]
After = Annotated[str | None, Query(pattern=_ID, description="The id of the last event that is known already.")]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", pattern=_ID, description="As `after`; it counts.")]
Actor = Annotated[str | None, Query(max_length=200, description="Of this actor alone.")]
Action = Annotated[str | None, Query(pattern="^[a-z_.]{1,64}$", description="Of this action alone.")]
Workspace = Annotated[WorkspaceId | None, Query(description="Of this workspace alone.")]


@router.get("/audit", responses=problems())
async def audit(
    daemon: DaemonOf,
    limit: Limit = 100,
    before: Before = None,
    actor: Actor = None,
    action: Action = None,
    workspace: Workspace = None,
) -> EventPage:
    """The audit trail of all workspaces and of the daemon, newest first."""
    of = None if workspace is None else parse_workspace_id(workspace)
    found = await daemon.store.events(of, limit, int(before) if before else None, actor=actor, action=action)
    following = str(found[-1].id) if len(found) == limit else None
    return EventPage(items=[mapping.event(event) for event in found], next=following)


@router.get(
    "/events",
    responses={200: {"description": "Events without end.", "content": {MEDIA_TYPE: {}}}, **problems(429)},
    response_class=Response,
)
async def events(daemon: DaemonOf, after: After = None, last_event_id: LastEventId = None) -> Response:
    """Server-sent events: what came after the one that is known, then what happens. A client that is too slow gets a
    last event named `overflow`, and comes back with the id of the last one it has."""
    known = last_event_id or after
    live = daemon.feed.subscribe()
    heard = follow(live, daemon.store, int(known) if known else None, HEARTBEAT_S)
    return EventStream(_written(heard), live.close)


async def _written(heard: AsyncGenerator[Event | Signal, None]) -> AsyncGenerator[bytes, None]:
    """As the lines of the protocol. The first one is sent at once, so that a client knows that it is heard."""
    yield b"retry: 1000\n\n"
    try:
        async for one in heard:
            if isinstance(one, Event):
                data = mapping.event(one).model_dump_json()
                yield f"id: {one.id}\nevent: {one.action}\ndata: {data}\n\n".encode()
            elif one is Signal.SILENCE:
                yield b": still here\n\n"
            elif one is Signal.OVERFLOW:
                yield b"event: overflow\ndata: {}\n\n"
    except StoreUnavailable as error:
        # The client comes back for what is missing.
        log.warning("event stream ended", why=error.sentence)
    finally:
        await heard.aclose()
