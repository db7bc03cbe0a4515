"""Calls that are listened to, or not waited for. No I/O here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import httpx

from wsmgr.client.connection import request_options
from wsmgr.client.errors import ApiError, ConnectionLost, UnexpectedAnswer
from wsmgr.client.failures import CONNECT_S
from wsmgr.client.operation import Operation, decode, read_as, segment
from wsmgr.client.sse import EVENT_STREAM, EventLines
from wsmgr.wire.execute import Cancellation, ExecuteResponse, ExecutionTicket, InlinePlugin, LogEntry, PluginRef
from wsmgr.wire.problem import Problem

PATH = "/api/execute"
SILENCE_S = 30.0
"""A daemon says something every 5 s; after six times as long the connection counts as lost."""


@dataclass(frozen=True, slots=True)
class Emit:
    """What a plugin gave out before its end."""

    value: object


Heard = LogEntry | Emit | ExecuteResponse


def call_body(
    user_id: str, plugin: str | PluginRef | InlinePlugin, value: object, optional: Mapping[str, object]
) -> dict[str, object]:
    """The body of a call; what is None stays out."""
    chosen = plugin if isinstance(plugin, str) else plugin.model_dump(exclude_none=True)
    given = {name: each for name, each in optional.items() if each is not None}
    return {"userId": user_id, "plugin": chosen, "input": value, **given}


def execute_later(
    user_id: str,
    plugin: str | PluginRef | InlinePlugin,
    input: object = None,  # noqa: A002  # the name that the API gives it
    *,
    organization_id: str | None = None,
    workspace: str | None = None,
    context: Mapping[str, object] | None = None,
    timeout_ms: int | None = None,
    execution_id: str | None = None,
    callback: str | None = None,
) -> Operation[ExecutionTicket]:
    """Queue a call, which then runs at most once, whatever becomes of this client or of the daemon. Ask `execution` how
    it went."""
    optional = {
        "organizationId": organization_id,
        "workspace": workspace,
        "context": None if context is None else dict(context),
        "timeoutMs": timeout_ms,
        "executionId": execution_id,
        "callback": callback,
    }
    body = call_body(user_id, plugin, input, optional)
    return Operation("POST", PATH, read_as(ExecutionTicket), query={"mode": "async"}, body=body)


def cancel(execution_id: str) -> Operation[Cancellation]:
    """End an execution that is queued, waits or runs."""
    return Operation("POST", f"/api/executions/{segment(execution_id)}/cancel", read_as(Cancellation))


def stream_request(operation: Operation[ExecuteResponse]) -> dict[str, Any]:
    """The arguments of httpx's `stream` for a call that is listened to."""
    options = request_options(replace(operation, query={"stream": "1"}))
    options["headers"] = {**options.get("headers", {}), "Accept": EVENT_STREAM}
    options["timeout"] = httpx.Timeout(SILENCE_S, connect=CONNECT_S)
    return options


def refuse(status: int, body: bytes) -> None:
    """Raises what an answer that is no stream means."""
    decode(Operation("POST", PATH, _no_stream), status, body)


def cut_short() -> ConnectionLost:
    """The stream ended without a result."""
    return ConnectionLost("The stream ended before the execution did; its record, by its id, says what became of it.")


class ExecutionLines:
    """Lines of the stream to what was heard."""

    def __init__(self) -> None:
        self._lines = EventLines()

    def line(self, line: str) -> Heard | None:
        """Take one line; what it ends, if it ends something. Raises ApiError when the call turned out not to run, and
        UnexpectedAnswer."""
        ended = self._lines.line(line)
        if ended is None:
            return None
        name, data = ended
        try:
            return _heard(name, data)
        except ValueError:
            raise UnexpectedAnswer(
                f"The {name} of {PATH} is not what this client knows: is the daemon of another version?"
            ) from None


def _heard(name: str, data: str) -> Heard | None:
    match name:
        case "log":
            return LogEntry.model_validate_json(data)
        case "emit":
            return Emit(json.loads(data))
        case "result":
            return ExecuteResponse.model_validate_json(data)
        case "problem":
            raise ApiError(Problem.model_validate_json(data))
    return None


def _no_stream(body: bytes) -> NoReturn:
    raise UnexpectedAnswer(f"POST {PATH} was answered with {body[:80]!r} and no stream: is this a wsmgr daemon?")
