"""Every process of the daemon's user is killed at once, as `pkill -9 -u` or a machine stopped hard does it."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

from tests.podman.daemon.rig import RealDaemon, output, podman, real_daemon, run, wait_for


def _kill_everything(daemon: RealDaemon) -> None:
    """The daemon first, so that it mends nothing; monitors before containers, so that podman hears of no end."""
    containers = json.loads(podman("inspect", *[one["Id"] for one in daemon.containers()]))
    monitors = [one["State"]["ConmonPid"] for one in containers]
    mains = [one["State"]["Pid"] for one in containers]
    pause = int((Path(os.environ["XDG_RUNTIME_DIR"]) / "libpod/tmp/pause.pid").read_text())
    service = daemon.service_pid()
    daemon.kill()
    for pid in (service, *monitors, *mains, pause):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_everything_is_killed_and_comes_back() -> None:
    """The next daemon brings podman back by itself, and every workspace that was wanted answers."""
    with real_daemon() as daemon:
        with daemon.client() as client:
            for user in ("ann", "bob"):
                assert output(client, user, "export default () => 1") == 1
        _kill_everything(daemon)
        daemon.start()
        assert "lost its pause process" in daemon.tail(), "podman kept itself whole: the test proves nothing"
        with daemon.client() as client:
            for user in ("ann", "bob"):
                # A worker may stand in while podman comes back.
                assert output(client, user, "export default () => 2") == 2
                wait_for(lambda user=user: not run(client, user, "export default () => 3").degraded, 60)  # type: ignore[misc]
        assert {one["State"] for one in daemon.containers()} == {"running"}
