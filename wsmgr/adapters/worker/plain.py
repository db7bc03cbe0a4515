"""A runtime as an ordinary child process: for development, and where bubblewrap cannot run."""

from __future__ import annotations

import contextlib
import functools
import os
import resource
import shutil
import signal
from pathlib import Path

import psutil

from wsmgr.adapters.worker.child import NICE, spawn
from wsmgr.adapters.worker.launcher import Launched
from wsmgr.adapters.worker.runtime import Program, environment
from wsmgr.core.errors import EngineFailure, EngineUnavailable
from wsmgr.core.workspace import Spec

# The daemon reaches the socket through /proc of this very process, which must not close itself to its own user.
_OPEN = {"WSMGR_OPEN_PROC": "1"}
_SOCKET_PATH_MOST = 107  # what sockaddr_un holds
# The death signal comes only when the parent dies after it was asked for: whoever lost its parent before ends here.
_WHILE_PARENT_LIVES = 'test "$PPID" = "$0" && exec "$@"'


class PlainLauncher:
    """No sandbox: the process sees the host as the daemon's user does. Its sockets are in folders below `state`."""

    def __init__(self, program: Program, state: Path) -> None:
        self._program = program
        self._state = state
        self._tools: tuple[str, ...] = ()

    def open(self) -> None:
        """Raises EngineUnavailable when a program is missing or the folder cannot be made."""
        self._program.check()
        tools = [shutil.which(tool) for tool in ("nice", "prlimit", "setpriv", "sh")]
        if not all(tools):
            raise EngineUnavailable("The worker isolation needs sh, nice, prlimit and setpriv (coreutils, util-linux).")
        self._tools = tuple(tool for tool in tools if tool)
        try:
            # What an earlier daemon left there belongs to processes that have died with it.
            shutil.rmtree(self._state, ignore_errors=True)
            self._state.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise EngineUnavailable(f"The folder {self._state} cannot be made: {error.strerror}.") from error

    async def launch(self, spec: Spec, name: str) -> Launched:
        """As Launcher."""
        nice, prlimit, setpriv, shell = self._tools
        home = self._state.resolve() / name
        socket = home / "api.sock"
        if len(os.fsencode(socket)) > _SOCKET_PATH_MOST:
            raise EngineFailure(f"{socket} is too long for a socket: choose a shorter state folder.")
        home.mkdir(mode=0o700)
        tidy = functools.partial(shutil.rmtree, home, ignore_errors=True)
        argv = [
            *(nice, "-n", str(NICE)),
            # No limit of processes: the kernel would count all that the daemon's user has.
            *(prlimit, f"--nofile={_within_hard(spec.nofile)}", "--core=0", "--"),
            *(setpriv, "--pdeathsig", "KILL", "--no-new-privs", "--"),
            *(shell, "-c", _WHILE_PARENT_LIVES, str(os.getpid())),
            *self._program.argv(str(self._program.binary), str(self._program.folder)),
        ]
        try:
            child = await spawn(argv, {**environment(self._program, spec, str(socket), str(home)), **_OPEN}, home)
        except BaseException:
            tidy()
            raise
        tree = _Tree(child.pid)
        return Launched(child, child.pid, str(socket), tree.terminate, tree.kill, tidy)


class _Tree:
    """A process and what it started. Without a pid namespace that is a matter of looking in time: what a runtime that
    dies by itself leaves behind in sessions of its own is not found any more."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seen: set[psutil.Process] = set()

    def terminate(self) -> None:
        """SIGTERM to the runtime alone."""
        self._look()
        os.kill(self._pid, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to everything; psutil compares start times, so that no later process of the same pid is hit."""
        self._look()
        for process in self._seen:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        os.killpg(self._pid, signal.SIGKILL)

    def _look(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self._seen.update(psutil.Process(self._pid).children(recursive=True))


def _within_hard(wanted: int) -> int:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
