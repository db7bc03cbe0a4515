"""`POST /api/execute`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Discriminator, Field, Tag

from wsmgr.wire.base import Request, Response, whole
from wsmgr.wire.names import (
    ExecutionId,
    ExecutionState,
    Isolation,
    Language,
    OrganizationId,
    Slug,
    UserId,
    Version,
    WorkspaceName,
)

MAX_TIMEOUT_MS = 2**53 - 1
"""The largest integer that every JSON reader keeps exact; the plan caps the time long before."""


class PluginRef(Request):
    """A stored plugin; `version` null: its current version."""

    slug: Slug
    version: Version | None = None


class InlinePlugin(Request):
    """Code that comes with the call and is stored nowhere."""

    slug: Slug
    language: Language
    code: Annotated[str, Field(min_length=1)]


def _kind(value: object) -> str:
    """Which of the three forms of `plugin` was meant, so that an error is about that form only."""
    if isinstance(value, (dict, PluginRef, InlinePlugin)):
        members = value.keys() if isinstance(value, dict) else type(value).model_fields.keys()
        return "inline" if {"code", "language"} & set(members) else "ref"
    return "slug"


PluginChoice = Annotated[
    Annotated[Slug, Tag("slug")] | Annotated[PluginRef, Tag("ref")] | Annotated[InlinePlugin, Tag("inline")],
    Discriminator(_kind),
]


class ExecuteRequest(Request):
    """One call. The owner is the organisation when one is named, else the user.

    `input` is any JSON value. `timeoutMs` is the plugin's own time in milliseconds, capped by the plan. With an
    `executionId` the call is idempotent: the same id again returns the first record. `callback`, with `mode=async`
    alone, is told how it ended, where the daemon's settings allow that."""

    user_id: UserId
    organization_id: OrganizationId | None = None
    workspace: WorkspaceName | None = None
    plugin: PluginChoice
    input: object
    context: dict[str, object] | None = None
    timeout_ms: Annotated[Annotated[int, Field(ge=1, le=MAX_TIMEOUT_MS)] | None, BeforeValidator(whole)] = None
    execution_id: ExecutionId | None = None
    callback: Annotated[str, Field(min_length=8, max_length=2048, pattern=r"^https?://[!-~]+$")] | None = None


class ExecutionTicket(Response):
    """What a call that is not waited for gets: ask for `GET /api/executions/{executionId}` until it is over."""

    execution_id: str
    state: ExecutionState
    workspace: str
    plugin: str
    plugin_version: str
    created_at: AwareDatetime


class Cancellation(Response):
    """Where an execution stands that was told to end: `cancelled`, or still about to end."""

    execution_id: str
    state: ExecutionState


class ExecutionError(Response):
    """Why an execution has no output. `type` is one of the vocabulary of `wsmgr.core.outcome.FailureType`."""

    type: str
    message: str
    stack: str | None = None
    name: str | None = None


class LogEntry(Response):
    """One captured line; `t` in milliseconds since the plugin started."""

    t: float
    level: str
    message: str


class ExecuteResponse(Response):
    """How a call ended. Code that fails is an outcome (`success` false), not an HTTP error.

    `durationMs` is the plugin's own time; `queueMs` and `startMs` were waited before it. `degraded`: a weaker
    isolation stood in for the one that was chosen.
    """

    execution_id: str
    success: bool
    output: object = None
    error: ExecutionError | None = None
    logs: list[LogEntry]
    logs_truncated: bool = False
    duration_ms: float
    queue_ms: float
    start_ms: float
    cold_start: bool
    isolation: Isolation
    degraded: bool
    plugin_version: str
