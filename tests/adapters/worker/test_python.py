"""Python plugins outside of containers: in bubblewrap, as plain processes, and in the shared runtime."""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.worker.rig import NO_BWRAP, NODE, RUNTIME, require_bwrap, unique
from tests.contract.engine.eventually import eventually
from tests.contract.engine.rig import small_spec
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.adapters.worker import NoneEngine, Program, WorkerEngine, python_program
from wsmgr.bootstrap import places
from wsmgr.core.errors import EngineFailure
from wsmgr.core.ids import ExecutionId, Slug
from wsmgr.core.outcome import Outcome
from wsmgr.core.plugin import Language, PluginSource, version_of
from wsmgr.core.runtime import Runtime
from wsmgr.core.workspace import Endpoint, Running
from wsmgr.ports.channel import Call, ChannelClosed, RuntimeHealth
from wsmgr.ports.engine import Engine


def program() -> Program:
    """The runtime of this tree on the system's Python."""
    found = places.python()
    assert found is not None
    return python_program(found.program, found.library, RUNTIME.parents[1] / "python" / "runtime")


@dataclass
class Python:
    """A workspace that runs Python, and a way to run some in it."""

    channel: RuntimeChannel
    at: Endpoint
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def outcome(self, body: str, value: object = None) -> Outcome:
        """How `execute` with these lines ends."""
        code = "import os, sys\ndef execute(input, context):\n" + "".join(f"    {line}\n" for line in body.splitlines())
        plugin = PluginSource(Slug("probe"), version_of(Language.PYTHON, code), Language.PYTHON, code)
        assert await self.channel.put(self.at, plugin, 10.0) is None
        call = Call(ExecutionId(f"e{next(self.numbers)}"), plugin.slug, plugin.version, value, {}, 20.0, 262144, 4096)
        return await self.channel.execute(self.at, call)

    async def run(self, body: str, value: object = None) -> Any:
        """What these lines return."""
        outcome = await self.outcome(body, value)
        assert outcome.failure is None, outcome.failure
        return outcome.output


async def started(engine: Engine, channel: RuntimeChannel, workspace: str, runtime: Runtime) -> Endpoint:
    """A workspace of that runtime, once it answers."""
    spec = replace(small_spec(engine.isolation, "", workspace), runtime=runtime)
    await engine.start(await engine.create(spec))
    running = await engine.observe(spec.workspace)
    assert isinstance(running, Running)
    health = await eventually(functools.partial(_health, channel, running.endpoint))
    assert health.runtime == runtime.value
    return running.endpoint


async def _health(channel: RuntimeChannel, at: Endpoint) -> RuntimeHealth | None:
    try:
        return await channel.health(at, 2.0)
    except ChannelClosed:
        return None


@asynccontextmanager
async def opened(engine: Engine) -> AsyncIterator[Python]:
    """One Python workspace on an engine."""
    channel = RuntimeChannel()
    try:
        await engine.open()
        yield Python(channel, await started(engine, channel, "user:inside~python", Runtime.PYTHON))
    finally:
        await channel.close()
        await engine.close()


@pytest.fixture
async def sandbox(folder: Path) -> AsyncIterator[Python]:
    """In bubblewrap."""
    require_bwrap()
    engine = WorkerEngine(node=NODE, runtime=RUNTIME, state=folder / "s", instance=unique(), python=program())
    async with opened(engine) as python:
        yield python


@pytest.fixture
async def plain(folder: Path) -> AsyncIterator[Python]:
    """As a plain process, in which what the sandbox denies works."""
    engine = WorkerEngine(
        node=NODE, runtime=RUNTIME, state=folder / "p", instance=unique(), bwrap=NO_BWRAP, python=program()
    )
    async with opened(engine) as python:
        yield python


LIBRARY = "import asyncio, ssl, sqlite3, zlib, decimal, email, ctypes\nreturn [sys.version_info >= (3, 11), sys.path]"


async def test_the_standard_library_is_there_and_nothing_else(sandbox: Python, plain: Python) -> None:
    """With its modules in C; nothing of site-packages is on the path."""
    for python in (sandbox, plain):
        new, path = await python.run(LIBRARY)
        assert new
        assert not [place for place in path if "site-packages" in place or "dist-packages" in place]


async def test_a_sandbox_shows_nothing_of_the_host(sandbox: Python, plain: Python, folder: Path) -> None:
    """Files of the host that a plain process reads are not there, and nothing but /tmp can be written."""
    (folder / "readable").write_text("secret")
    see = "return [os.path.exists(path) for path in input]"
    paths = [str(folder / "readable"), "/etc/passwd", str(Path.home())]
    assert await plain.run(see, paths) == [True, True, True]
    assert await sandbox.run(see, paths) == [False, False, False]
    write = "try:\n    open(input, 'w').close()\n    return 'written'\nexcept OSError as error:\n    return 'refused'"
    assert await sandbox.run(write, "/x") == "refused"
    assert await sandbox.run(write, "/opt/wsmgr/runtime/x") == "refused"
    assert await sandbox.run(write, "/tmp/x") == "written"
    assert await sandbox.run("return open('/proc/net/dev').read().count(':')") == 1


CONNECT = """
import socket
try:
    socket.socket(socket.AF_UNIX).connect(input)
    return 'connected'
except OSError as error:
    return type(error).__name__
"""
SOCKETS = """
import stat
found = []
for fd in range(200):
    try:
        if stat.S_ISSOCK(os.fstat(fd).st_mode):
            found.append(fd)
    except OSError:
        pass
import socket
return [socket.socket(fileno=os.dup(fd)).getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for fd in found]
"""


async def test_a_plugin_cannot_call_its_own_runtime(sandbox: Python, plain: Python) -> None:
    """The socket has no name in the sandbox, and no plugin holds its descriptor, only its own pair to the runtime. The
    control: a plain process, which is no boundary, connects by the name."""
    assert await plain.run(CONNECT, plain.at.socket) == "connected"
    assert await sandbox.run(CONNECT, sandbox.at.socket) == "FileNotFoundError"
    assert await sandbox.run(SOCKETS) == [0]


async def test_failures_end_calls_and_not_the_worker(sandbox: Python) -> None:
    """A segmentation fault and a memory bomb take one call each."""
    crash = (await sandbox.outcome("import ctypes\nctypes.string_at(0)")).failure
    assert crash is not None
    assert crash.type.value == "Crash"
    bomb = (await sandbox.outcome("held = []\nwhile True: held.append(b'x' * 4_000_000)")).failure
    assert bomb is not None
    assert bomb.type.value == "OutOfMemory"
    assert await sandbox.run("return 'well'") == "well"


async def test_both_runtimes_are_shared_in_the_isolation_none(folder: Path) -> None:
    """One process of each language, however many workspaces; the last one to leave ends its own only."""
    engine = NoneEngine(node=NODE, runtime=RUNTIME, state=folder / "n", instance=unique(), python=program())
    channel = RuntimeChannel()
    try:
        await engine.open()
        node = await started(engine, channel, "user:a", Runtime.NODE)
        first = await started(engine, channel, "user:a~python", Runtime.PYTHON)
        second = await started(engine, channel, "user:b~python", Runtime.PYTHON)
        assert first.pid == second.pid != node.pid
        assert await Python(channel, first).run("return 1") == 1
        for found in await engine.list():
            if found.workspace.endswith("~python"):
                await engine.stop(found.observed.handle, 5.0)
        await asyncio.sleep(0)
        assert (await channel.health(node, 2.0)).runtime == "node"
    finally:
        await channel.close()
        await engine.close()


async def test_a_host_without_python_runs_javascript(folder: Path) -> None:
    """And says of Python what is missing."""
    engine = WorkerEngine(node=NODE, runtime=RUNTIME, state=folder / "w", instance=unique())
    channel = RuntimeChannel()
    try:
        await engine.open()
        await started(engine, channel, "user:a", Runtime.NODE)
        with pytest.raises(EngineFailure, match=r"no Python of version 3\.11"):
            await started(engine, channel, "user:a~python", Runtime.PYTHON)
    finally:
        await channel.close()
        await engine.close()
