"""A real daemon on a real podman, with the fault proxy between them."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.podman_proxy import PodmanProxy
from tests.podman.daemon.rig import RealDaemon, real_daemon, run, wait_for
from tests.soak.logbook import audit
from wsmgr.client import ApiError, Client

CREATE = r"/containers/create"
START = r"/containers/[^/]+/start"


@dataclass(frozen=True)
class Proxied:
    """The daemon, and what stands between it and podman."""

    daemon: RealDaemon
    podman: PodmanProxy

    def made(self) -> tuple[int, int]:
        """How many creates and starts podman was asked for since the daemon's own probe of this host."""
        return self.podman.count("POST", CREATE), self.podman.count("POST", START)

    def is_calm(self) -> None:
        """The log has no defect in it, and says nothing over and over."""
        assert list(audit(self.daemon.log.read_text().splitlines())) == []


@contextmanager
def proxied_daemon(**settings: object) -> Iterator[Proxied]:
    """A started daemon that has proven what its host can do, on a podman service of the test's own."""
    with tempfile.TemporaryDirectory(prefix="wsm-up-") as place:
        upstream, path = Path(place) / "up.sock", Path(place) / "podman.sock"
        argv = ["podman", "system", "service", "--time=0", f"unix://{upstream}"]
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as service:
            try:
                wait_for(upstream.exists, 20, what=lambda: "podman's service to listen")
                with (
                    PodmanProxy(path, upstream) as proxy,
                    real_daemon(podman_socket=path, **settings) as daemon,
                    daemon.client() as client,
                ):
                    client.capabilities()
                    proxy.asked.clear()
                    yield Proxied(daemon, proxy)
            finally:
                service.terminate()


def refusal(client: Client, user: str, code: str, seconds: float = 60) -> ApiError:
    """What a call is refused with, which must be this code; other answers that are retryable are passed over."""

    def refused() -> ApiError | None:
        try:
            run(client, user, "export default () => 1")
        except ApiError as error:
            if error.code != code and not error.retryable:
                raise
            return error if error.code == code else None
        return None

    error = wait_for(refused, seconds, what=lambda: f"a refusal {code}")
    assert error is not None
    return error
