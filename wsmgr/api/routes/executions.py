"""Execution records. The call itself is `api.execute`; its entry here is the OpenAPI document's."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from wsmgr.api import mapping
from wsmgr.api.context import Before, DaemonOf, ExecutionPath, Limit, StrictJsonRoute, WorkspacePath, problems
from wsmgr.api.stream import MEDIA_TYPE
from wsmgr.core.errors import NotFound
from wsmgr.core.ids import parse_execution_id, parse_workspace_id
from wsmgr.wire.execute import Cancellation, ExecuteRequest, ExecuteResponse, ExecutionTicket
from wsmgr.wire.execution import Execution, ExecutionPage

router = APIRouter(prefix="/api", tags=["executions"], route_class=StrictJsonRoute)


_STREAM = "Answer with server-sent events: `log`, `emit`, at last `result` with the members of a plain answer."
_MODE = "async: keep the call, answer 202, and run it later; at most once."
Stream = Annotated[Literal["0", "1"], Query(description=_STREAM)]
Mode = Annotated[Literal["sync", "async"], Query(description=_MODE)]
_QUEUED: dict[str, Any] = {"description": "Kept; it is run later.", "model": ExecutionTicket}
_STREAMED: dict[str, Any] = {"description": "It is over.", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}


@router.post("/execute", responses={200: _STREAMED, 202: _QUEUED, **problems(404, 409, 413, 429)})
async def execute(body: ExecuteRequest, stream: Stream = "0", mode: Mode = "sync") -> ExecuteResponse:
    """Run a plugin for an owner. Code that fails is an outcome (`success` false), not an HTTP error. With `stream=1`
    the answer is `text/event-stream`: `event: log` and `event: emit` while the plugin runs, then `event: result`; a
    call that turns out not to run after the stream has begun ends with `event: problem`. A client that goes away
    cancels the execution."""
    raise AssertionError(f"the gate serves this route, not the framework: {body.user_id} {stream} {mode}")


@router.post(
    "/executions/{execution}/cancel",
    responses={202: {"description": "It is about to end.", "model": Cancellation}, **problems(404, 409)},
)
async def cancel_execution(daemon: DaemonOf, execution: ExecutionPath, response: Response) -> Cancellation:
    """End an execution that is queued, waits or runs. One that is over already is a conflict. A plain call without an
    `executionId` has none that could be known before its end."""
    record = await daemon.cancelling.cancel(parse_execution_id(execution))
    if record is None:
        response.status_code = 202
        return Cancellation(execution_id=execution, state="running")
    return Cancellation(execution_id=record.id, state=record.state.value)


@router.get("/executions/{execution}", responses=problems(404))
async def get_execution(daemon: DaemonOf, execution: ExecutionPath) -> Execution:
    """One record."""
    record = await daemon.store.execution(parse_execution_id(execution))
    if record is None:
        raise NotFound(f"There is no execution {execution!r}.")
    return mapping.execution(record)


@router.get("/workspaces/{workspace}/executions", responses=problems())
async def list_executions(
    daemon: DaemonOf, workspace: WorkspacePath, limit: Limit = 50, before: Before = None
) -> ExecutionPage:
    """Records of a workspace, newest first; also of one that was removed."""
    records, following = await daemon.store.executions(parse_workspace_id(workspace), limit, before)
    return ExecutionPage(items=[mapping.execution(record) for record in records], next=following)
