"""What the daemon claims of this host, and by what it was seen."""

from __future__ import annotations

import pytest

from tests.host.host import Host
from tests.host.kernel import doctor, group_of
from tests.host.patient import PatientClient
from tests.host.plugins import HELLO, output
from tests.host.terms import FAIR

EVIDENCE = {
    "memory": "memory.events: oom_kill",
    "cpu": "cpu.stat: nr_throttled",
    "pids": "pids.events: max",
    "freeze": "frozen 1",
    "scratch": "/tmp is a tmpfs of",
}


def test_the_doctor_proved_every_limit_when_the_host_was_set_up(host: Host) -> None:
    """verify.yml kept its words: each limit is enforced, and the evidence is a count of the kernel's."""
    lines = {line["name"]: line for line in doctor(host) if line["isolation"] == "container"}
    weak = {name: line["evidence"] for name, line in lines.items() if line["level"] != "enforced"}
    assert weak == {}
    for name, words in EVIDENCE.items():
        assert words in lines[name]["evidence"], name


def test_the_daemon_shows_the_same_to_its_callers(client: PatientClient) -> None:
    """/api/capabilities, with the evidence and nothing to mend."""
    lines = {line.name: line for line in client.capabilities().items if line.isolation == "container"}
    for name, words in EVIDENCE.items():
        assert (lines[name].level, lines[name].mend) == ("enforced", None), lines[name].evidence
        assert words in lines[name].evidence


@pytest.mark.parametrize("demanding", [True, False])
def test_a_plan_that_demands_enforced_limits_runs_here(host: Host, client: PatientClient, demanding: bool) -> None:
    """And its workspace says of each limit that it holds, as the kernel has it; so does one whose plan demands
    nothing."""
    user = f"demands-{demanding}".lower()
    client.put_owner(f"user:{user}", plan="PRO", overrides={**FAIR, "requireEnforcedLimits": demanding})
    assert output(client, user, HELLO, "here") == {"hello": "here"}
    workspace = client.workspace(f"user:{user}")
    assert workspace.limits_enforced == dict.fromkeys(("memory", "cpu", "pids", "scratch", "network"), True)
    group = group_of(host, client, f"user:{user}")
    assert group.number("memory.max") == workspace.limits.memory_mb * 1024 * 1024
    assert group.read("cpu.max") == "200000 100000"
    assert group.number("pids.max") == workspace.limits.pids
    client.delete_workspace(f"user:{user}", wait=60)
