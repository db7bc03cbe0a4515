"""The process that plugins' processes are forked from. It is forked before anything has come in: so what a plugin's
process finds in its memory is no other plugin's code, input or secret, and nothing of the HTTP side.

A plugin's process is forked twice, so that it becomes the runtime's own child (see `kernel.inherit_orphans`): the
runtime alone waits for it, and no pid that it kills can have been given to somebody else.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
from collections.abc import Mapping

from workspace_runtime import kernel

_MESSAGE_BYTES = 4096
_REPLY_S = 10.0
_STANDARD_FDS = 3
_FDS_MOST = 1024


class CannotSpawn(Exception):
    """The kernel gave no process."""


class SpawnerEnded(Exception):
    """Somebody has ended the spawner: without it the runtime is of no use."""


class Spawner:
    """The runtime's end."""

    def __init__(self, pid: int, sock: socket.socket) -> None:
        self.pid = pid
        self._sock = sock

    @classmethod
    def start(cls) -> Spawner:
        """Fork it. To be called first of all."""
        kernel.inherit_orphans()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            ours.close()
            _serve(theirs)
            os._exit(0)
        theirs.close()
        ours.settimeout(_REPLY_S)
        return cls(pid, ours)

    def spawn(self, order: Mapping[str, object], fds: list[int]) -> int:
        """Have a plugin's process forked, which gets these descriptors: its socket, standard output and error. Returns
        its pid. Raises CannotSpawn, SpawnerEnded."""
        try:
            socket.send_fds(self._sock, [json.dumps(order).encode()], fds)
            reply = self._sock.recv(_MESSAGE_BYTES)
        except OSError as error:
            raise SpawnerEnded from error
        if not reply:
            raise SpawnerEnded
        told = json.loads(reply)
        if "pid" not in told:
            raise CannotSpawn(str(told["error"]))
        return int(told["pid"])


def _serve(sock: socket.socket) -> None:
    kernel.die_with_parent(signal.SIGKILL)
    # What the runtime was handed at its start, its listening socket above all, is not for plugins.
    os.closerange(_STANDARD_FDS, sock.fileno())
    os.closerange(sock.fileno() + 1, _FDS_MOST)
    kernel.wipe_environment()
    kernel.hide()
    kernel.name_process("spawner")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    from workspace_runtime.child import entry  # noqa: PLC0415, F401  (before the first order, beside the start of HTTP)

    gc.collect()
    gc.freeze()
    while True:
        message, fds, _, _ = socket.recv_fds(sock, _MESSAGE_BYTES, 3)
        if not message:
            return
        order = json.loads(message)
        if order["asyncio"]:
            # The first process of an async plugin imports it for itself (45 ms); all that come later share it.
            import asyncio  # noqa: PLC0415, F401

            gc.freeze()
        _fork(sock, order, fds)


def _fork(sock: socket.socket, order: dict[str, object], fds: list[int]) -> None:
    try:
        between = os.fork()
    except OSError as error:
        _reply(sock, {"error": error.strerror})
    else:
        if between == 0:
            _fork_again(sock, order, fds)
        os.waitpid(between, 0)
    for fd in fds:
        os.close(fd)


def _fork_again(sock: socket.socket, order: dict[str, object], fds: list[int]) -> None:
    """In the process in between. Never returns."""
    try:
        pid = os.fork()
    except OSError as error:
        _reply(sock, {"error": error.strerror})
        os._exit(1)
    if pid:
        _reply(sock, {"pid": pid})
        os._exit(0)
    from workspace_runtime.child import entry  # noqa: PLC0415

    sock.close()
    try:
        entry.run(order, fds)
    finally:
        os._exit(1)


def _reply(sock: socket.socket, told: Mapping[str, object]) -> None:
    sock.send(json.dumps(told).encode())
