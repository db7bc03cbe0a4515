"""A second SIGTERM: the daemon ends at once, and leaves to the next one what it could not end."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.podman.daemon.rig import RealDaemon, inline, output, podman, real_daemon, wait_for
from wsmgr.client import ApiError

ECHO = "export default (input) => input"
SLEEP = "export default (ms) => new Promise(resolve => setTimeout(resolve, ms, 'slept'))"


@pytest.fixture
def daemon() -> Iterator[RealDaemon]:
    """One that would wait for its calls for half a minute."""
    with real_daemon(shutdown_deadline_s=60) as daemon:
        yield daemon


def test_a_second_signal_hurries(daemon: RealDaemon) -> None:
    """The first one waits for the call in flight and refuses new ones; the second ends it within seconds, with 0. The
    call gets no answer rather than a wrong one, and its record says that it is lost; the container is adopted."""
    with daemon.client() as client, ThreadPoolExecutor(1) as pool:
        output(client, "a", ECHO, 1)
        before = daemon.container("user:a")["Id"]
        calling = pool.submit(client.execute, "a", inline(SLEEP, "sleep"), 50_000, execution_id="long")
        wait_for(lambda: client.health().inflight, 10)
        daemon.send(signal.SIGTERM)
        wait_for(lambda: client.health().status == "stopping", 10)
        with pytest.raises(ApiError) as refused:
            client.execute("a", inline(ECHO), 1)
        assert (refused.value.status, refused.value.code, refused.value.retryable) == (503, "shutting_down", True)
        assert not calling.done()
        begun = time.monotonic()
        assert daemon.stop(signal.SIGTERM, timeout_s=20) == 0
        assert time.monotonic() - begun < 12
        error = calling.exception()
        assert error is not None
        assert not isinstance(error, ApiError)
    log = daemon.log.read_text()
    assert "hurried" in log
    assert "Traceback" not in log
    assert not daemon.socket.exists()
    daemon.start()
    with daemon.client() as client:
        record = client.execution("long")
        assert (record.state, record.output) == ("lost", None)
        wait_for(lambda: client.workspace("user:a").status == "RUNNING", 20)
        assert output(client, "a", ECHO, 2) == 2
        assert daemon.container("user:a")["Id"] == before


def test_signals_to_the_very_end_change_nothing(daemon: RealDaemon) -> None:
    """A service manager that signals again and again, also when all is done but the end of the process."""
    with daemon.client() as client:
        output(client, "a", ECHO, 1)

    def code() -> tuple[int] | None:
        with suppress(subprocess.TimeoutExpired):
            return (daemon.stop(signal.SIGTERM, timeout_s=0.001),)
        return None

    assert wait_for(code, 20) == (0,)
    for one in daemon.containers():
        podman("rm", "-f", "-t", "0", one["Id"])


def test_what_sigterm_means_for_workspaces_is_a_setting() -> None:
    """With `shutdown: keep` a service manager's stop leaves them to the next daemon; SIGINT, with which
    `wsmgr shutdown` ends it, stops them all the same."""
    with real_daemon(shutdown="keep") as daemon:
        with daemon.client() as client:
            output(client, "a", ECHO, 1)
        before = daemon.container("user:a")["Id"]
        assert daemon.stop(signal.SIGTERM) == 0
        assert daemon.container("user:a")["State"] == "running"
        daemon.start()
        with daemon.client() as client:
            wait_for(lambda: client.workspace("user:a").status == "RUNNING", 20)
            answer = client.execute("a", inline(ECHO), 2)
        assert (answer.output, answer.cold_start, daemon.container("user:a")["Id"]) == (2, False, before)
        assert daemon.stop(signal.SIGINT) == 0
        assert daemon.containers() == []
