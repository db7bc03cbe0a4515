"""Errors as application/problem+json (RFC 9457)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import orjson

from wsmgr.core.errors import WsmgrError

TITLES = {
    400: "Bad request",
    401: "Unauthenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timeout",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not valid",
    429: "Over a limit",
    431: "Too large",
    500: "Internal error",
    502: "Engine failure",
    503: "Not available now",
}

MEDIA_TYPE = "application/problem+json"


def problem(
    status: int, code: str, detail: str, *, retryable: bool = False, extra: Mapping[str, object] | None = None
) -> bytes:
    """The JSON of a problem."""
    members = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
        "retryable": retryable,
    }
    return orjson.dumps({**members, **(extra or {}), **members})


def problem_of(error: WsmgrError) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    """Status, body and headers for an error of wsmgr's own vocabulary."""
    headers = [(b"content-type", MEDIA_TYPE.encode())]
    if error.retry_after is not None:
        headers.append((b"retry-after", str(max(1, math.ceil(error.retry_after))).encode()))
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    body = problem(error.status, error.code, error.sentence, retryable=error.retryable, extra=error.details)
    return error.status, body, headers
