"""Binding the address of LISTEN: a private unix socket, TCP, or a socket that is bound already."""

from __future__ import annotations

import os
import socket
import stat

from workspace_runtime.settings import Settings, SettingsError

_BACKLOG = 511


def listen(settings: Settings) -> tuple[socket.socket, str]:
    """The listening socket, and its address as text (with the real port when port 0 was asked for)."""
    if settings.descriptor is not None:
        return _handed_in(settings.descriptor), f"fd:{settings.descriptor}"
    if settings.path is not None:
        return _on_path(settings.path), settings.path
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((settings.host, settings.port))
    made.listen(_BACKLOG)
    host, port = made.getsockname()[:2]
    return made, f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _handed_in(descriptor: int) -> socket.socket:
    made = socket.socket(fileno=descriptor)
    os.set_inheritable(descriptor, False)
    made.setblocking(False)
    made.listen(_BACKLOG)
    return made


def _on_path(path: str) -> socket.socket:
    """Mode 0666: the daemon connects from outside the container's user namespace, as another uid. Who can reach the
    socket at all is decided by its directory: a mount of this workspace's own, or a folder of the daemon's user."""
    _remove_stale(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    before = os.umask(0o111)
    try:
        made.bind(path)
    finally:
        os.umask(before)
    made.listen(_BACKLOG)
    return made


def _remove_stale(path: str) -> None:
    """A socket left by a killed predecessor is in the way of bind(). Anything else there is not ours to remove."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise SettingsError(f"LISTEN={path} exists and is not a socket")
    os.unlink(path)
