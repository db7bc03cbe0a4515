"""What is sent to a runtime, as bytes."""

from __future__ import annotations

import base64
import hashlib

import orjson

from wsmgr.core.bundle import Bundle
from wsmgr.core.errors import InvalidRequest
from wsmgr.core.ids import Slug
from wsmgr.core.plugin import PluginSource
from wsmgr.ports.channel import Call

_HEAD = b"%s HTTP/1.1\r\nHost: runtime\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: runtime\r\n\r\n"


def wire_slug(slug: Slug, namespace: str | None) -> str:
    """The name a plugin has in the runtime. Where owners share one, two owners' plugins never have the same name."""
    if namespace is None:
        return slug
    return f"{hashlib.sha256(f'{namespace}/{slug}'.encode()).hexdigest()[:16]}-{slug[:47]}"


def execute(call: Call, namespace: str | None) -> bytes:
    """`POST /execute`. Raises InvalidRequest when input or context cannot be written as JSON (too deep, say)."""
    try:
        body = orjson.dumps(
            {
                "plugin": wire_slug(call.plugin, namespace),
                "version": call.version,
                "input": call.input,
                "context": call.context,
                "timeoutMs": max(1, round(call.timeout_s * 1000)),
                "executionId": call.execution,
                "limits": {"outputBytes": call.output_bytes, "logBytes": call.log_bytes},
            }
        )
    except orjson.JSONEncodeError as error:
        raise InvalidRequest(f"The input or the context cannot be written as JSON: {error}.") from None
    return _HEAD % (b"POST /execute", len(body)) + body


def put(plugin: PluginSource, namespace: str | None) -> bytes:
    """`PUT /plugins/{slug}`. Raises InvalidRequest when the code is not text that UTF-8 can hold."""
    content = {"code": plugin.code} if plugin.bundle is None else {"bundle": _bundle(plugin.bundle)}
    try:
        body = orjson.dumps({"version": plugin.version, "language": plugin.language.value, **content})
    except orjson.JSONEncodeError as error:
        raise InvalidRequest(f"The code of {plugin.slug} cannot be written as JSON: {error}.") from None
    line = f"PUT /plugins/{wire_slug(plugin.slug, namespace)}"
    return _HEAD % (line.encode(), len(body)) + body


def _bundle(bundle: Bundle) -> dict[str, object]:
    files = [{"path": file.path, "data": base64.b64encode(file.data).decode()} for file in bundle.files]
    return {"entry": bundle.entry, "files": files}


def delete(slug: Slug, namespace: str | None) -> bytes:
    """`DELETE /plugins/{slug}`."""
    return f"DELETE /plugins/{wire_slug(slug, namespace)} HTTP/1.1\r\nHost: runtime\r\n\r\n".encode()
