"""Thirty workspaces at once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from tests.host.host import Host
from tests.host.kernel import group_of
from tests.host.patient import PatientClient
from tests.host.plugins import HELLO, output
from tests.host.terms import FAIR

MANY = 30
MIB = 1024 * 1024
START_S = 1200.0
LOADING = 2
MONITORS = 1000
"""More workspaces than any test host has, each with a monitor of the daemon's user."""


def test_thirty_workspaces_at_once(host: Host, client: PatientClient) -> None:
    """All are wanted in the same moment, all come to run, each with limits of its own in the kernel, and all answer at
    the same time."""
    users = [f"many-{number:02}" for number in range(MANY)]
    for user in users:
        client.put_owner(f"user:{user}", plan="FREE", overrides=FAIR)
    try:
        with ThreadPoolExecutor(MANY) as pool:
            list(pool.map(lambda user: client.put_workspace(f"user:{user}", "RUNNING"), users))
            host.wait_for(lambda: _running(host, client) >= set(users), f"{MANY} workspaces to run", START_S)
            # A few at a time: thirty that load at once are too much for an emulated processor, within the time of one.
            with ThreadPoolExecutor(LOADING) as few:
                assert list(few.map(lambda user: output(client, user, HELLO, 0), users)) == [{"hello": 0}] * MANY
            answers = list(pool.map(lambda user: output(client, user, HELLO, user), users))
        assert answers == [{"hello": user} for user in users]
        groups = host.ssh(
            "cat /sys/fs/cgroup/user.slice/user-*.slice/user@*.service/user.slice/libpod-*.scope/container/memory.max"
        )
        assert groups.split().count(str(128 * MIB)) >= MANY
        group = group_of(host, client, "user:many-00")
        assert group.table("memory.events")["oom_kill"] == 0
        # The next one, too, can be started: no workspace has a limit of processes that the monitors of all others meet.
        limits = host.ssh(f"cat /proc/{group.pid}/limits")
        (processes,) = re.findall(r"^Max processes +(\d+)", limits, re.MULTILINE)
        assert int(processes) > MONITORS > group.number("pids.max")
    finally:
        # Whatever came of it: the tests after this one have the host to themselves.
        with ThreadPoolExecutor(MANY) as pool:
            list(pool.map(lambda user: client.delete_workspace(f"user:{user}", wait=300), users))


def _running(host: Host, client: PatientClient) -> set[str]:
    up = {one.id.removeprefix("user:") for one in client.workspaces(limit=100).items if one.status == "RUNNING"}
    host.say(f"{len(up)} workspaces run")
    return up
