"""The beginning of a plugin's process: takes what it needs, closes and limits the rest, loads the plugin, then runs
one execution after the other as the runtime asks for them."""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import sys
import types
from _thread import stack_size
from collections.abc import Mapping

from workspace_runtime import kernel
from workspace_runtime.child.channel import Channel
from workspace_runtime.child.describe import describe_load
from workspace_runtime.child.given import members
from workspace_runtime.child.load import is_async, load_plugin
from workspace_runtime.child.logs import capture_output
from workspace_runtime.child.run import Runner
from workspace_runtime.frames import ASYNCHRONOUS, LOAD, LOAD_FAILED, READY, RUN

_CONTROL = 3
_ENVIRONMENT = {"TZ": "UTC", "LANG": "C.UTF-8", "HOME": "/tmp", "TMPDIR": "/tmp"}  # noqa: S108 (its own)
_MEMORY_SHARE = 0.85
_THREAD_STACK_BYTES = 1024 * 1024  # counted by RLIMIT_DATA, and the default is 8 MiB
_RESERVED_PROCESSES = 8  # for the runtime, which shares the uid: it must be able to fork when a plugin cannot


def run(order: Mapping[str, object], fds: list[int]) -> None:
    """Never returns but to end the process."""
    _arrange(fds)
    _settle_in(order)
    _limit(int(str(order["memory"])), int(str(order["pids"])))
    channel = Channel(_CONTROL)
    os.register_at_fork(after_in_child=channel.disown)
    logs = capture_output(channel)
    _forget_the_runtime()
    kind, _, payload = channel.receive()
    if kind != LOAD:
        return
    wanted = json.loads(payload)
    given = members(wanted.pop("given", {}))
    try:
        function = load_plugin(wanted)
    except BaseException as error:
        channel.send(LOAD_FAILED, 0, describe_load(error, wanted))
        return
    if is_async(function):
        import asyncio  # noqa: PLC0415, F401  (now, and not in the time of the first call)
    logs.flush()
    runner = Runner(channel, logs, function, given)
    gc.freeze()
    channel.send(READY, 0, ASYNCHRONOUS if "asyncio" in sys.modules else b"")
    while True:
        kind, seq, payload = channel.receive()
        if kind != RUN:
            return
        runner.execute(seq, payload)


def _arrange(fds: list[int]) -> None:
    """Descriptors 0 to 3, and no other."""
    kept = [os.open(os.devnull, os.O_RDONLY), fds[1], fds[2], fds[0]]
    high = [os.dup2(fd, 100 + place) for place, fd in enumerate(kept)]
    for place, fd in enumerate(high):
        os.dup2(fd, place, inheritable=place < _CONTROL)
    os.closerange(_CONTROL + 1, 1024)


def _settle_in(order: Mapping[str, object]) -> None:
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    kernel.name_process(f"plugin:{order['slug']}")
    runtime = int(str(order["runtime"]))
    while os.getppid() != runtime:  # until the process in between has gone
        os.sched_yield()
    kernel.die_with_parent(signal.SIGKILL)
    kernel.hide(False)  # for a moment, in which the process has nothing yet that could be hidden
    try:
        # Where the kernel runs out of the workspace's memory it takes a plugin, not the runtime.
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass
    kernel.hide()
    os.environ.update(_ENVIRONMENT)
    os.umask(0o022)
    os.chdir("/tmp")  # noqa: S108 (its own)


def _limit(memory_bytes: int, pids: int) -> None:
    stack_size(_THREAD_STACK_BYTES)
    limits = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_DATA, int(memory_bytes * _MEMORY_SHARE))]
    given = (resource.getrlimit(resource.RLIMIT_NPROC)[0], pids)
    processes = min((most for most in given if most not in (0, resource.RLIM_INFINITY)), default=None)
    if processes is not None:
        limits.append((resource.RLIMIT_NPROC, max(1, processes - _RESERVED_PROCESSES)))
    for kind, value in limits:
        hard = resource.getrlimit(kind)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (most, most))


def _forget_the_runtime() -> None:
    """A plugin imports the standard library and its own files; what the runtime is made of is not for it."""
    sys.path[:] = [place for place in sys.path if place.startswith((sys.prefix, sys.base_prefix))]
    sys.argv = ["main.py"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    for name in [name for name in sys.modules if name.partition(".")[0] == "workspace_runtime"]:
        del sys.modules[name]
