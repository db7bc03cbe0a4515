"""Limits and plans that change while workspaces run, as the kernel sees it."""

from __future__ import annotations

from tests.host.host import Host
from tests.host.kernel import group_of
from tests.host.patient import PatientClient
from tests.host.plugins import HELLO, output

MIB = 1024 * 1024
AWAKE = {"idleTimeoutSeconds": 0, "pauseAfterSeconds": 0}


def test_an_override_reaches_the_kernel_at_once(host: Host, client: PatientClient) -> None:
    """CPU and pids of a container that runs, without a new one."""
    client.put_owner("user:changing", plan="FREE", overrides=AWAKE)
    output(client, "changing", HELLO, 1)
    group = group_of(host, client, "user:changing")
    assert group.read("cpu.max") == "25000 100000"
    client.put_owner("user:changing", plan="FREE", overrides={**AWAKE, "cpus": 0.75})
    host.wait_for(lambda: group.read("cpu.max") == "75000 100000", "cpu.max to change")
    assert client.workspace("user:changing").container_id == group.container
    client.delete_workspace("user:changing", wait=120)


def test_another_plan_reaches_the_kernel(host: Host, client: PatientClient) -> None:
    """FREE, PRO, FREE: memory.max, cpu.max and pids.max follow, while the workspace goes on answering; each call is
    served, whichever container serves it."""
    client.put_owner("user:upgraded", plan="FREE", overrides=AWAKE)
    output(client, "upgraded", HELLO, 1)

    def held() -> tuple[int, str]:
        group = group_of(host, client, "user:upgraded")
        return group.number("memory.max"), group.read("cpu.max")

    assert held() == (128 * MIB, "25000 100000")
    client.put_owner("user:upgraded", plan="PRO", overrides=AWAKE)
    host.wait_for(lambda: held() == (512 * MIB, "100000 100000"), "the limits of PRO")
    assert output(client, "upgraded", HELLO, 2) == {"hello": 2}
    client.put_owner("user:upgraded", plan="FREE", overrides=AWAKE)
    host.wait_for(lambda: held() == (128 * MIB, "25000 100000"), "the limits of FREE")
    assert output(client, "upgraded", HELLO, 3) == {"hello": 3}
    client.delete_workspace("user:upgraded", wait=120)
