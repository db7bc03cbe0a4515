"""Creates, starts and stops under which podman's service dies: what is left is got over, or cleared away."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.contract.engine.eventually import eventually
from tests.contract.engine.rig import Behaviour, MakeSpec
from tests.podman.engine.rig import Podman, answers, inspect, peer_uid, podman, service_pid, words_of
from wsmgr.core.errors import EngineFailure
from wsmgr.core.workspace import Absent, Created, Exited, Running


async def test_creates_that_died_half_way_are_got_over(podman_: Podman, spec: MakeSpec) -> None:
    """Whatever moment of a create the service is killed at, the next create and start succeed."""
    for delay_ms in (1, 3, 6, 10, 15, 25):
        made = spec(f"user:half{delay_ms}")
        creating = asyncio.create_task(podman_.engine.create(made))
        await asyncio.sleep(delay_ms / 1000)  # the moment of the kill is what varies; nothing is waited for
        os.kill(service_pid(podman_), signal.SIGKILL)
        await asyncio.gather(creating, return_exceptions=True)
        await eventually(lambda: answers(podman_.engine))
        assert isinstance(await podman_.engine.observe(made.workspace), Absent | Created)
        await podman_.engine.start(await podman_.engine.create(made))
        assert isinstance(await podman_.engine.observe(made.workspace), Running)


async def test_starts_that_died_half_way_leave_nothing(podman_: Podman, spec: MakeSpec) -> None:
    """Whatever moment of a start the service is killed at: the next start succeeds, and so does a removal, after which
    no process and no state of the container is left. Podman by itself leaves its monitor and first process for ever."""
    for delay_ms in (2, 15, 30, 60):
        made = spec(f"user:half{delay_ms}")
        handle = await podman_.engine.create(made)
        starting = asyncio.create_task(podman_.engine.start(handle))
        await asyncio.sleep(delay_ms / 1000)  # the moment of the kill is what varies; nothing is waited for
        os.kill(service_pid(podman_), signal.SIGKILL)
        await asyncio.gather(starting, return_exceptions=True)
        await eventually(lambda: answers(podman_.engine))
        if delay_ms == 30:
            await podman_.engine.start(handle)
            assert isinstance(await podman_.engine.observe(made.workspace), Running)
        await podman_.engine.remove(handle)
        assert await podman_.engine.observe(made.workspace) == Absent()
        await eventually(lambda: _nothing_of(handle))  # noqa: B023  # awaited within the same turn of the loop


async def test_a_stop_that_died_half_way_leaves_nothing(podman_: Podman, spec: MakeSpec) -> None:
    """It runs on, and podman calls it stopping: another stop ends it, and a removal does too. Podman's own removal
    leaves all its processes behind."""
    for act in ("stop", "remove"):
        made = spec(f"user:{act}", Behaviour.STUBBORN)
        handle = await podman_.engine.create(made)
        await podman_.engine.start(handle)
        running = await podman_.engine.observe(made.workspace)
        assert isinstance(running, Running)
        # Before it listens it does not ignore the signal yet.
        await eventually(lambda: _listens(running))  # noqa: B023  # awaited within the same turn of the loop
        stopping = asyncio.create_task(podman_.engine.stop(handle, 30))
        await eventually(lambda: _says_stopping(handle))  # noqa: B023  # awaited within the same turn of the loop
        os.kill(service_pid(podman_), signal.SIGKILL)
        await asyncio.gather(stopping, return_exceptions=True)
        await eventually(lambda: answers(podman_.engine))
        assert isinstance(await podman_.engine.observe(made.workspace), Running)
        if act == "stop":
            await podman_.engine.stop(handle, 1)
            assert isinstance(await podman_.engine.observe(made.workspace), Exited)
        await podman_.engine.remove(handle)
        assert await podman_.engine.observe(made.workspace) == Absent()
        await eventually(lambda: _nothing_of(handle))  # noqa: B023  # as above


async def test_services_that_are_killed_again_and_again_leave_no_zombie(podman_: Podman) -> None:
    """Also when the next one is started by somebody who asks before the watcher looks."""
    killed = set()
    for _ in range(4):
        killed.add(service_pid(podman_))
        os.kill(service_pid(podman_), signal.SIGKILL)
        await asyncio.gather(*(podman_.service.ensure() for _ in range(3)), return_exceptions=True)
        await eventually(lambda: answers(podman_.engine))

    async def zombies() -> bool | None:
        children = [child for child in psutil.Process().children() if child.pid in killed]
        return None if any(child.status() == psutil.STATUS_ZOMBIE for child in children) else True

    await eventually(zombies)


@pytest.mark.parametrize("killed", ["first process", "monitor", "both"])
async def test_what_can_never_be_started_is_made_anew(podman_: Podman, spec: MakeSpec, killed: str) -> None:
    """Podman had begun the start, and its monitor and first process died before the end of it. Where podman then fails
    at every further start, the engine says so once, and the next create and start have a fresh container."""
    made = spec("user:never")
    handle = await podman_.engine.create(made)
    await podman("init", handle)
    monitor = next(pid for pid in psutil.pids() if words_of(pid)[:1] and handle in words_of(pid))
    (first,) = psutil.Process(monitor).children()
    for name, pid in (("monitor", monitor), ("first process", first.pid)):
        if killed in {name, "both"}:
            os.kill(pid, signal.SIGKILL)
    with suppress(EngineFailure):
        await podman_.engine.start(handle)
    if isinstance(await podman_.engine.observe(made.workspace), Absent | Created):
        await podman_.engine.start(await podman_.engine.create(made))
    running = await podman_.engine.observe(made.workspace)
    assert isinstance(running, Running)
    await eventually(lambda: _listens(running))
    await podman_.engine.remove(running.handle)
    await eventually(lambda: _no_process_of(running.handle))
    await eventually(lambda: _no_process_of(handle))


async def _listens(running: Running) -> bool | None:
    try:
        return peer_uid(running.endpoint) >= 0
    except OSError:
        return None


async def _says_stopping(handle: str) -> bool | None:
    state = (await inspect(handle))["State"]
    assert isinstance(state, dict)
    return True if state["Status"] == "stopping" else None


async def _nothing_of(handle: str) -> bool | None:
    """Whether no process has this container's id in its command line, and the runtime knows nothing of it."""
    places = [Path(os.environ["XDG_RUNTIME_DIR"]) / runtime / handle for runtime in ("runc", "crun")]
    return None if any(place.exists() for place in places) else await _no_process_of(handle)


async def _no_process_of(handle: str) -> bool | None:
    return True if handle not in [word for pid in psutil.pids() for word in words_of(pid)] else None
