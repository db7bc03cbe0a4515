"""The disk of podman's storage is full, for real: podman works on a small file system of its own, which is filled.

An unprivileged user may mount a tmpfs in the namespaces that `podman unshare` makes. Images come from the usual place,
read-only; containers are made on the tmpfs.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.podman.daemon.proxied import refusal
from tests.podman.daemon.rig import RealDaemon, output, podman, real_daemon, wait_for
from tests.podman.engine.rig import words_of
from tests.soak.logbook import audit
from wsmgr.client import ApiError

ONE = "export default () => 1"
MOUNTED = """
mount -t tmpfs -o size=24m tmpfs "$1" && cd / &&
exec podman --root "$1/root" --runroot "$1/run" --storage-opt "additionalimagestore=$2" \
    system service --time=0 "unix://$3"
"""


class SmallDisk:
    """The file system of a podman service, seen through that service."""

    def __init__(self, service: int, folder: Path) -> None:
        self._ballast = Path(f"/proc/{service}/root{folder}/ballast")

    def fill(self) -> None:
        """To its last byte."""
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def free(self) -> None:
        """As somebody would who tidies up."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_podman(place: Path) -> Iterator[tuple[Path, SmallDisk]]:
    """A podman service on 24 MB: its socket, and its disk."""
    folder, socket = place / "disk", place / "podman.sock"
    folder.mkdir()
    images = podman("info", "--format", "{{.Store.GraphRoot}}")
    argv = ["podman", "unshare", "sh", "-c", MOUNTED, "sh", str(folder), images, str(socket)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as service:
        try:
            wait_for(socket.exists, 20, what=lambda: "podman's service to listen")
            (serving,) = [pid for pid in psutil.pids() if f"unix://{socket}" in words_of(pid)]
            yield socket, SmallDisk(serving, folder)
            os.kill(serving, signal.SIGTERM)
        finally:
            service.terminate()


@pytest.fixture
def full() -> Iterator[tuple[RealDaemon, SmallDisk]]:
    """A daemon on that podman."""
    with (
        tempfile.TemporaryDirectory(prefix="wsm-disk-") as place,
        small_podman(Path(place)) as (socket, disk),
        real_daemon(podman_socket=socket, fallback=False) as daemon,
    ):
        yield daemon, disk


def test_a_disk_that_is_full_and_then_not(full: tuple[RealDaemon, SmallDisk]) -> None:
    """What runs serves on; a new one is refused with podman's words and the mend; when there is space again the next
    calls are served, after `recover` where it was given up meanwhile."""
    daemon, disk = full
    with daemon.client() as client:
        assert output(client, "old", ONE) == 1
        # Not before the probes of the daemon's start have gone: what they give back would be room for a workspace.
        client.capabilities()
        disk.fill()
        assert output(client, "old", ONE) == 1
        error = refusal(client, "new", "never_started")
        assert "no space left on device" in error.detail
        assert error.detail.endswith("Free disk space for the containers' storage.")
        assert error.retryable
        wait_for(lambda: client.workspace("user:new").status == "ERROR", 40)
        # Which step fails last depends on what the tries before it gave back.
        assert "until somebody recovers it" in client.workspace("user:new").reason
        assert client.workspace("user:old").status == "RUNNING"
        client.stop("user:old")
        disk.free()
        client.recover("user:new", wait=20)
        assert output(client, "new", ONE) == 1
        wait_for(lambda: client.workspace("user:old").status == "STOPPED", 40)

        def served() -> bool:
            try:
                return bool(output(client, "old", ONE) == 1)
            except ApiError as error:
                if error.problem.model_extra and error.problem.model_extra.get("why") == "workspace_error":
                    client.recover("user:old")
                return False

        wait_for(served, 30)
        wait_for(lambda: not client.alerts().items, 15)
    assert list(audit(daemon.log.read_text().splitlines())) == []
