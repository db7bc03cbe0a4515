"""Plugins that try to take more than their plan gives. The evidence is what the kernel counted, never what an engine
says; and each time a neighbour of the same plan goes on as if nothing were."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.host.host import Host
from tests.host.kernel import counted_for_all, group_of
from tests.host.patient import PatientClient
from tests.host.plugins import CPU_HOG, FORK_BOMB, HELLO, MEMORY_BOMB, SCRATCH_FILL, output, run
from tests.host.terms import FAIR
from wsmgr.client import ApiError, Client, ClientError

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def owners(host: Host) -> Iterator[None]:
    """Everybody here is FREE."""
    names = ("bomber", "forker", "hog", "filler", "neighbour")
    with host.client() as client:
        for name in names:
            # What stands before the kernel stays out of the way: it is the kernel's limit that is tried.
            free = {"unrestrictedRuntime": True} if name == "forker" else {}
            client.put_owner(f"user:{name}", plan="FREE", overrides={**FAIR, **free})
        yield
        for name in names:
            client.delete_workspace(f"user:{name}", wait=60)


@contextmanager
def unharmed_neighbour(host: Host, client: Client) -> Iterator[None]:
    """A workspace of the same plan keeps its container, answers before and after, and was never out of memory."""
    assert output(client, "neighbour", HELLO, 1) == {"hello": 1}
    group = group_of(host, client, "user:neighbour")
    yield
    assert output(client, "neighbour", HELLO, 2) == {"hello": 2}
    workspace = client.workspace("user:neighbour")
    assert (workspace.container_id, workspace.restarts) == (group.container, 0)
    assert group.table("memory.events")["oom_kill"] == 0


@pytest.mark.usefixtures("owners")
def test_a_memory_bomb_ends_within_its_limit(host: Host, client: PatientClient) -> None:
    """The outcome is OutOfMemory; the kernel killed it at its own group's 128 MiB and nobody else; the next call of the
    same owner works. The control is a plugin that takes half of that."""
    assert output(client, "bomber", MEMORY_BOMB, 32) == 32 * MIB
    group = group_of(host, client, "user:bomber")
    assert group.number("memory.max") == 128 * MIB
    assert group.number("memory.swap.max") == 0
    before = counted_for_all(host, "memory.events", "oom_kill")
    with unharmed_neighbour(host, client):
        answer = run(client, "bomber", MEMORY_BOMB, 512)
        assert answer.error is not None, answer.output
        assert answer.error.type == "OutOfMemory"
    assert counted_for_all(host, "memory.events", "oom_kill") > before
    log = host.ssh("dmesg")
    assert f"libpod-{group.container}.scope" in log
    assert f"limit {128 * 1024}kB" in log
    why = "It ran out of memory and was killed."
    host.wait_for(lambda: why in _failures(client, "user:bomber"), "the end to be noticed, with its cause")
    assert output(client, "bomber", HELLO, 3) == {"hello": 3}


def _failures(client: Client, workspace: str) -> list[str]:
    """Why it ended when nobody had asked for it."""
    return [event.reason for event in client.workspace_events(workspace).items if event.action == "workspace.failed"]


@pytest.mark.usefixtures("owners")
def test_a_fork_bomb_is_refused_by_the_kernel(host: Host, client: PatientClient) -> None:
    """fork fails once the workspace has as many processes and threads as its plan allows, never later; its group
    counts the refusal, and the neighbour's none."""
    assert output(client, "forker", FORK_BOMB, 2)["refused"] is None
    group = group_of(host, client, "user:forker")
    allowed = client.owner("user:forker").limits.pids
    assert group.number("pids.max") == allowed
    with unharmed_neighbour(host, client):
        bomb = output(client, "forker", FORK_BOMB, 10 * allowed)
    assert bomb["refused"] == "EAGAIN"
    assert bomb["started"] < allowed
    assert group.table("pids.events")["max"] > 0


@pytest.mark.usefixtures("owners")
def test_a_cpu_hog_gets_a_quarter_of_a_core(host: Host, client: PatientClient) -> None:
    """Measured by cpu.stat against the host's own clock: more than that before the limit is lowered under it, no more
    after it, and the kernel held it back. The neighbour is served meanwhile."""
    output(client, "hog", HELLO, 0)
    group = group_of(host, client, "user:hog")
    hog = threading.Thread(target=_until_stopped, args=(host, "hog"))
    hog.start()
    try:
        host.wait_for(lambda: _share(*group.twice("cpu.stat", 3)) > 0.4, "the hog to burn")
        client.put_owner("user:hog", plan="FREE", overrides={**FAIR, "cpus": 0.25})
        host.wait_for(lambda: group.read("cpu.max") == "25000 100000", "its limit")
        with unharmed_neighbour(host, client):
            before, after, elapsed_us = group.twice("cpu.stat", 10)
    finally:
        client.stop("user:hog", wait=60)
        hog.join()
    # Each processor may be some milliseconds behind with what it was told to hold back.
    assert _share(before, after, elapsed_us) <= 0.26
    assert after["nr_throttled"] > before["nr_throttled"]
    assert after["throttled_usec"] > before["throttled_usec"]


def _share(before: dict[str, int], after: dict[str, int], elapsed_us: int) -> float:
    """Of one processor."""
    return (after["usage_usec"] - before["usage_usec"]) / elapsed_us


def _until_stopped(host: Host, user: str) -> None:
    with host.client() as client:
        try:
            run(client, user, CPU_HOG)
        except (ApiError, ClientError) as error:
            host.say(f"the hog was ended: {error}")


@pytest.mark.usefixtures("owners")
def test_a_full_scratch_directory_is_refused_to_its_owner_alone(host: Host, client: PatientClient) -> None:
    """ENOSPC at the plan's size, for the one who filled it; what was written is given back with the file. The control
    is the neighbour, who writes at the same time, and the same plugin with less."""
    size = client.owner("user:filler").limits.scratch_mb
    assert output(client, "filler", SCRATCH_FILL, size // 2) == {"written": size // 2 * MIB, "refused": None}
    with unharmed_neighbour(host, client):
        full = output(client, "filler", SCRATCH_FILL, 2 * size)
        assert output(client, "neighbour", SCRATCH_FILL, 4)["refused"] is None
    assert full == {"written": size * MIB, "refused": "ENOSPC"}
    assert output(client, "filler", SCRATCH_FILL, size // 2)["refused"] is None
