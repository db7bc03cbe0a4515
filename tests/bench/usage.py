"""What it costs to look at workspaces, and to show them to many. Needs bubblewrap, and no engine.

The workspaces are a daemon's on fakes; their processes are real: two for each, in namespaces of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import structlog
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.fakes.daemon import FakeDaemon
from wsmgr.adapters.host import ProcMeter
from wsmgr.api.app import build
from wsmgr.api.gate import Gate
from wsmgr.api.identity import Peer, People, Tokens
from wsmgr.api.server import bind_unix, serve_until, server
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.workspace import Desired, Running

TREES = 100
WATCHED = 1000
WATCH_S = 20.0
SANDBOX = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib"]
SANDBOX += ["--symlink", "usr/lib64", "/lib64", "--symlink", "usr/bin", "/bin", "--tmpfs", "/tmp"]
READER = """
import asyncio, sys
from wsmgr.client import AsyncClient, ClientError
async def read(path):
    async with AsyncClient(path) as client:
        async for _ in client.fleet():
            pass
async def main(path, count):
    await asyncio.gather(*(read(path) for _ in range(count)), return_exceptions=True)
asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@contextmanager
def trees(count: int) -> Iterator[list[int]]:
    """The pids of so many first processes, each with a child."""
    started = [subprocess.Popen([*SANDBOX, "sleep", "600"]) for _ in range(count)]
    try:
        found: list[int] = []
        until = time.monotonic() + 60
        while len(found) < count and time.monotonic() < until:
            found = [pid for one in started for pid in _children(one.pid) if _children(pid)]
            time.sleep(0.05)
        yield found
    finally:
        for one in started:
            one.kill()
        for one in started:
            one.wait()


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


async def daemon_with(place: Path, count: int) -> FakeDaemon:
    """So many workspaces that run."""
    system = await FakeDaemon(place, memory_mb=2**22, default_plan="ENTERPRISE").start()
    for number in range(count):
        workspace = WorkspaceId(f"user:w{number}")
        await system.daemon.workspaces.put(workspace, Desired.RUNNING, "uid:0", 30)
    return system


async def sampler() -> str:
    """Processor time of a sweep for each workspace: reading, working out, keeping."""
    with tempfile.TemporaryDirectory() as place, trees(TREES) as pids:
        system = await daemon_with(Path(place), TREES)
        for entry, pid in zip(system.daemon.fleet, pids, strict=True):
            observed = entry.unit.observed
            assert isinstance(observed, Running)
            entry.unit.observed = replace(observed, endpoint=replace(observed.endpoint, pid=pid))
        sampler, meter = system.daemon.usage.sampler, ProcMeter(Path(place))
        sampler._readings._meter = meter
        took = []
        for _ in range(36):
            began = time.process_time()
            await sampler.sweep()
            took.append((time.process_time() - began) / TREES * 1e6)
        now = sampler.current(next(iter(system.daemon.fleet)).record.id)
        assert now.scratch_mb is not None
        assert now.network_in_bytes == 0
        await system.stop()
    # Every twelfth look is a whole one: the mean counts, of the quietest three dozen that a shared machine allows.
    return f"sampler: {sum(took) / len(took):.0f} us a workspace and sweep (least {min(took):.0f}), {TREES} workspaces"


class _AsSelf:
    """Gives every request the daemon's own credentials."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        scope["state"] = {"peer": Peer(os.getuid(), frozenset())}
        await self._app(scope, receive, send)


@asynccontextmanager
async def watched(system: FakeDaemon, path: Path, readers: int) -> AsyncIterator[None]:
    """So many read the live view, in a process of their own."""

    gate = build(system.daemon, People(os.getuid(), [], []), Tokens({}))
    listener, stopped = bind_unix(path), asyncio.Event()
    serving = asyncio.create_task(serve_until(server(_AsSelf(gate)), [listener], stopped))
    reader = await asyncio.create_subprocess_exec(sys.executable, "-c", READER, str(path), str(readers))
    assert isinstance(gate, Gate)
    assert isinstance(gate._app, FastAPI)
    live = gate._app.state.live
    async with asyncio.timeout(60):
        while live.readers < readers:  # noqa: ASYNC110  # it tells nobody
            await asyncio.sleep(0.1)
    await asyncio.sleep(3)
    yield
    assert live.readers == readers, "some gave up: the machine is too busy to measure this"
    with contextlib.suppress(ProcessLookupError):
        reader.kill()
    await reader.wait()
    stopped.set()
    await serving
    listener.close()


async def streams() -> str:
    """Processor time of a daemon with 1, and with 10 who watch, while every row changes with each sweep."""
    spent: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as place:
        system = await daemon_with(Path(place), WATCHED)
        for readers in (0, 1, 10, 1, 10):
            async with watched(system, Path(place) / f"{readers}" / "api.sock", readers):
                began = time.process_time()
                until = time.monotonic() + WATCH_S
                while time.monotonic() < until:
                    await asyncio.sleep(1)
                    for entry in system.daemon.fleet:
                        observed = entry.unit.observed
                        assert isinstance(observed, Running)
                        system.meter.spend(observed.endpoint.instance, cpu_s=0.05, memory_bytes=200_000)
                used = (time.process_time() - began) / WATCH_S * 100
                spent[readers] = min(used, spent.get(readers, used))
        await system.stop()
    return (
        f"live view: {WATCHED} workspaces that all change each 5 s: daemon at {spent[0]:.1f} % of a core with nobody, "
        f"{spent[1]:.1f} % with one, {spent[10]:.1f} % with ten who watch: {spent[10] / spent[1]:.2f} times"
    )


def main() -> None:
    """Print both."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    for part in (sampler, streams):
        sys.stdout.write(asyncio.run(part()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
