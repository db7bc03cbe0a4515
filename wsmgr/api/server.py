"""Listens: a unix socket with the right mode from its first moment, and loopback TCP where asked for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from wsmgr.api.protocol import PeerProtocol
from wsmgr.core.errors import Conflict, InvalidRequest

KEEP_ALIVE_S = 300
BACKLOG = 1024


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the composition root owns the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


def server(app: ASGIApp) -> Server:
    """A server for `await server.serve(sockets=[...])`; set `should_exit` to end it."""
    config = uvicorn.Config(
        app,
        http=PeerProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=5,
        backlog=BACKLOG,
    )
    return Server(config)


def bind_unix(path: Path) -> socket.socket:
    """A listening socket of mode 0660 in a directory of mode 0750 that belongs to this user.

    Raises Conflict when somebody listens there already, InvalidRequest when the place is not safe.
    """
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True)
        # Not by mkdir's mode, which the umask of the daemon would narrow.
        path.parent.chmod(0o750)
    place = path.parent.stat()
    if place.st_uid not in {os.getuid(), 0} or place.st_mode & stat.S_IWOTH:
        raise InvalidRequest(f"{path.parent} belongs to somebody else or is writable by all: no place for the socket.")
    if path.exists():
        _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def bind_tcp(address: str) -> socket.socket:
    """A listening socket on `HOST:PORT` of the loopback. Raises Conflict when the port is taken."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), int(port)))
    except OSError as error:
        listener.close()
        raise Conflict(f"Nothing can listen on {address}: {error.strerror}.") from None
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def _remove_stale(path: Path) -> None:
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise InvalidRequest(f"{path} is there and is no socket; it is left alone.")
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(1.0)
    try:
        probe.connect(str(path))
    except (ConnectionRefusedError, FileNotFoundError):
        path.unlink(missing_ok=True)
    except OSError as error:
        raise Conflict(f"{path} is in use: {error.strerror or error}.") from None
    else:
        raise Conflict(f"Another daemon listens on {path}.")
    finally:
        probe.close()


async def serve_until(running: Server, sockets: list[socket.socket], stopped: asyncio.Event) -> None:
    """Serve until `stopped` is set; then end open connections within the server's own bound."""
    serving = asyncio.create_task(running.serve(sockets=sockets), name="http")
    waiting = asyncio.create_task(stopped.wait(), name="http stop")
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    running.should_exit = True
    waiting.cancel()
    await serving
