"""Limits and plans that change while workspaces run, as the kernel sees it."""

from __future__ import annotations

from tests.host.host import Host
from tests.host.kernel import group_of
from tests.host.patient import PatientClient
from tests.host.plugins import HELLO, output
from tests.host.terms import FAIR

MIB = 1024 * 1024


def test_an_override_reaches_the_kernel_at_once(host: Host, client: PatientClient) -> None:
    """CPU and pids of a container that runs, without a new one."""
    client.put_owner("user:changing", plan="FREE", overrides=FAIR)
    output(client, "changing", HELLO, 1)
    group = group_of(host, client, "user:changing")
    assert group.read("cpu.max") == "200000 100000"
    client.put_owner("user:changing", plan="FREE", overrides={**FAIR, "cpus": 0.75})
    host.wait_for(lambda: group.read("cpu.max") == "75000 100000", "cpu.max to change")
    assert client.workspace("user:changing").container_id == group.container
    client.delete_workspace("user:changing", wait=120)


def test_another_plan_reaches_the_kernel(host: Host, client: PatientClient) -> None:
    """PRO, ENTERPRISE, PRO: memory.max, cpu.max and pids.max follow, while the workspace goes on answering, whichever
    container serves it."""
    terms = {name: value for name, value in FAIR.items() if name != "cpus"}
    client.put_owner("user:upgraded", plan="PRO", overrides=terms)
    output(client, "upgraded", HELLO, 1)

    def limits() -> tuple[int, str, int]:
        group = group_of(host, client, "user:upgraded")
        return group.number("memory.max"), group.read("cpu.max"), group.number("pids.max")

    host.wait_for(lambda: limits() == (512 * MIB, "100000 100000", 256), "the limits of PRO")
    client.put_owner("user:upgraded", plan="ENTERPRISE", overrides=terms)
    host.wait_for(lambda: limits() == (2048 * MIB, "200000 100000", 512), "the limits of ENTERPRISE")
    assert output(client, "upgraded", HELLO, 2) == {"hello": 2}
    client.put_owner("user:upgraded", plan="PRO", overrides=terms)
    host.wait_for(lambda: limits() == (512 * MIB, "100000 100000", 256), "the limits of PRO")
    assert output(client, "upgraded", HELLO, 3) == {"hello": 3}
    client.delete_workspace("user:upgraded", wait=120)
