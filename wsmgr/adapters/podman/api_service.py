"""Podman's API service where no systemd keeps one: started, watched and restarted, but never a part of the daemon.

It runs in a session of its own, so that it and the containers (whose monitors it started) outlive the daemon.
A service that somebody else started on the socket is used as it is, and never killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from wsmgr.adapters.podman.detached import Detached, recall, remember, spawn
from wsmgr.adapters.podman.liveness import Liveness, liveness
from wsmgr.adapters.podman.pause import PauseProcess
from wsmgr.adapters.podman.program import Program
from wsmgr.core.errors import EngineUnavailable

_KEPT = (
    "HOME", "PATH", "LANG", "TMPDIR", "USER", "LOGNAME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
    "DBUS_SESSION_BUS_ADDRESS", "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "CONTAINERS_REGISTRIES_CONF",
)  # fmt: skip
"""The variables podman needs; proxies, tokens and the daemon's own settings are none of its business."""
_STEADY_S = 30.0
"""A service that lived this long is started again at once when it dies; a younger one after a growing pause."""
_STOP_S = 10.0


class ApiService:
    """The service on one socket. `podman` is the program; all times are in seconds."""

    def __init__(
        self,
        socket: Path,
        *,
        podman: str = "podman",
        start_timeout_s: float = 20.0,
        answer_timeout_s: float = 5.0,
        hung_after_s: float = 60.0,
        check_every_s: float = 5.0,
        backoff_most_s: float = 30.0,
    ) -> None:
        self._socket = socket
        self._podman = podman
        self._pause = PauseProcess(Program(podman))
        self._start_timeout_s = start_timeout_s
        self._answer_timeout_s = answer_timeout_s
        self._hung_after_s = hung_after_s
        self._check_every_s = check_every_s
        self._backoff_most_s = backoff_most_s
        self._record = socket.with_name(socket.name + ".pid")
        self._log = socket.with_name(socket.name + ".log")
        self._children: list[Detached] = []

    @property
    def own(self) -> Detached | None:
        """The live service process that this daemon or a predecessor started; None when there is none."""
        process = recall(self._record)
        return process if process is not None and process.alive else None

    async def ensure(self) -> None:
        """Return when a service does real work on the socket, started if need be. Raises EngineUnavailable."""
        if await liveness(self._socket, self._answer_timeout_s) is Liveness.LIVE:
            return
        try:
            self._socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            async with self._only_starter():
                await self._start_unless_there()
        except OSError as error:
            raise EngineUnavailable(f"Podman's service cannot be started on {self._socket}: {error}.") from error

    async def watch(self) -> None:
        """Until cancelled: start the service again when it dies, and kill our own when it hangs for long."""
        backoff = 0.0
        last_start = silent_since = float("-inf")
        while True:
            process = self.own
            # Those before it too: a process that nobody waits for stays as a zombie.
            self._children = [child for child in self._children if child.alive]
            await (process.ended(self._check_every_s) if process else asyncio.sleep(self._check_every_s))
            state = await liveness(self._socket, self._answer_timeout_s)
            now = time.monotonic()
            if state is not Liveness.SILENT:
                silent_since = float("-inf")
            elif silent_since == float("-inf"):
                silent_since = now
            elif now - silent_since >= self._hung_after_s:
                silent_since = float("-inf")
                await self._kill_own()
                state = Liveness.GONE
            if state is Liveness.GONE:
                backoff = 0.0 if now - last_start > _STEADY_S else min(self._backoff_most_s, 2 * backoff + 0.5)
                await asyncio.sleep(backoff)
                last_start = time.monotonic()
                with contextlib.suppress(EngineUnavailable):
                    await self.ensure()

    async def end(self) -> None:
        """Stop the service if it is one of ours; containers go on. For `make down` and tests."""
        process = self.own
        if process is not None:
            process.signal(signal.SIGTERM)
            if not await process.ended(_STOP_S):
                await self._kill_own()
        self._record.unlink(missing_ok=True)

    async def _kill_own(self) -> None:
        process = self.own
        if process is not None:
            process.signal(signal.SIGKILL)
            await process.ended(_STOP_S)

    @asynccontextmanager
    async def _only_starter(self) -> AsyncIterator[None]:
        """A lock between processes: two daemons that start at once make one service."""
        file = self._socket.with_name(self._socket.name + ".lock")
        lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            async with asyncio.timeout(self._start_timeout_s):
                # A blocking flock() would need a thread that nothing can end.
                while not _locked(lock):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            yield
        finally:
            os.close(lock)

    async def _start_unless_there(self) -> None:
        match await liveness(self._socket, self._answer_timeout_s):
            case Liveness.LIVE:
                return
            case Liveness.SILENT:
                raise EngineUnavailable(f"Podman's service on {self._socket} takes calls and does not answer them.")
            case Liveness.GONE:
                if await self._started() or (await self._pause.mend() and await self._started()):
                    return
        raise EngineUnavailable(f"Podman's service did not start on {self._socket}: {self._last_words()}")

    async def _started(self) -> bool:
        """Start it; whether it does real work in time."""
        process = self._spawn()
        deadline = time.monotonic() + self._start_timeout_s
        while time.monotonic() < deadline:
            if await liveness(self._socket, self._answer_timeout_s) is Liveness.LIVE:
                return True
            if await process.ended(0.02):
                break
        return False

    def _spawn(self) -> Detached:
        program = shutil.which(self._podman)
        if program is None:
            raise EngineUnavailable(f"The program {self._podman} is not installed: run `make up` or install podman.")
        self._socket.unlink(missing_ok=True)
        environment = {key: value for key, value in os.environ.items() if key in _KEPT or key.startswith("LC_")}
        argv = [program, "system", "service", "--time=0", f"unix://{self._socket.absolute()}"]
        process = spawn(argv, environment, self._log)
        self._children.append(process)
        remember(process, self._record)
        return process

    def _last_words(self) -> str:
        try:
            lines = self._log.read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1][:400] if lines else "it said nothing."


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
