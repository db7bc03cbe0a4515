"""How runtimes of the worker engines live and end: with nothing left over, and never without their daemon."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
import uvloop

from tests.adapters.worker.inside import Inside
from tests.adapters.worker.rig import NO_BWRAP, NODE, RUNTIME, STUB, require_bwrap, unique
from tests.contract.engine.eventually import eventually
from tests.contract.engine.rig import small_spec
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.adapters.worker import NoneEngine, WorkerEngine
from wsmgr.adapters.worker.system import libraries
from wsmgr.adapters.worker.tail import TAIL_BYTES, Tail
from wsmgr.core.capability import Level
from wsmgr.core.errors import EngineFailure, EngineUnavailable
from wsmgr.core.isolation import Isolation
from wsmgr.core.outcome import FailureType
from wsmgr.core.workspace import Exited, Running
from wsmgr.ports.engine import Engine

SPAWN = """const { spawn } = require('node:child_process');
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' }).unref();
    return 'spawned';"""


def _watch(pids: list[int]) -> list[int]:
    return [os.pidfd_open(pid) for pid in pids]


def _all_end(watched: list[int], timeout_s: float = 10.0) -> bool:
    """Whether all processes behind the descriptors end in time."""
    ended = []
    for descriptor in watched:
        ended.append(bool(select.select([descriptor], [], [], timeout_s)[0]))
        os.close(descriptor)
    return all(ended)


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _tree(besides: frozenset[psutil.Process] = frozenset()) -> frozenset[psutil.Process]:
    """What this process has started, besides what other tests of the same run keep (a database, a podman)."""
    return frozenset(psutil.Process().children(recursive=True)) - besides


async def test_stop_ends_what_the_plugin_left_behind(sandbox: Inside) -> None:
    """A detached process that a plugin started ends with its workspace; nothing is left, not even a zombie."""
    await _ends_with_all(sandbox)


async def test_stop_of_a_plain_process_ends_what_the_plugin_left_behind(plain: Inside) -> None:
    """The same without a pid namespace."""
    await _ends_with_all(plain)


async def _ends_with_all(inside: Inside) -> None:
    others = frozenset(child for child in _tree() if child.pid not in inside_pids(inside))
    before = len(_tree(others))
    assert await inside.run(SPAWN) == "spawned"
    # The plugin has answered before the process that it started need be seen.
    until = time.monotonic() + 10
    while len(tree := _tree(others)) != before + 1:
        assert time.monotonic() < until, tree
        await asyncio.sleep(0.01)
    watched = _watch([process.pid for process in tree])
    inside.channel.forget(inside.at)
    await inside.engine.stop(inside.handle, 5.0)
    assert isinstance(await inside.engine.observe(inside.spec.workspace), Exited)
    assert _all_end(watched)
    assert _tree(others) == frozenset()


def inside_pids(inside: Inside) -> set[int]:
    """The processes of that workspace, by the session of its runtime."""
    runtime = psutil.Process(inside.at.pid)
    family = [*runtime.parents(), runtime, *runtime.children(recursive=True)]
    return {process.pid for process in family}


@pytest.mark.parametrize("bwrap", ["bwrap", NO_BWRAP])
async def test_runtimes_die_with_their_daemon(folder: Path, bwrap: str) -> None:
    """kill -9 of the process that started them leaves no runtime."""
    require_bwrap()
    daemon = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.adapters.worker.daemon", str(folder), unique(), bwrap),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert daemon.stdout is not None
    pid = int(await asyncio.wait_for(daemon.stdout.readline(), 20))
    tree = psutil.Process(daemon.pid).children(recursive=True)
    assert pid in [process.pid for process in tree]
    watched = _watch([process.pid for process in tree])
    daemon.send_signal(signal.SIGKILL)
    await daemon.wait()
    assert _all_end(watched)


async def _orphan(instance: str) -> int:
    """A process that looks like a sandbox of that instance whose daemon is gone."""
    program = (
        "import subprocess, sys; print(subprocess.Popen([sys.argv[1], '60'], executable='/bin/sleep',"
        " stdout=subprocess.DEVNULL, start_new_session=True).pid)"
    )
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-c", program, f"wsmgr-bwrap:{instance}"), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await parent.communicate()
    return int(told)


async def test_what_a_killed_daemon_left_is_ended_by_the_next(folder: Path) -> None:
    """Known by the name of the instance; another instance's is left alone."""
    require_bwrap()
    mine, others = unique(), unique()
    left, other = _watch([await _orphan(mine), await _orphan(others)])
    engine = WorkerEngine(node=NODE, runtime=STUB, state=folder, instance=mine)
    await engine.open()
    assert _all_end([left])
    assert not select.select([other], [], [], 0)[0]
    signal.pidfd_send_signal(other, signal.SIGKILL)
    assert _all_end([other])
    await engine.close()


def test_a_sandbox_bears_the_name_of_its_instance(folder: Path) -> None:
    """On the daemon's own event loop, which is not that of these tests: by that name the next daemon finds it."""
    require_bwrap()
    instance = unique()

    async def marked() -> bool:
        engine = WorkerEngine(node=NODE, runtime=STUB, state=folder, instance=instance)
        await engine.open()
        before = _tree()
        await engine.start(await engine.create(small_spec(Isolation.WORKER, "", "user:m")))
        lines = [process.cmdline() for process in _tree(before)]
        await engine.close()
        return any(f"wsmgr-bwrap:{instance}" in line for line in lines)

    assert uvloop.run(marked())


async def test_close_ends_every_runtime(folder: Path) -> None:
    """Nothing outlives the engine."""
    require_bwrap()
    others = _tree()
    engine = WorkerEngine(node=NODE, runtime=STUB, state=folder, instance=unique())
    await engine.open()
    for number in range(3):
        await engine.start(await engine.create(small_spec(Isolation.WORKER, "", f"user:n{number}")))
    assert len(_tree(others)) >= 3
    await engine.close()
    assert _tree(others) == frozenset()
    assert await engine.list() == []


async def test_starting_and_stopping_leaks_no_descriptor(folder: Path) -> None:
    """Pipes, pidfds and memory files are all given back, also when the runtime ended by itself."""
    require_bwrap()
    engine = WorkerEngine(node=NODE, runtime=STUB, state=folder, instance=unique())
    await engine.open()

    async def once() -> None:
        handle = await engine.create(small_spec(Isolation.WORKER, "", "user:a"))
        await engine.start(handle)
        await engine.remove(handle)

    await once()
    before = _descriptors()
    for _ in range(5):
        await once()
    assert _descriptors() == before
    await engine.close()


async def test_a_process_bomb_ends_inside_its_limit(sandbox: Inside) -> None:
    """No more processes than the plan allows; for root the kernel has no such limit, and the matrix says so."""
    bomb = """const { spawn } = require('node:child_process'); let started = 0;
        for (let n = 0; n < 80; n++) {
            const child = spawn('/usr/local/bin/node', ['-e', '0'], { stdio: 'ignore' });
            child.on('error', () => {}); if (child.pid) started++;
        } return started;"""
    outcome = await sandbox.outcome(bomb)
    pids = next(each for each in await sandbox.engine.capabilities() if each.name == "pids")
    if os.getuid() == 0:
        assert pids.level is Level.ABSENT
    else:
        assert pids.level is Level.ENFORCED
        assert outcome.failure is not None or (isinstance(outcome.output, int) and outcome.output < 64)
    assert (await sandbox.channel.health(sandbox.at, 10.0)).status == "healthy"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("process.exit(3)", FailureType.EXIT),
        ("const a = []; for (;;) a.push(new Array(1000).fill(1.5))", FailureType.OUT_OF_MEMORY),
        ("throw new Error('no')", FailureType.EXCEPTION),
    ],
)
async def test_failures_of_plugins_are_outcomes(sandbox: Inside, code: str, expected: FailureType) -> None:
    """The runtime works in the sandbox as it does in the image."""
    failure = (await sandbox.outcome(code)).failure
    assert failure is not None
    assert failure.type is expected
    assert await sandbox.run("return 1") == 1


async def test_without_bubblewrap_the_matrix_says_so(plain: Inside) -> None:
    """Plain processes run, and nothing is claimed of them that does not hold."""
    assert await plain.run("return 1 + 1") == 2
    matrix = {each.name: each for each in await plain.engine.capabilities()}
    assert matrix["filesystem"].level is Level.ABSENT
    assert matrix["network"].level is Level.ABSENT
    assert NO_BWRAP in str(matrix["network"].mend)


async def test_a_bubblewrap_that_does_not_work_is_not_used(folder: Path) -> None:
    """Its own words are in the matrix."""
    broken = folder / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    broken.chmod(0o755)
    engine = WorkerEngine(node=NODE, runtime=STUB, state=folder / "s", instance=unique(), bwrap=str(broken))
    await engine.open()
    matrix = {each.name: each for each in await engine.capabilities()}
    assert "setting up uid map: Permission denied" in str(matrix["network"].mend)
    await engine.close()


async def test_the_sandbox_is_used_where_it_works(sandbox: Inside) -> None:
    """The control of the two above."""
    matrix = {each.name: each for each in await sandbox.engine.capabilities()}
    for name in ("network", "filesystem", "scratch", "privileges", "nofile"):
        assert matrix[name].level is Level.ENFORCED, matrix[name]
    assert matrix["seccomp"].level is Level.ABSENT
    assert matrix["cpu"].level is Level.ABSENT


@pytest.mark.parametrize("engine", [WorkerEngine, NoneEngine])
async def test_a_missing_node_is_said_at_open(folder: Path, engine: type[WorkerEngine | NoneEngine]) -> None:
    """The sentence names the file."""
    made: Engine = engine(node=folder / "no-node", runtime=RUNTIME, state=folder, instance=unique())
    with pytest.raises(EngineUnavailable, match="no-node"):
        await made.open()


async def test_libraries_of_what_is_not_a_binary(folder: Path) -> None:
    """Refused with the words of ldd; those of Node.js are absolute paths."""
    with pytest.raises(EngineFailure):
        await libraries(folder / "nothing")
    found = await libraries(NODE)
    assert any("libc" in path for path in found)
    assert all(path.startswith("/") for path in found)


async def test_none_shares_one_process_and_keeps_names_apart(none: NoneEngine) -> None:
    """Two workspaces, one runtime; the same slug is two plugins; the last one out ends the process."""
    channel = RuntimeChannel()
    one = await Inside.begin(none, channel, "user:one")
    two = await Inside.begin(none, channel, "user:two")
    assert one.at.pid == two.at.pid
    assert one.at != two.at
    assert (await one.outcome("return 'one'", slug="same")).output == "one"
    assert (await two.outcome("return 'two'", slug="same")).output == "two"
    assert await one.run("return process.pid") == one.at.pid
    watched = _watch([one.at.pid])
    await none.stop(one.handle, 5.0)
    assert isinstance(await none.observe(one.spec.workspace), Exited)
    assert isinstance(await none.observe(two.spec.workspace), Running)
    assert await two.run("return 2") == 2
    channel.forget(two.at)
    await none.stop(two.handle, 5.0)
    assert _all_end(watched)
    await channel.close()


async def test_a_dead_shared_runtime_is_seen_by_all_and_started_again(none: NoneEngine) -> None:
    """Both have Exited; a start of one brings a new instance."""
    channel = RuntimeChannel()
    one = await Inside.begin(none, channel, "user:one")
    two = await Inside.begin(none, channel, "user:two")
    os.kill(one.at.pid, signal.SIGKILL)

    async def both_exited() -> bool | None:
        found = [await none.observe(each.spec.workspace) for each in (one, two)]
        return all(isinstance(each, Exited) and each.exit_code == 137 for each in found) or None

    await eventually(both_exited)
    await none.start(two.handle)
    again = await none.observe(two.spec.workspace)
    assert isinstance(again, Running)
    assert again.endpoint != two.at
    assert isinstance(await none.observe(one.spec.workspace), Exited)
    await channel.close()


def test_the_tail_is_bounded() -> None:
    """However much is written, the last lines are kept, whole."""
    tail = Tail()
    for number in range(100_000):
        tail.add(b"line %d\n" % number)
    lines = tail.lines(10**9)
    assert lines[-1] == "line 99999"
    assert sum(len(line) + 1 for line in lines) <= TAIL_BYTES
    assert all(line.startswith("line ") for line in lines)
    assert list(tail.lines(2)) == ["line 99998", "line 99999"]
    assert list(tail.lines(0)) == []
