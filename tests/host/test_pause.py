"""PAUSED: no CPU, and nothing of the memory lost."""

from __future__ import annotations

from tests.host.host import Host
from tests.host.kernel import group_of
from tests.host.patient import PatientClient
from tests.host.plugins import REMEMBER, output
from tests.host.terms import FAIR


def test_a_paused_workspace_uses_no_cpu_and_keeps_its_memory(host: Host, client: PatientClient) -> None:
    """cgroup.events says frozen, cpu.stat does not move by a microsecond, memory stays; a call resumes the very same
    container, with what it had in memory (its /tmp)."""
    client.put_owner("user:sleeper", plan="FREE", overrides=FAIR)
    output(client, "sleeper", REMEMBER, "the milk")
    group = group_of(host, client, "user:sleeper")
    awake = group.number("memory.current")
    client.pause("user:sleeper", wait=120)
    host.wait_for(lambda: client.workspace("user:sleeper").status == "PAUSED", "PAUSED")
    assert group.table("cgroup.events")["frozen"] == 1
    before, after, elapsed_us = group.twice("cpu.stat", 5)
    assert elapsed_us >= 5_000_000
    assert after["usage_usec"] == before["usage_usec"]
    assert group.number("memory.current") > awake // 2
    assert output(client, "sleeper", REMEMBER) == "the milk"
    assert client.workspace("user:sleeper").status == "RUNNING"
    assert group_of(host, client, "user:sleeper") == group
    assert group.table("cgroup.events")["frozen"] == 0
    client.delete_workspace("user:sleeper", wait=120)


def test_an_idle_workspace_is_paused_by_itself_and_then_stopped(host: Host, client: PatientClient) -> None:
    """The ladder, with the shortest times that a plan can have; the next call climbs it again."""
    client.put_owner("user:idler", plan="FREE", overrides={**FAIR, "pauseAfterSeconds": 5, "idleTimeoutSeconds": 40})
    output(client, "idler", REMEMBER, "x")
    group = group_of(host, client, "user:idler")
    host.wait_for(lambda: client.workspace("user:idler").status == "PAUSED", "PAUSED")
    assert group.table("cgroup.events")["frozen"] == 1
    host.wait_for(lambda: client.workspace("user:idler").status == "STOPPED", "STOPPED")
    host.wait_for(lambda: not host.ssh(f"ls -d /sys/fs/cgroup{group.path} || true"), "the group to be gone")
    assert output(client, "idler", REMEMBER) is None
    client.delete_workspace("user:idler", wait=120)
