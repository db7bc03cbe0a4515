"""Asks the runtime at LISTEN whether it is healthy: exit 0 or 1. For the image's HEALTHCHECK."""

from __future__ import annotations

import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from workspace_runtime.settings import Settings, SettingsError

_TIMEOUT_S = 4.0


def connect(settings: Settings) -> socket.socket:
    """A connection to the runtime."""
    if settings.path is None:
        host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104
        return socket.create_connection((host, settings.port), timeout=_TIMEOUT_S)
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(_TIMEOUT_S)
    made.connect(settings.path)
    return made


def check() -> str | None:
    """What is wrong; None when all is well."""
    try:
        settings = Settings(os.environ)
        with connect(settings) as made:
            token = b"" if settings.token is None else b"Authorization: Bearer %s\r\n" % settings.token
            made.sendall(b"GET /health HTTP/1.1\r\nHost: runtime\r\n%sConnection: close\r\n\r\n" % token)
            status = made.recv(4096).partition(b"\r\n")[0]
    except (OSError, SettingsError) as error:
        return str(error)
    return None if status.startswith(b"HTTP/1.1 200 ") else f"status {status.decode(errors='replace')}"


why = check()
if why is not None:
    sys.stderr.write(f"unhealthy: {why}\n")
    sys.exit(1)
