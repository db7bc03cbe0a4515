"""A child process of the daemon: what it wrote, how it ended, and its end on demand."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from wsmgr.adapters.worker.tail import Tail
from wsmgr.core.errors import EngineFailure

_KILLED_WITHIN_S = 10.0
NICE = 5  # the daemon answers first


class Child(asyncio.SubprocessProtocol):
    """Standard output and error go to one tail; standard input is empty. No task waits for it: the loop calls here."""

    def __init__(self) -> None:
        self.tail = Tail()
        self.ended = asyncio.Event()
        self._transport: asyncio.SubprocessTransport | None = None

    @property
    def pid(self) -> int:
        """The pid of the process that was started."""
        if self._transport is None:
            raise RuntimeError("the process has no pid before it is started")
        return self._transport.get_pid()

    @property
    def exit_code(self) -> int | None:
        """None while it runs; 128 + signal when a signal ended it."""
        code = None if self._transport is None else self._transport.get_returncode()
        return 128 - code if code is not None and code < 0 else code

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, _fd: int, data: bytes) -> None:
        self.tail.add(data)

    def process_exited(self) -> None:
        self.ended.set()

    def close(self) -> None:
        """Let go of the pipe; kills the process if it still runs."""
        if self._transport is not None:
            self._transport.close()


async def spawn(argv: Sequence[str], env: Mapping[str, str], cwd: Path, pass_fds: Sequence[int] = ()) -> Child:
    """Start a process in a session of its own. Raises EngineFailure when it cannot be started."""
    try:
        _, child = await asyncio.get_running_loop().subprocess_exec(
            Child,
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(env),
            cwd=str(cwd),
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )
    except OSError as error:
        raise EngineFailure(f"{argv[0]} could not be started: {error.strerror}.") from error
    return child


async def end(child: Child, terminate: Callable[[], None], kill: Callable[[], None], grace_s: float) -> None:
    """`terminate`, wait `grace_s` seconds, `kill`, wait. Raises EngineFailure when even that does not end it."""
    if not child.ended.is_set() and grace_s > 0:
        _quietly(terminate)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await child.ended.wait()
    _quietly(kill)  # also when the main process has ended: what it left behind
    try:
        async with asyncio.timeout(_KILLED_WITHIN_S):
            await child.ended.wait()
    except TimeoutError:
        raise EngineFailure(f"Process {child.pid} did not end when it was killed.") from None
    child.close()


def _quietly(act: Callable[[], None]) -> None:
    with contextlib.suppress(ProcessLookupError):
        act()


def first_child_of(pid: int) -> int | None:
    """The oldest child of a process, None when it has none (or the kernel does not list them)."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return None
    return int(children[0]) if children else None


def is_asleep(pid: int) -> bool:
    """Whether the process waits for something; False as well when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"
    except OSError:
        return False


def terminate_first_child(pid: int) -> None:
    """SIGTERM to the oldest child of `pid`; a descriptor holds it, so that no later process of that pid is hit."""
    target = first_child_of(pid)
    if target is None:
        return
    held = os.pidfd_open(target)
    try:
        if first_child_of(pid) == target:
            signal.pidfd_send_signal(held, signal.SIGTERM)
    finally:
        os.close(held)
