"""An answer that is not a success."""

from __future__ import annotations

import json
from collections.abc import Mapping


class HttpError(Exception):
    """Status and the `{error: {type, message}}` body."""

    def __init__(self, status: int, kind: str, message: str, more: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = json.dumps({"error": {"type": kind, "message": message, **(more or {})}}).encode()
