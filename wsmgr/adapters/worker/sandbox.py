"""A runtime in bubblewrap: namespaces of its own, a file system of a dozen read-only files, no capability."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import resource
import signal
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

from wsmgr.adapters.worker.child import NICE, Child, first_child_of, is_asleep, spawn, terminate_first_child
from wsmgr.adapters.worker.launcher import Launched
from wsmgr.adapters.worker.listening import Listening, empty_folder
from wsmgr.adapters.worker.runtime import Program, environment
from wsmgr.core.errors import EngineFailure
from wsmgr.core.limits import MIB
from wsmgr.core.workspace import Spec

RUNTIME = "/opt/wsmgr/runtime"
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SET_UP_S = 10.0
_LOOK_EVERY_S = 0.001


def arguments(spec: Spec, program: Program, libraries: Sequence[str], listening: int) -> Sequence[str]:
    """The options of bwrap; pure, so that what is shared with the host can be read in one place. `listening`: the
    descriptor of the socket."""
    variables = environment(program, spec, f"fd:{listening}", "/tmp").items()  # noqa: S108 (in the sandbox)
    return [
        *("--unshare-all", "--unshare-user", "--disable-userns", "--new-session", "--die-with-parent"),
        *("--uid", str(spec.uid), "--gid", str(spec.uid), "--hostname", "workspace", "--cap-drop", "ALL"),
        "--clearenv",
        *(part for variable in variables for part in ("--setenv", *variable)),
        *("--ro-bind", str(program.binary), program.inside, "--ro-bind", str(program.folder), RUNTIME),
        *(part for tree in program.trees for part in ("--ro-bind", str(tree), str(tree))),
        *(part for path in libraries for part in ("--ro-bind", path, path)),
        *("--proc", "/proc"),
        # Not --dev: its terminals and its writable /dev/shm are of no use here.
        *(part for name in _DEVICES for part in ("--dev-bind", f"/dev/{name}", f"/dev/{name}")),
        *("--symlink", "/proc/self/fd", "/dev/fd"),
        *("--size", str(spec.plugin_space_mb * MIB), "--perms", "0700", "--tmpfs", "/plugins"),
        *("--size", str(spec.scratch_mb * MIB), "--perms", "0700", "--tmpfs", "/tmp"),  # noqa: S108
        # The root is a tmpfs as well: left writable it would be scratch space without a limit.
        *("--remount-ro", "/", "--chdir", "/tmp"),  # noqa: S108
    ]


class SandboxLauncher:
    """Starts runtimes in sandboxes; `bwrap` is the program, `libraries` what the runtime is linked with, `sockets` the
    folder for their sockets.

    `instance` is written where the process list shows it, so that `sweep` finds what an earlier daemon left.
    """

    def __init__(self, program: Program, bwrap: str, libraries: Sequence[str], instance: str, sockets: Path) -> None:
        self._program = program
        self._sockets = sockets.resolve()
        self._mark = f"wsmgr-bwrap:{instance}"
        self._bwrap = bwrap
        self._libraries = libraries

    @property
    def program(self) -> Program:
        """What it starts."""
        return self._program

    def sweep(self) -> None:
        """Kill the sandboxes of an earlier daemon of this instance that was killed while it started them, and remove
        its sockets. Raises EngineFailure."""
        empty_folder(self._sockets)
        ours = {process.pid for process in psutil.Process().children(recursive=True)}
        for process in psutil.process_iter(["cmdline", "uids"]):
            cmdline, uids = process.info["cmdline"], process.info["uids"]
            if not cmdline or not uids or process.pid in ours:
                continue
            if self._mark in cmdline and uids.real == os.getuid():
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    async def launch(self, spec: Spec, name: str) -> Launched:
        """As Launcher."""
        return await self.run(spec, name, self._program.argv(self._program.inside, RUNTIME))

    async def run(self, spec: Spec, name: str, command: Sequence[str]) -> Launched:
        """Start any program in the same sandbox. Raises EngineFailure when the sandbox cannot be made."""
        listening = Listening.at(self._sockets / f"{name}.sock")
        try:
            return await self._run(spec, name, command, listening)
        except BaseException:
            listening.tidy()
            raise
        finally:
            listening.close()

    async def _run(self, spec: Spec, name: str, command: Sequence[str], listening: Listening) -> Launched:
        with ExitStack() as ours:
            socket = listening.sock.fileno()
            # By descriptor, because the command line of process 1 can be read inside, and would name host paths.
            options = _memory_file(ours, f"wsmgr-{name}", arguments(spec, self._program, self._libraries, socket))
            go, gate = _pipe(ours)
            with ExitStack() as theirs:
                info, inform = os.pipe()
                theirs.callback(os.close, inform)
                told = asyncio.StreamReader()
                transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                    lambda: asyncio.StreamReaderProtocol(told), os.fdopen(info, "rb")
                )
                ours.callback(transport.close)
                # The mark is a variable that later options clear again. (Not argv[0]: uvloop puts the program there.)
                argv = [self._bwrap, "--setenv", "WSMGR_INSTANCE", self._mark, "--args", str(options)]
                argv += ["--info-fd", str(inform), "--block-fd", str(go)]
                # An empty environment: what process 1 was started with can be read inside as well.
                child = await spawn([*argv, "--", *command], {}, Path("/"), (options, inform, go, socket))
            try:
                pid = await _inside(child, told)
            except BaseException:
                child.close()
                raise
            try:
                _limit(pid, spec)
                os.write(gate, b"g")
                await _armed(child, pid)
                return _launched(child, pid, listening)
            except BaseException:
                # Process 1 first: its parent then reaps it and ends by itself.
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                raise


async def _armed(child: Child, pid: int) -> None:
    """Wait until the sandbox is bound to this process.

    bubblewrap asks for the death signal last, when process 1 has forked the command and waits for it. A daemon that
    was killed before that would leave the sandbox behind.
    """
    try:
        async with asyncio.timeout(_SET_UP_S):
            # Another process gets there; nothing tells when.
            while child.exit_code is None and not (first_child_of(pid) and is_asleep(pid)):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        raise EngineFailure(f"bubblewrap did not start the command in {_SET_UP_S:g} s.") from None


async def _inside(child: Child, told: asyncio.StreamReader) -> int:
    """The pid, outside, of process 1 of the sandbox. It waits until it is let go."""
    try:
        async with asyncio.timeout(_SET_UP_S):
            try:
                return int(json.loads(await told.readuntil(b"}"))["child-pid"])
            except asyncio.IncompleteReadError:
                await child.ended.wait()
    except TimeoutError:
        raise EngineFailure(f"bubblewrap did not make the sandbox in {_SET_UP_S:g} s.") from None
    why = " ".join(child.tail.lines(5)) or f"it ended with {child.exit_code}"
    raise EngineFailure(f"bubblewrap could not make the sandbox: {why}")


def _limit(pid: int, spec: Spec) -> None:
    """Limits that everything in the sandbox inherits. Set from outside, so nothing in it has to be trusted to do it.

    Processes are counted per user namespace, and the sandbox has one of its own: the daemon's other processes and
    other sandboxes do not count. (For root the kernel does not apply that limit at all.)
    """
    wanted = ((resource.RLIMIT_NOFILE, spec.nofile), (resource.RLIMIT_NPROC, spec.pids), (resource.RLIMIT_CORE, 0))
    try:
        for kind, value in wanted:
            hard = resource.prlimit(pid, kind)[1]
            most = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.prlimit(pid, kind, (most, most))
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
    except OSError as error:
        raise EngineFailure(f"The limits of the sandbox could not be set: {error.strerror}.") from error


def _launched(child: Child, pid: int, listening: Listening) -> Launched:
    try:
        held = os.pidfd_open(pid)
    except ProcessLookupError:
        raise EngineFailure("The sandbox ended while it was set up.") from None

    def tidy() -> None:
        os.close(held)
        listening.tidy()

    return Launched(
        child,
        pid,
        str(listening.path),
        functools.partial(terminate_first_child, pid),
        # The end of process 1 is the end of everything in its pid namespace.
        functools.partial(signal.pidfd_send_signal, held, signal.SIGKILL),
        tidy,
        on_host=True,
    )


def _memory_file(stack: ExitStack, name: str, parts: Sequence[str]) -> int:
    descriptor = os.memfd_create(name)
    stack.callback(os.close, descriptor)
    os.write(descriptor, b"".join(part.encode() + b"\0" for part in parts))
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _pipe(stack: ExitStack) -> tuple[int, int]:
    read, write = os.pipe()
    stack.callback(os.close, read)
    stack.callback(os.close, write)
    return read, write
