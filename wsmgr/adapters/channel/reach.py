"""The safe way to a socket inside a workspace.

What runs in a workspace owns its file system: it may put a symbolic link where its socket was, to a socket of the host
that only the daemon may talk to. So nothing after `/proc/<pid>/root` is followed, what is found must be a socket, and
whoever listens on it must have the uid of that workspace before the first byte is sent.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
import struct
from collections.abc import Callable
from typing import TypeVar

from wsmgr.adapters.channel.claim import claim, private_in
from wsmgr.adapters.channel.keeping import NO_KEY, keep_key, key_in
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import ChannelClosed, ProtocolViolation

T = TypeVar("T")

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_PEER = struct.Struct("3i")  # pid, uid, gid
_BACKLOG_RETRY_S = 0.002


async def connect(at: Endpoint, timeout_s: float) -> socket.socket:
    """A connected, non-blocking socket whose other end has the endpoint's uid.

    Raises ProtocolViolation when what is found there is not what the endpoint promises, and ChannelClosed (nothing
    sent) when nothing listens, or its queue stays full for `timeout_s` seconds.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while True:
        try:
            return _connect_now(at)
        except BlockingIOError:
            # A unix socket whose backlog is full refuses at once and gives no event when there is room again.
            if loop.time() >= deadline:
                raise ChannelClosed(
                    f"The runtime at {at.socket} accepted no connection in {timeout_s:g} s.", sent=False
                ) from None
            await asyncio.sleep(_BACKLOG_RETRY_S)


def _connect_now(at: Endpoint) -> socket.socket:
    try:
        found = _find(at)
        try:
            return _connect_to(found, at)
        finally:
            os.close(found)
    except BlockingIOError:
        raise
    except OSError as error:
        raise _explained(error, at) from error


def _find(at: Endpoint) -> int:
    """An O_PATH descriptor of the socket itself, reached without following one link inside the workspace."""
    name = _components(at.socket)[-1]
    here = _folder_of(at)
    try:
        if _is_claimed(at):
            found = claim(here, name)
        else:
            found = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
    finally:
        os.close(here)
    if stat.S_ISSOCK(os.fstat(found).st_mode):
        return found
    os.close(found)
    raise ProtocolViolation(f"What is at {at.socket} in the workspace is not a socket.")


def key_of(at: Endpoint) -> bytes | None:
    """What is kept as the key of the runtime there; NO_KEY where no folder keeps its plugins from it. Raises as
    `connect` does."""
    return _in_private(at, key_in) if _is_claimed(at) else NO_KEY


def keep_key_of(at: Endpoint, key: bytes) -> None:
    """From now on `key_of` says this. Raises as `connect` does."""
    _in_private(at, lambda private: keep_key(private, key))


def _is_claimed(at: Endpoint) -> bool:
    """No folder keeps out a listener who is this very user."""
    return at.uid != os.geteuid()


def _in_private(at: Endpoint, act: Callable[[int], T]) -> T:
    try:
        folder = _folder_of(at)
        try:
            private = private_in(folder)
        finally:
            os.close(folder)
        try:
            return act(private)
        finally:
            os.close(private)
    except OSError as error:
        raise _explained(error, at) from error


def _folder_of(at: Endpoint) -> int:
    """An O_PATH descriptor of the folder in which the runtime has bound its socket."""
    # `root` is a link of the kernel's own making into the mount namespace of that process: the one to follow.
    here = os.open("/" if at.on_host else f"/proc/{at.pid}/root", _FOLDER)
    try:
        for folder in _components(at.socket)[:-1]:
            there = os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = there
    except BaseException:
        os.close(here)
        raise
    return here


def _components(path: str) -> list[str]:
    parts = path.split("/")
    if parts[0] or len(parts) < 2 or any(part in ("", ".", "..") for part in parts[1:]):
        raise ProtocolViolation(f"{path!r} is not a plain absolute path of a socket.")
    return parts[1:]


def _connect_to(found: int, at: Endpoint) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        sock.connect(f"/proc/self/fd/{found}")
        _check_peer(sock, at)
    except BaseException:
        sock.close()
        raise
    return sock


def _check_peer(sock: socket.socket, at: Endpoint) -> None:
    _, uid, _ = _PEER.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    if uid != at.uid:
        raise ProtocolViolation(f"Uid {uid} listens at {at.socket} in the workspace, where only {at.uid} may.")


def _explained(error: OSError, at: Endpoint) -> ChannelClosed | ProtocolViolation:
    if error.errno in (errno.ENOTDIR, errno.ELOOP):
        return ProtocolViolation(f"A folder of {at.socket} in the workspace is a link or not a folder.")
    if error.errno == errno.EPROTOTYPE:
        return ProtocolViolation(f"What is at {at.socket} in the workspace is a socket of another type.")
    why = os.strerror(error.errno) if error.errno else str(error)
    return ChannelClosed(f"Nothing could be reached at {at.socket} of process {at.pid}: {why}.", sent=False)
