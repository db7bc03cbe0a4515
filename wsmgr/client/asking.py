"""How the live view is asked for, with next to nothing loaded: a program can ask first and load the rest meanwhile."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from wsmgr.client.sse import EVENT_STREAM
from wsmgr.client.target import Target, UnixTarget

PATH = "/api/fleet/stream"


def request(target: Target) -> bytes:
    """The bytes that ask for it."""
    host, before, token = "wsmgr", "", None
    if not isinstance(target, UnixTarget):
        url = urlsplit(target.url)
        host, before, token = url.netloc, url.path, target.token
    lines = [f"GET {before}{PATH} HTTP/1.1", f"Host: {host}", f"Accept: {EVENT_STREAM}"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode()


def ask(target: Target) -> socket.socket | None:
    """A connection on which it has been asked for, for `LiveView`; None where that is not done in a moment, or does not
    work: who then connects in the usual way learns why."""
    if not isinstance(target, UnixTarget):
        return None
    connection = socket.socket(socket.AF_UNIX)
    connection.setblocking(False)
    try:
        connection.connect(str(target.path))
        connection.sendall(request(target))
    except OSError:
        connection.close()
        return None
    return connection
