"""What is sent to a runtime, as bytes."""

from __future__ import annotations

import base64
import hashlib

import orjson

from wsmgr.adapters.channel.sealing import Seal
from wsmgr.core.bundle import Bundle
from wsmgr.core.errors import InvalidRequest
from wsmgr.core.ids import ExecutionId, Slug
from wsmgr.core.plugin import PluginSource
from wsmgr.core.plugin_settings import PluginSettings, runtime_version
from wsmgr.ports.channel import Call

_HEAD = b"%s HTTP/1.1\r\nHost: runtime\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: runtime\r\n\r\n"


def wire_slug(slug: Slug, namespace: str | None) -> str:
    """The name a plugin has in the runtime. Where owners share one, two owners' plugins never have the same name."""
    if namespace is None:
        return slug
    return f"{hashlib.sha256(f'{namespace}/{slug}'.encode()).hexdigest()[:16]}-{slug[:47]}"


def execute(call: Call, namespace: str | None, *, stream: bool = False) -> bytes:
    """`POST /execute`, answered line by line where it streams. Raises InvalidRequest when input or context cannot be
    written as JSON (too deep, say)."""
    try:
        body = orjson.dumps(
            {
                "plugin": wire_slug(call.plugin, namespace),
                "version": runtime_version(call.version, call.revision),
                "input": call.input,
                "context": call.context,
                "timeoutMs": max(1, round(call.timeout_s * 1000)),
                "executionId": call.execution,
                "limits": {"outputBytes": call.output_bytes, "logBytes": call.log_bytes},
                **({"stream": True} if stream else {}),
            }
        )
    except orjson.JSONEncodeError as error:
        raise InvalidRequest(f"The input or the context cannot be written as JSON: {error}.") from None
    return _HEAD % (b"POST /execute", len(body)) + body


def cancel(execution: ExecutionId) -> bytes:
    """`POST /cancel`."""
    body = orjson.dumps({"executionId": execution})
    return _HEAD % (b"POST /cancel", len(body)) + body


def key(value: bytes) -> bytes:
    """`PUT /key`."""
    body = orjson.dumps({"key": base64.b64encode(value).decode()})
    return _HEAD % (b"PUT /key", len(body)) + body


def put(plugin: PluginSource, settings: PluginSettings, namespace: str | None, seal: Seal | None = None) -> bytes:
    """`PUT /plugins/{slug}`, its secrets sealed where there is a seal. Raises InvalidRequest when the code is not text
    that UTF-8 can hold."""
    slug = wire_slug(plugin.slug, namespace)
    version = runtime_version(plugin.version, settings.revision)
    content = {"code": plugin.code} if plugin.bundle is None else {"bundle": _bundle(plugin.bundle)}
    asked = {"version": version, "language": plugin.language.value, **content, **_given(settings, slug, version, seal)}
    try:
        body = orjson.dumps(asked)
    except orjson.JSONEncodeError as error:
        raise InvalidRequest(f"The code of {plugin.slug} cannot be written as JSON: {error}.") from None
    line = f"PUT /plugins/{slug}"
    return _HEAD % (line.encode(), len(body)) + body


def _given(settings: PluginSettings, slug: str, version: str, seal: Seal | None) -> dict[str, object]:
    if not settings.revision:
        return {}
    secrets: dict[str, str] = {name: secret.reveal() for name, secret in settings.secrets.items()}
    given: dict[str, object] = {"config": dict(settings.config)}
    if seal is None or not secrets:
        return given | {"secrets": secrets}
    return given | {"sealed": seal.secrets(secrets, slug, version)}


def _bundle(bundle: Bundle) -> dict[str, object]:
    files = [{"path": file.path, "data": base64.b64encode(file.data).decode()} for file in bundle.files]
    return {"entry": bundle.entry, "files": files}


def delete(slug: Slug, namespace: str | None) -> bytes:
    """`DELETE /plugins/{slug}`."""
    return f"DELETE /plugins/{wire_slug(slug, namespace)} HTTP/1.1\r\nHost: runtime\r\n\r\n".encode()
