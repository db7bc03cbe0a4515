"""Podman's service killed, hung, replaced; containers half made, in the way, and many at once."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.contract.engine.eventually import eventually
from tests.contract.engine.rig import Behaviour, MakeSpec
from tests.podman.engine.rig import IMAGE, Podman, inspect, podman, remove_all
from wsmgr.adapters.podman.api_service import ApiService
from wsmgr.adapters.podman.engine import PodmanEngine
from wsmgr.adapters.podman.names import container_name
from wsmgr.core.errors import EngineFailure, EngineUnavailable
from wsmgr.core.workspace import Absent, Created, Exited, Running

FLOODS = 4020
"""The `output_bytes` at which the test runtime writes 100,000 lines of 106 bytes at once."""


def _service_pid(podman_: Podman) -> int:
    process = podman_.service.own
    assert process is not None
    return process.pid


def _serving(socket: Path) -> list[int]:
    """The processes that serve on this socket, by their command lines."""
    return [pid for pid in psutil.pids() if f"unix://{socket}" in _words(pid)]


def _size(path: str) -> int:
    return Path(path).stat().st_size


def _words(pid: int) -> list[str]:
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []


async def _answers(engine: PodmanEngine) -> bool | None:
    try:
        await engine.ping()
    except EngineUnavailable:
        return None
    return True


async def test_a_killed_service_is_started_again(podman_: Podman, spec: MakeSpec) -> None:
    """After kill -9 of the service the container runs on, and the engine recovers by itself."""
    made = spec("user:a")
    await podman_.engine.start(await podman_.engine.create(made))
    before = await podman_.engine.observe(made.workspace)
    killed = _service_pid(podman_)
    os.kill(killed, signal.SIGKILL)
    await eventually(lambda: _answers(podman_.engine))
    assert isinstance(before, Running)
    assert await podman_.engine.observe(made.workspace) == before
    assert _service_pid(podman_) != killed


async def test_services_that_are_killed_again_and_again_leave_no_zombie(podman_: Podman) -> None:
    """Also when the next one is started by somebody who asks before the watcher looks."""
    for _ in range(4):
        killed = _service_pid(podman_)
        os.kill(killed, signal.SIGKILL)
        await asyncio.gather(*(podman_.service.ensure() for _ in range(3)), return_exceptions=True)
        await eventually(lambda: _answers(podman_.engine))

    async def zombies() -> bool | None:
        children = psutil.Process().children()
        return None if any(child.status() == psutil.STATUS_ZOMBIE for child in children) else True

    await eventually(zombies)


def _freeze(pid: int) -> None:
    """SIGSTOP, and wait until it holds for every thread: one that still runs may answer a last call."""
    os.kill(pid, signal.SIGSTOP)
    until = time.monotonic() + 10
    while any(
        thread.read_text().rpartition(")")[2].split()[0] != "T" for thread in Path(f"/proc/{pid}/task").glob("*/stat")
    ):
        assert time.monotonic() < until, f"process {pid} does not stop"


async def test_a_hung_service_is_said_to_be_so_in_time(podman_: Podman, spec: MakeSpec) -> None:
    """While the service is stopped every call fails within its time-out; all works again after SIGCONT."""
    engine = podman_.another(timeout_s=1.0, threads=4, start_concurrency=1)
    await engine.open()
    pid = _service_pid(podman_)
    _freeze(pid)
    try:
        begin = time.monotonic()
        # More calls than threads: those without a thread must not wait for ever either.
        calls = [engine.ping() for _ in range(8)]
        outcomes = await asyncio.gather(*calls, engine.observe(spec("user:a").workspace), return_exceptions=True)
        assert time.monotonic() - begin < 4.0
        assert {type(outcome) for outcome in outcomes} == {EngineUnavailable}
    finally:
        os.kill(pid, signal.SIGCONT)
    await eventually(lambda: _answers(engine))
    assert _service_pid(podman_) == pid
    await engine.close()


async def test_a_service_that_hangs_for_long_is_replaced(podman_: Podman) -> None:
    """The watcher kills the service that wsmgr started itself and starts another."""
    service = ApiService(podman_.socket, answer_timeout_s=0.3, hung_after_s=1.0, check_every_s=0.2, start_timeout_s=10)
    await podman_.engine.close()
    engine = PodmanEngine(podman_.socket, podman_.instance, probe_image=IMAGE, service=service, timeout_s=1.0)
    await engine.open()
    pid = _service_pid(podman_)
    os.kill(pid, signal.SIGSTOP)
    await eventually(lambda: _answers(engine))
    assert _service_pid(podman_) != pid
    await engine.close()


async def test_a_service_of_somebody_else_is_used_and_left_alone(podman_: Podman) -> None:
    """An engine whose socket is served by another's process opens on it and does not end it."""
    (podman_.socket.parent / "podman.sock.pid").unlink()
    engine = podman_.another()
    await engine.open()
    assert podman_.service.own is None
    await podman_.service.end()
    await engine.ping()
    await engine.close()
    await podman_.engine.ping()
    os.kill(_serving(podman_.socket)[0], signal.SIGTERM)


async def test_two_starters_make_one_service(podman_: Podman) -> None:
    """Daemons that open at once on a dead socket share what one of them starts."""
    await podman_.engine.close()
    await podman_.service.end()
    engines = [podman_.another() for _ in range(3)]
    await asyncio.gather(*(engine.open() for engine in engines))
    await asyncio.gather(*(engine.ping() for engine in engines))
    assert len(_serving(podman_.socket)) == 1
    for engine in engines:
        await engine.close()


async def test_a_missing_program_is_named(podman_: Podman) -> None:
    """Where podman is not installed the sentence says so."""
    service = ApiService(podman_.socket.with_name("other.sock"), podman="no-such-podman")
    with pytest.raises(EngineUnavailable, match="no-such-podman is not installed"):
        await service.ensure()


async def test_a_missing_image_names_its_mend(podman_: Podman, spec: MakeSpec) -> None:
    """Nothing is pulled; the sentence names the image and the command that makes it."""
    made = spec("user:a")
    engine = podman_.another()
    await engine.open()
    gone = replace(made, image="localhost/no-such:1")
    with pytest.raises(EngineFailure, match=r"localhost/no-such:1 is not on this host.*wsmgr image build"):
        await engine.create(gone)
    assert await engine.observe(made.workspace) == Absent()
    await engine.close()


async def test_a_stranger_with_our_name_is_reported(podman_: Podman, spec: MakeSpec) -> None:
    """A container that is not wsmgr's is neither taken for a workspace nor removed."""
    made = spec("user:a")
    name = container_name(podman_.instance, made.workspace)
    await podman("create", "--name", name, IMAGE)
    try:
        assert await podman_.engine.observe(made.workspace) == Absent()
        with pytest.raises(EngineFailure, match="not wsmgr's"):
            await podman_.engine.create(made)
        assert (await inspect(name))["Name"] == name
    finally:
        await remove_all(f"name=^{name}$")


async def test_creates_that_died_half_way_are_got_over(podman_: Podman, spec: MakeSpec) -> None:
    """Whatever moment of a create the service is killed at, the next create and start succeed."""
    for delay_ms in (1, 3, 6, 10, 15, 25):
        made = spec(f"user:half{delay_ms}")
        creating = asyncio.create_task(podman_.engine.create(made))
        await asyncio.sleep(delay_ms / 1000)  # the moment of the kill is what varies; nothing is waited for
        os.kill(_service_pid(podman_), signal.SIGKILL)
        await asyncio.gather(creating, return_exceptions=True)
        await eventually(lambda: _answers(podman_.engine))
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
        os.kill(_service_pid(podman_), signal.SIGKILL)
        await asyncio.gather(starting, return_exceptions=True)
        await eventually(lambda: _answers(podman_.engine))
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
        stopping = asyncio.create_task(podman_.engine.stop(handle, 30))
        await eventually(lambda: _says_stopping(handle))  # noqa: B023  # awaited within the same turn of the loop
        os.kill(_service_pid(podman_), signal.SIGKILL)
        await asyncio.gather(stopping, return_exceptions=True)
        await eventually(lambda: _answers(podman_.engine))
        assert isinstance(await podman_.engine.observe(made.workspace), Running)
        if act == "stop":
            await podman_.engine.stop(handle, 1)
            assert isinstance(await podman_.engine.observe(made.workspace), Exited)
        await podman_.engine.remove(handle)
        assert await podman_.engine.observe(made.workspace) == Absent()
        await eventually(lambda: _nothing_of(handle))  # noqa: B023  # as above


async def _says_stopping(handle: str) -> bool | None:
    state = (await inspect(handle))["State"]
    assert isinstance(state, dict)
    return True if state["Status"] == "stopping" else None


async def _nothing_of(handle: str) -> bool | None:
    """Whether no process has this container's id in its command line, and the runtime knows nothing of it."""
    words = [word for pid in psutil.pids() for word in _words(pid)]
    places = [Path(os.environ["XDG_RUNTIME_DIR"]) / runtime / handle for runtime in ("runc", "crun")]
    return True if handle not in words and not any(place.exists() for place in places) else None


async def test_instances_do_not_see_each_other(podman_: Podman, spec: MakeSpec) -> None:
    """A daemon lists what bears its own label only, also when another one has the same workspace."""
    other = PodmanEngine(podman_.socket, podman_.instance + "-b", probe_image=IMAGE)
    await other.open()
    try:
        made = spec("user:a")
        mine, theirs = await podman_.engine.create(made), await other.create(made)
        assert mine != theirs
        assert [found.observed.handle for found in await podman_.engine.list()] == [mine]
        assert [found.observed.handle for found in await other.list()] == [theirs]
        await podman_.engine.remove(mine)
        assert await other.observe(made.workspace) == Created(theirs, made.digest)
    finally:
        await other.close()
        await remove_all(f"label=wsmgr.instance={podman_.instance}-b")


async def test_a_later_daemon_finds_what_an_earlier_one_made(podman_: Podman, spec: MakeSpec) -> None:
    """Containers and service outlive the engine, and a new engine sees the very same runtime."""
    made = spec("user:a")
    await podman_.engine.start(await podman_.engine.create(made))
    before = await podman_.engine.observe(made.workspace)
    await podman_.engine.close()
    later = podman_.another()
    await later.open()
    assert await later.observe(made.workspace) == before
    assert [found.workspace for found in await later.list()] == [made.workspace]
    await later.close()


async def test_a_killed_main_process_is_seen_as_killed(podman_: Podman, spec: MakeSpec) -> None:
    """kill -9 from outside is Exited with 137, at once and not after podman has noticed."""
    made = spec("user:a")
    handle = await podman_.engine.create(made)
    await podman_.engine.start(handle)
    running = await podman_.engine.observe(made.workspace)
    assert isinstance(running, Running)
    await podman("kill", "--signal=KILL", handle)
    assert await podman_.engine.observe(made.workspace) == Exited(handle, made.digest, 137, oom_killed=False)


async def test_many_starts_in_parallel(podman_: Podman, spec: MakeSpec) -> None:
    """20 creates and starts at once all succeed, and the engine goes on answering in between."""
    specs = [spec(f"user:m{number}", slot=number) for number in range(20)]

    async def run(number: int) -> None:
        await podman_.engine.start(await podman_.engine.create(specs[number]))

    starting = asyncio.gather(*(run(number) for number in range(len(specs))))
    pings = 0
    while not starting.done():
        await podman_.engine.ping()
        pings += 1
    await starting
    assert pings > 1
    found = await podman_.engine.list()
    assert {one.workspace for one in found if isinstance(one.observed, Running)} == {one.workspace for one in specs}
    await asyncio.gather(*(podman_.engine.remove(one.observed.handle) for one in found))
    assert await podman_.engine.list() == []


async def test_a_flood_of_output_fills_no_disk(podman_: Podman, spec: MakeSpec) -> None:
    """10 MB of standard output leave a log file of at most its cap, and the last lines can still be read."""
    flood = replace(spec("user:a"), output_bytes=FLOODS, log_file_bytes=200_000)
    handle = await podman_.engine.create(flood)
    await podman_.engine.start(handle)

    async def last_line() -> bool | None:
        lines = await podman_.engine.logs(flood.workspace, 1)
        return True if lines and lines[0].startswith("99999 ") else None

    await eventually(last_line)
    host_config = (await inspect(handle))["HostConfig"]
    assert isinstance(host_config, dict)
    assert 0 < _size(host_config["LogConfig"]["Path"]) <= 200_000


async def test_stubborn_stops_do_not_hold_up_others(podman_: Podman, spec: MakeSpec) -> None:
    """While stops wait out their grace, looks and starts go on."""
    stubborn = [spec(f"user:s{number}", Behaviour.STUBBORN, slot=number) for number in range(3)]
    handles = [await podman_.engine.create(one) for one in stubborn]
    for handle in handles:
        await podman_.engine.start(handle)
    stopping = asyncio.gather(*(podman_.engine.stop(handle, 2.0) for handle in handles))
    other = spec("user:other", slot=9)
    await podman_.engine.start(await podman_.engine.create(other))
    assert isinstance(await podman_.engine.observe(other.workspace), Running)
    assert not stopping.done()
    await stopping
