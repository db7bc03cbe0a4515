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
from tests.podman.engine.rig import IMAGE, Podman, answers, inspect, podman, remove_all, service_pid, words_of
from wsmgr.adapters.podman.api_service import ApiService
from wsmgr.adapters.podman.engine import PodmanEngine
from wsmgr.adapters.podman.names import container_name
from wsmgr.core.errors import EngineFailure, EngineUnavailable
from wsmgr.core.workspace import Absent, Created, Exited, Running

FLOODS = 4020
"""The `output_bytes` at which the test runtime writes 100,000 lines of 106 bytes at once."""


def _serving(socket: Path) -> list[int]:
    """The processes that serve on this socket, by their command lines."""
    return [pid for pid in psutil.pids() if f"unix://{socket}" in words_of(pid)]


def _size(path: str) -> int:
    return Path(path).stat().st_size


async def test_a_killed_service_is_started_again(podman_: Podman, spec: MakeSpec) -> None:
    """After kill -9 of the service the container runs on, and the engine recovers by itself."""
    made = spec("user:a")
    await podman_.engine.start(await podman_.engine.create(made))
    before = await podman_.engine.observe(made.workspace)
    killed = service_pid(podman_)
    os.kill(killed, signal.SIGKILL)
    await eventually(lambda: answers(podman_.engine))
    assert isinstance(before, Running)
    assert await podman_.engine.observe(made.workspace) == before
    assert service_pid(podman_) != killed


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
    pid = service_pid(podman_)
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
    await eventually(lambda: answers(engine))
    assert service_pid(podman_) == pid
    await engine.close()


async def test_a_service_that_hangs_for_long_is_replaced(podman_: Podman) -> None:
    """The watcher kills the service that wsmgr started itself and starts another."""
    service = ApiService(podman_.socket, answer_timeout_s=0.3, hung_after_s=1.0, check_every_s=0.2, start_timeout_s=10)
    await podman_.engine.close()
    engine = PodmanEngine(podman_.socket, podman_.instance, probe_image=IMAGE, service=service, timeout_s=1.0)
    await engine.open()
    pid = service_pid(podman_)
    os.kill(pid, signal.SIGSTOP)
    await eventually(lambda: answers(engine))
    assert service_pid(podman_) != pid
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
