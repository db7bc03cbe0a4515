"""What every handler gets: the daemon, who calls, and the ids of the path."""

from __future__ import annotations

from typing import Annotated, cast

import orjson
from fastapi import Depends, Path, Query, Request
from fastapi.routing import APIRoute

from wsmgr.api.identity import Identity
from wsmgr.api.live import LiveFleet
from wsmgr.control.daemon import Daemon
from wsmgr.wire.names import ExecutionId as ExecutionIdText
from wsmgr.wire.names import OwnerKey, SecretName, Slug, WorkspaceId
from wsmgr.wire.problem import Problem


class StrictJsonRequest(Request):
    """Reads JSON as orjson does: no NaN, no lone surrogates, which no database could store."""

    async def json(self) -> object:
        """The body. Raises orjson.JSONDecodeError, which FastAPI answers with 422."""
        return orjson.loads(await self.body())


class StrictJsonRoute(APIRoute):
    """A route whose handlers get StrictJsonRequest."""

    def get_route_handler(self):  # type: ignore[no-untyped-def]  # FastAPI's own type for it is private
        """Wrap the handler that FastAPI made."""
        handler = super().get_route_handler()

        async def strict(request: Request):  # type: ignore[no-untyped-def]
            return await handler(StrictJsonRequest(request.scope, request.receive))

        return strict


async def _daemon(request: Request) -> Daemon:
    return cast("Daemon", request.app.state.daemon)


async def _live(request: Request) -> LiveFleet:
    return cast("LiveFleet", request.app.state.live)


async def _caller(request: Request) -> Identity:
    return cast("Identity", request.state.identity)


async def _actor(request: Request) -> str:
    return (await _caller(request)).actor


DaemonOf = Annotated[Daemon, Depends(_daemon)]
LiveOf = Annotated[LiveFleet, Depends(_live)]
Actor = Annotated[str, Depends(_actor)]
Caller = Annotated[Identity, Depends(_caller)]
WorkspacePath = Annotated[WorkspaceId, Path(description="`user:<id>` or `org:<id>`, and `~<name>` for further ones.")]
OwnerPath = Annotated[OwnerKey, Path(description="`user:<id>` or `org:<id>`.")]
SlugPath = Annotated[Slug, Path(description="The plugin's name.")]
SecretPath = Annotated[SecretName, Path(description="The name of a secret.")]
ExecutionPath = Annotated[ExecutionIdText, Path(description="The id of an execution.")]
Wait = Annotated[float, Query(ge=0, le=300, description="Seconds to wait for the result.")]
Limit = Annotated[int, Query(ge=1, le=500, description="The most items of one page.")]
Before = Annotated[str | None, Query(max_length=512, description="The `next` of the page before.")]


def problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    """The OpenAPI entries for error answers, besides those that every route may give."""
    media = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    every = (401, 403, 422, 503)
    return {status: {"description": "A problem document.", "content": media} for status in (*every, *statuses)}
