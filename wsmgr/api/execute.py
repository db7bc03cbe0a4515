"""`POST /api/execute`, the hot path: a bare ASGI route that skips the framework's routing, injection and models."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.types import Receive, Send

from wsmgr.api.identity import Identity
from wsmgr.control.executions import Executions
from wsmgr.control.request import Request
from wsmgr.core.errors import InvalidRequest, TooLarge
from wsmgr.core.execution import Execution
from wsmgr.core.ids import ExecutionId, Slug, Version, owner_key, workspace_id
from wsmgr.core.outcome import Outcome
from wsmgr.core.plugin import Language, PluginSource, version_of
from wsmgr.wire.execute import ExecuteRequest, InlinePlugin, PluginRef

MAX_CALL_BYTES = 52 * 1024 * 1024
"""Larger than any plan's input with inline code; the plan's own cap is checked once the owner is known."""

_JSON = [(b"content-type", b"application/json")]


class ExecuteRoute:
    """Parses with orjson, validates with the wire model, and writes the answer without one."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    async def __call__(self, identity: Identity | None, receive: Receive, send: Send) -> None:
        """Handle one call. Raises WsmgrError before anything is sent."""
        del identity  # whoever passed the gate may call, and a call leaves an execution record, not an event
        body = await _read(receive)
        record = await self._executions.run(parse(body))
        answer = orjson.dumps(response_of(record))
        headers = [*_JSON, (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


async def _read(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    parts = [body]
    size = len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequest("The request ended before its body was complete.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_CALL_BYTES:
            raise TooLarge(f"No call may have more than {MAX_CALL_BYTES} bytes.")
    return b"".join(parts)


def parse(body: bytes) -> Request:
    """A call from its JSON. Raises InvalidRequest, with the place of each mistake in `errors`."""
    try:
        asked = ExecuteRequest.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"The body is not JSON: {error}.") from None
    except ValidationError as error:
        mistakes = [{"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]} for e in error.errors()]
        first = mistakes[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise InvalidRequest(f"{place}: {first['msg']}", details={"errors": mistakes}) from None
    owner = owner_key(asked.user_id, asked.organization_id)
    slug, version, inline = _choice(asked)
    named = asked.execution_id is not None
    return Request(
        workspace=workspace_id(owner, asked.workspace),
        user=asked.user_id,
        slug=slug,
        version=version,
        inline=inline,
        input=asked.input,
        context=asked.context or {},
        timeout_ms=asked.timeout_ms,
        id=ExecutionId(asked.execution_id) if asked.execution_id is not None else None,
        fingerprint=_fingerprint(asked) if named else "",
        size=len(body),
    )


def _choice(asked: ExecuteRequest) -> tuple[Slug, Version | None, PluginSource | None]:
    plugin = asked.plugin
    if isinstance(plugin, str):
        return Slug(plugin), None, None
    if isinstance(plugin, PluginRef):
        return Slug(plugin.slug), Version(plugin.version) if plugin.version else None, None
    if isinstance(plugin, InlinePlugin):
        language = Language(plugin.language)
        version = version_of(language, plugin.code)
        return Slug(plugin.slug), None, PluginSource(Slug(plugin.slug), version, language, plugin.code)
    raise InvalidRequest("`plugin` is a slug, {slug, version?} or {slug, language, code}.")


def _fingerprint(asked: ExecuteRequest) -> str:
    """What makes two requests the same call, in whatever order their members stand."""
    members = asked.model_dump(by_alias=True, exclude={"execution_id", "timeout_ms"})
    return hashlib.sha256(orjson.dumps(members, option=orjson.OPT_SORT_KEYS)).hexdigest()


def response_of(record: Execution) -> dict[str, Any]:
    """The members of `wire.ExecuteResponse`; a test holds the two together."""
    outcome = record.outcome
    answer: dict[str, Any] = {
        "executionId": record.id,
        "success": outcome is not None and outcome.failure is None,
        "durationMs": round(outcome.duration_ms, 3) if outcome else 0.0,
        "queueMs": round(record.queue_ms, 3),
        "startMs": round(record.start_ms, 3),
        "coldStart": record.cold_start,
        "isolation": record.isolation.value,
        "degraded": record.degraded,
        "pluginVersion": record.version,
        "logs": [],
        "logsTruncated": False,
    }
    if outcome is None:
        answer["error"] = {"type": "Lost", "message": _no_outcome(record)}
        return answer
    answer["logs"] = [{"t": entry.t, "level": entry.level, "message": entry.message} for entry in outcome.logs]
    answer["logsTruncated"] = outcome.logs_truncated
    if outcome.failure is None:
        answer["output"] = outcome.output
    else:
        answer["error"] = error_of(outcome)
    return answer


def error_of(outcome: Outcome) -> dict[str, Any] | None:
    """The members of `wire.ExecutionError`."""
    failure = outcome.failure
    if failure is None:
        return None
    members = {"type": failure.type.value, "message": failure.message, "stack": failure.stack, "name": failure.name}
    return {name: value for name, value in members.items() if value is not None}


def _no_outcome(record: Execution) -> str:
    return (
        f"The call {record.id} had started when the daemon ended, and its outcome is not known. "
        "It is not run again under this id; use a new id if running it twice is harmless."
    )
