"""Execution records. The call itself is `api.execute`; its entry here is the OpenAPI document's."""

from __future__ import annotations

from fastapi import APIRouter

from wsmgr.api import mapping
from wsmgr.api.context import Before, DaemonOf, ExecutionPath, Limit, StrictJsonRoute, WorkspacePath, problems
from wsmgr.core.errors import NotFound
from wsmgr.core.ids import parse_execution_id, parse_workspace_id
from wsmgr.wire.execute import ExecuteRequest, ExecuteResponse
from wsmgr.wire.execution import Execution, ExecutionPage

router = APIRouter(prefix="/api", tags=["executions"], route_class=StrictJsonRoute)


@router.post("/execute", responses=problems(404, 409, 413, 429))
async def execute(body: ExecuteRequest) -> ExecuteResponse:
    """Run a plugin for an owner. Code that fails is an outcome (`success` false), not an HTTP error."""
    raise AssertionError(f"the gate serves this route, not the framework: {body.user_id}")


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
