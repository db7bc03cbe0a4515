"""What breaks, for real: the daemon, podman's service, a runtime, a container; and what is left of it afterwards."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.podman.daemon.rig import RealDaemon, failure, inline, output, podman, real_daemon, run, wait_for
from wsmgr.client import ApiError, Client

ECHO = "export default (input) => input"
SLEEP = "export default (ms) => new Promise(resolve => setTimeout(resolve, ms, 'slept'))"


@pytest.fixture
def fresh() -> Iterator[RealDaemon]:
    """A daemon for one test, which breaks it."""
    with real_daemon() as daemon:
        yield daemon


def test_kill_9_in_the_middle_of_a_call_loses_nothing_that_was_acknowledged(fresh: RealDaemon) -> None:
    """The next daemon adopts the container without touching it; the call that was cut is told `lost` and never runs
    again; plugins, records and owners are as they were acknowledged."""
    with fresh.client() as client, ThreadPoolExecutor(1) as pool:
        version = client.put_plugin("user:kim", "stored", language="javascript", code=ECHO).version
        client.put_owner("user:kim", plan="PRO")
        assert client.execute("kim", "stored", 5, execution_id="done").output == 5
        before = fresh.container("user:kim")["Id"]
        cut = pool.submit(client.execute, "kim", inline(SLEEP, "sleep"), 60_000, execution_id="cut")
        wait_for(lambda: client.health().inflight, 10)
        wait_for(lambda: state_of(client, "cut") == "running", 10)
        fresh.kill()
        assert cut.exception() is not None
    fresh.start()
    with fresh.client() as client:
        wait_for(lambda: client.workspace("user:kim").status == "RUNNING", 10)
        assert fresh.container("user:kim")["Id"] == before
        lost = client.execute("kim", inline(SLEEP, "sleep"), 60_000, execution_id="cut")
        assert lost.error is not None
        assert (lost.success, lost.error.type) == (False, "Lost")
        assert client.execution("cut").state == "lost"
        assert (client.execution("done").state, client.execution("done").output) == ("succeeded", 5)
        assert client.owner("user:kim").plan == "PRO"
        answer = client.execute("kim", "stored", 6)
        assert (answer.output, answer.plugin_version, answer.cold_start) == (6, version, False)
        assert fresh.container("user:kim")["Id"] == before


def state_of(client: Client, execution: str) -> str | None:
    """The state of a record, None while there is none."""
    try:
        return client.execution(execution).state
    except ApiError:
        return None


def test_sigterm_stops_everything_in_bounded_time(fresh: RealDaemon) -> None:
    """Exit 0, no container, no service, no socket left; a call in flight ends well."""
    with fresh.client() as client, ThreadPoolExecutor(4) as pool:
        for user in ("a", "b", "c"):
            output(client, user, ECHO, 1)
        calling = pool.submit(output, client, "a", SLEEP, 1500)
        wait_for(lambda: client.health().inflight, 10)
        service = fresh.service_pid()
        started = time.monotonic()
        assert fresh.stop() == 0
        assert time.monotonic() - started < 40
        assert calling.result() == "slept"
    assert fresh.containers() == []
    assert not fresh.socket.exists()
    wait_for(lambda: not Path(f"/proc/{service}").exists(), 10)


def test_a_stop_that_keeps_leaves_the_workspaces_to_the_next_daemon(fresh: RealDaemon) -> None:
    """For an upgrade: the same containers serve again, warm."""
    with fresh.client() as client:
        output(client, "a", ECHO, 1)
        before = fresh.container("user:a")["Id"]
    assert fresh.stop(signal.SIGUSR1) == 0
    assert fresh.container("user:a")["State"] == "running"
    fresh.start()
    with fresh.client() as client:
        answer = wait_for(lambda: run(client, "a", ECHO, 2), 10)
        assert (answer.output, fresh.container("user:a")["Id"]) == (2, before)


def test_a_second_daemon_on_the_same_state_says_who_is_there(fresh: RealDaemon) -> None:
    """And exits; the first goes on."""
    second = fresh.cli("serve")
    assert second.returncode == 1
    assert str(fresh.pid) in second.stderr
    assert "Traceback" not in second.stderr
    with fresh.client() as client:
        assert output(client, "a", ECHO, 1) == 1


def test_podmans_service_killed_is_started_again(fresh: RealDaemon) -> None:
    """Running workspaces serve on without it; new ones start in containers as soon as it is back."""
    with fresh.client() as client:
        output(client, "a", ECHO, 1)
        service = fresh.service_pid()
        os.kill(service, signal.SIGKILL)
        answer = run(client, "a", ECHO, 2)
        assert (answer.output, answer.isolation, answer.cold_start) == (2, "container", False)
        fresh_answer = wait_for(lambda: container_answer(client, "new"), 40)
        assert fresh_answer
        assert fresh.service_pid() != service
        fresh.container("user:new")


def container_answer(client: Client, user: str) -> bool:
    """Whether a call for that user is answered by a container now."""
    answer = run(client, user, ECHO, 1)
    assert answer.output == 1
    assert answer.degraded == (answer.isolation == "worker")
    return answer.isolation == "container"


def test_a_hung_podman_is_noticed_and_a_worker_stands_in(fresh: RealDaemon) -> None:
    """It accepts and never answers: within bounds the owner gets a worker, marked degraded, with events; and a
    container again when podman is back."""
    with fresh.client() as client:
        output(client, "warm", ECHO, 1)
        client.put_owner("user:strict", plan="FREE", fallback=False)
        os.kill(fresh.service_pid(), signal.SIGSTOP)
        try:
            wait_for(lambda: client.health().status == "degraded", 40)
            assert run(client, "warm", ECHO, 2).isolation == "container"
            answer = run(client, "new", ECHO, 3)
            assert (answer.output, answer.isolation, answer.degraded) == (3, "worker", True)
            with pytest.raises(ApiError) as refused:
                run(client, "strict", ECHO, 3)
            assert (refused.value.status, refused.value.code, refused.value.retryable) == (
                503, "engine_unavailable", True)  # fmt: skip
        finally:
            os.kill(fresh.service_pid(), signal.SIGCONT)
        wait_for(lambda: client.health().status == "healthy", 40)
        wait_for(lambda: container_answer(client, "new"), 40)
        actions = [event.action for event in client.workspace_events("user:new").items]
        assert {"workspace.degraded", "workspace.restored"} <= set(actions)
        assert run(client, "strict", ECHO, 4).isolation == "container"


def test_an_orphan_and_a_half_made_container_are_removed(fresh: RealDaemon) -> None:
    """With this daemon's label and in no record; a container without it is left alone."""
    instance = (fresh.state / "instance").read_text().strip()
    ours = ["--label", f"wsmgr.instance={instance}", "--label", "wsmgr.workspace=user:ghost",
            "--label", "wsmgr.digest=0.x", "--label", "wsmgr.generation=0"]  # fmt: skip
    image = "localhost/wsmgr-node:latest"
    orphan = podman("create", "--network=none", *ours, image)
    strangers = podman("create", "--network=none", "--label", "wsmgr.instance=somebody-else", image)
    try:
        wait_for(lambda: orphan not in podman("ps", "-aq", "--no-trunc").split(), 20)
        assert strangers in podman("ps", "-aq", "--no-trunc").split()
    finally:
        podman("rm", "-f", strangers)


def test_a_runtime_that_is_killed_is_told_and_replaced(fresh: RealDaemon) -> None:
    """The call in flight says Crash with the signal; the next one gets a fresh container."""
    with fresh.client() as client, ThreadPoolExecutor(1) as pool:
        output(client, "a", ECHO, 1)
        before = fresh.container("user:a")["Id"]
        calling = pool.submit(run, client, "a", SLEEP, 30_000)
        wait_for(lambda: client.health().inflight, 10)
        os.kill(fresh.main_pid("user:a"), signal.SIGKILL)
        answer = calling.result()
        assert answer.error is not None
        assert answer.error.type == "Crash"
        assert "signal 9" in answer.error.message
        assert output(client, "a", ECHO, 2) == 2
        assert fresh.container("user:a")["Id"] != before
        actions = [event.action for event in client.workspace_events("user:a").items]
        assert "workspace.failed" in actions


def test_a_runtime_that_hangs_is_told_and_replaced(fresh: RealDaemon) -> None:
    """SIGSTOP: the call times out by the daemon's own clock, and the next one gets a fresh container."""
    with fresh.client() as client:
        output(client, "a", ECHO, 1)
        before = fresh.container("user:a")["Id"]
        os.kill(fresh.runtime_pid("user:a"), signal.SIGSTOP)
        assert failure(client, "a", ECHO, timeout_ms=1000) == "Timeout"
        assert output(client, "a", ECHO, 2) == 2
        assert fresh.container("user:a")["Id"] != before


def test_a_container_that_somebody_removes_comes_back(fresh: RealDaemon) -> None:
    """podman rm -f by hand is noticed by the sweep or by the next call, and said."""
    with fresh.client() as client:
        output(client, "a", ECHO, 1)
        podman("rm", "-f", "-t", "0", fresh.container("user:a")["Id"])
        assert output(client, "a", ECHO, 2) == 2


def test_an_image_that_is_missing_is_said(fresh: RealDaemon) -> None:
    """One sentence that says what to run; safe to retry; other daemons' images do not matter."""
    fresh.stop()
    with real_daemon(image="localhost/no-such-image:latest") as other, other.client() as client:
        with pytest.raises(ApiError, match="wsmgr image build") as refused:
            run(client, "a", ECHO, 1)
        assert (refused.value.status, refused.value.code) == (503, "never_started")
        assert "image" in client.workspace("user:a").reason


def test_tcp_with_tokens_from_the_cli() -> None:
    """A token made by `wsmgr token create` works within seconds, and not after it was revoked."""
    port = free_port()
    with real_daemon(listen=f"127.0.0.1:{port}") as daemon:
        made = daemon.cli("token", "create", "platform")
        assert made.returncode == 0, made.stderr
        secret = made.stdout.strip()
        url = f"http://127.0.0.1:{port}"
        with Client(url=url, token=secret) as client:
            wait_for(lambda: works(client), 10)
            assert client.execute("tina", inline(ECHO), 3).output == 3
        with Client(url=url, token="wrong") as stranger, pytest.raises(ApiError) as refused:  # noqa: S106
            stranger.workspaces()
        assert refused.value.status == 401
        assert daemon.cli("token", "rm", "platform", "--yes").returncode == 0
        with Client(url=url, token=secret) as client:
            wait_for(lambda: not works(client), 10)


def works(client: Client) -> bool:
    """Whether the client's credential is taken."""
    try:
        client.workspaces()
    except ApiError:
        return False
    return True


def free_port() -> int:
    """A TCP port that is free now."""
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_detach_and_shutdown_from_the_cli(fresh: RealDaemon) -> None:
    """`serve --detach` returns when the daemon answers, says so again, and `shutdown` ends it; both are idempotent."""
    fresh.stop()
    for word in ("runs (process", "runs already"):
        done = fresh.cli("serve", "--detach")
        assert done.returncode == 0, done.stderr
        assert word in done.stdout
    with fresh.client() as client:
        assert output(client, "a", ECHO, 1) == 1
    for word in ("has stopped", "No daemon runs"):
        done = fresh.cli("shutdown")
        assert done.returncode == 0, done.stderr
        assert word in done.stdout
    assert fresh.containers() == []


@pytest.mark.parametrize("isolation", ["worker", "none"])
def test_the_weaker_isolations_serve_and_say_so(isolation: str) -> None:
    """The same calls without a container; nothing of them is left when the daemon is killed."""
    with real_daemon(isolation=isolation) as daemon:
        with daemon.client() as client:
            answer = run(client, "a", ECHO, 1)
            assert (answer.output, answer.isolation, answer.degraded) == (1, isolation, False)
            assert failure(client, "a", "export default () => process.exit(3)") == "Exit"
            assert output(client, "b", ECHO, 2) == 2
            shown = client.workspace("user:a")
            assert (shown.isolation, shown.limits_enforced["memory"]) == (isolation, False)
            pids = children_of(daemon.pid)
            assert pids
        assert daemon.containers() == []
        daemon.kill()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 15)


def children_of(pid: int) -> list[int]:
    """All descendants of a process but podman's service, which is meant to outlive it."""
    children = psutil.Process(pid).children(recursive=True)
    return [child.pid for child in children if "podman" not in child.name()]
