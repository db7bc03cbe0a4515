"""Workspaces over time, for real: left alone, hung while idle, and many at once under a daemon that dies."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from tests.podman.daemon.rig import failure, output, podman, real_daemon, run, wait_for
from wsmgr.client import Client

ECHO = "export default (input) => input"
MANY = 50


def actions_of(client: Client, workspace: str) -> list[str]:
    """What was recorded of a workspace, newest first."""
    return [event.action for event in client.workspace_events(workspace).items]


def test_fifty_workspaces_are_adopted_and_none_is_touched() -> None:
    """kill -9 of the daemon with fifty running: the next one takes over the same containers, and they serve warm."""
    with real_daemon() as daemon:
        with daemon.client() as client, ThreadPoolExecutor(10) as pool:
            assert list(pool.map(lambda n: output(client, f"many{n}", ECHO, n), range(MANY))) == list(range(MANY))
        before = {one["Labels"]["wsmgr.workspace"]: one["Id"] for one in daemon.containers()}
        assert len(before) == MANY
        daemon.kill()
        daemon.start()
        with daemon.client() as client, ThreadPoolExecutor(10) as pool:
            wait_for(lambda: sum(one.status == "RUNNING" for one in client.admin_workspaces()) == MANY, 30)
            answers = list(pool.map(lambda n: run(client, f"many{n}", ECHO, n), range(MANY)))
            assert [answer.output for answer in answers] == list(range(MANY))
            assert not any(answer.cold_start for answer in answers)
        assert {one["Labels"]["wsmgr.workspace"]: one["Id"] for one in daemon.containers()} == before


def test_an_idle_runtime_that_hangs_is_noticed_without_a_call() -> None:
    """SIGSTOP: the health checks find it, say so, and the workspace is replaced."""
    with real_daemon(health_every_s=1, health_timeout_s=1) as daemon, daemon.client() as client:
        output(client, "hung", ECHO, 1)
        output(client, "well", ECHO, 1)
        before = daemon.container("user:hung")["Id"]
        well = daemon.container("user:well")["Id"]
        os.kill(daemon.runtime_pid("user:hung"), signal.SIGSTOP)
        wait_for(lambda: "workspace.failed" in actions_of(client, "user:hung"), 30)
        failed = next(e for e in client.workspace_events("user:hung").items if e.action == "workspace.failed")
        assert "health" in failed.reason
        wait_for(lambda: client.workspace("user:hung").status == "RUNNING", 30)
        assert daemon.container("user:hung")["Id"] != before
        assert daemon.container("user:well")["Id"] == well
        assert output(client, "hung", ECHO, 2) == 2


def test_a_workspace_that_nobody_calls_is_stopped_and_the_next_call_starts_it() -> None:
    """After the plan's idle timeout (FREE: 60 s), counted from the last call; probes and reads are no calls."""
    with real_daemon(health_every_s=5) as daemon, daemon.client() as client:
        output(client, "lazy", ECHO, 1)
        began = time.monotonic()
        wait_for(lambda: client.workspace("user:lazy").status == "STOPPED", 90)
        assert time.monotonic() - began >= 59
        wait_for(lambda: daemon.containers() == [], 10)
        assert "workspace.idle_stop" in actions_of(client, "user:lazy")
        answer = run(client, "lazy", ECHO, 2)
        assert (answer.output, answer.cold_start) == (2, True)


def test_an_end_for_want_of_memory_is_told_apart() -> None:
    """By a limit of the process, where no kernel counts memory: V8 aborts, and that is told as what it is in the call's
    outcome and in the audit trail; a kill from outside is another thing."""
    bomb = "export default () => { const all = []; for (;;) all.push(new Array(1e5).fill(all.length)) }"
    with real_daemon() as daemon, daemon.client() as client:
        for user in ("poor", "shot"):
            output(client, user, ECHO, 1)
        podman("unshare", "prlimit", "--data=1", "--pid", str(daemon.runtime_pid("user:poor")))
        os.kill(daemon.main_pid("user:shot"), signal.SIGKILL)
        assert failure(client, "poor", bomb, timeout_ms=20_000) == "OutOfMemory"
        for user, reason in (("poor", "It ran out of memory and was killed."), ("shot", "It was ended by signal 9.")):
            assert output(client, user, ECHO, 2) == 2
            events = client.workspace_events(f"user:{user}").items
            assert [event.reason for event in events if event.action == "workspace.failed"] == [reason]
