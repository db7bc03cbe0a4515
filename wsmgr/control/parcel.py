"""A call as it is kept until it is started: bytes, and back."""

from __future__ import annotations

import json

from wsmgr.control.request import Request
from wsmgr.core.errors import InvalidRequest
from wsmgr.core.ids import ExecutionId, Slug, Version, WorkspaceId
from wsmgr.core.plugin import Language, PluginSource


def packed(request: Request) -> bytes:
    """All of it. Raises InvalidRequest."""
    inline = request.inline
    members = {
        "workspace": request.workspace,
        "user": request.user,
        "slug": request.slug,
        "version": request.version,
        "inline": None if inline is None else [inline.slug, inline.version, inline.language.value, inline.code],
        "input": request.input,
        "context": dict(request.context),
        "timeout_ms": request.timeout_ms,
        "id": request.id,
        "fingerprint": request.fingerprint,
        "size": request.size,
    }
    try:
        return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
    except RecursionError:
        raise InvalidRequest("The input or the context is nested too deep to be kept.") from None


def unpacked(parcel: bytes) -> Request:
    """What `packed` was given."""
    members = json.loads(parcel)
    inline = members["inline"]
    return Request(
        workspace=WorkspaceId(members["workspace"]),
        user=members["user"],
        slug=Slug(members["slug"]),
        version=None if members["version"] is None else Version(members["version"]),
        inline=None if inline is None else _source(*inline),
        input=members["input"],
        context=members["context"],
        timeout_ms=members["timeout_ms"],
        id=ExecutionId(members["id"]),
        fingerprint=members["fingerprint"],
        size=members["size"],
    )


def _source(slug: str, version: str, language: str, code: str) -> PluginSource:
    return PluginSource(Slug(slug), Version(version), Language(language), code)
