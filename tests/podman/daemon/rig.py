"""A real daemon as its users have it: a process of its own, its API, real rootless containers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from wsmgr.bootstrap.offline import build_image
from wsmgr.client import ApiError, Client
from wsmgr.core.runtime import Runtime
from wsmgr.settings import Settings
from wsmgr.wire.execute import ExecuteResponse, InlinePlugin

T = TypeVar("T")
TREE = Path(__file__).resolve().parents[3]
IMAGE = "localhost/wsmgr-node:latest"
PYTHON_IMAGE = "localhost/wsmgr-python:latest"


class RealDaemon:
    """One daemon on one state directory; it can be killed and started again."""

    def __init__(self, place: Path, **settings: object) -> None:
        self.place = place
        self.state = place / "state"
        self.socket = place / "run" / "api.sock"
        self.podman_socket = self.socket.with_name("podman.sock")
        self.log = place / "daemon.log"
        self._settings = {name.upper(): str(value) for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What the daemon and the CLI get."""
        return {
            **os.environ,
            "PYTHONPATH": str(TREE),
            "WSMGR_CONFIG": str(self.place / "none.yaml"),
            "WSMGR_STATE_DIR": str(self.state),
            "WSMGR_SOCKET": str(self.socket),
            "WSMGR_IMAGE": IMAGE,
            "WSMGR_PYTHON_IMAGE": PYTHON_IMAGE,
            "WSMGR_RESYNC_S": "2",
            **{f"WSMGR_{name}": value for name, value in self._settings.items()},
        }

    @property
    def pid(self) -> int:
        """The daemon's process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> RealDaemon:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "wsmgr.cli", "serve"],
                cwd=TREE, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        wait_for(self._answers, 60, what=lambda: f"the daemon to answer; its log ends: {self.tail()}")
        return self

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)

    def send(self, number: int) -> None:
        """Send it a signal, and wait for nothing."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 60) -> int:
        """End it with a signal; its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(timeout_s)

    def client(self) -> Client:
        """A client of it; close it."""
        return Client(self.socket)

    def cli(self, *arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a `wsmgr` command against it."""
        return subprocess.run(
            [sys.executable, "-m", "wsmgr.cli", *arguments],
            cwd=TREE, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout_s, check=False,
        )  # fmt: skip

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]

    def containers(self) -> list[dict[str, Any]]:
        """This daemon's containers, as podman lists them."""
        with suppress(FileNotFoundError):
            instance = (self.state / "instance").read_text().strip()
            listed = podman("ps", "-a", "--filter", f"label=wsmgr.instance={instance}", "--format", "json")
            return list(json.loads(listed or "[]"))
        return []

    def container(self, workspace: str) -> dict[str, Any]:
        """The one container of a workspace."""
        found = [one for one in self.containers() if one["Labels"]["wsmgr.workspace"] == workspace]
        assert len(found) == 1, f"{workspace} has {len(found)} containers"
        return found[0]

    def main_pid(self, workspace: str) -> int:
        """The pid, on the host, of a workspace's first process."""
        return int(podman("inspect", "--format", "{{.State.Pid}}", self.container(workspace)["Id"]))

    def runtime_pid(self, workspace: str) -> int:
        """The pid, on the host, of the runtime behind the init of a workspace."""
        init = self.main_pid(workspace)
        children = Path(f"/proc/{init}/task/{init}/children").read_text().split()
        assert len(children) == 1, children
        return int(children[0])

    def service_pid(self) -> int:
        """The pid of the podman service that this daemon started."""
        return int(json.loads(self.podman_socket.with_name("podman.sock.pid").read_text())["pid"])

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the daemon ended: {self.tail()}"
        # Not by the client: httpcore leaves the socket of a failed connect to the garbage collector, which warns.
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(self.socket))
            except OSError:
                return False
        with self.client() as client:
            return client.health().status != "stopping"


@contextmanager
def real_daemon(**settings: object) -> Iterator[RealDaemon]:
    """A started daemon; at the end it and all that it made are gone."""
    refuse_root()
    ensure_image()
    # Not pytest's tmp_path: a unix socket's path has 107 bytes at the most.
    with tempfile.TemporaryDirectory(prefix="wsm-") as place:
        daemon = RealDaemon(Path(place), **settings)
        try:
            yield daemon.start()
        finally:
            daemon.stop()
            for one in daemon.containers():
                podman("rm", "-f", "-t", "0", one["Id"])
            with suppress(FileNotFoundError, ProcessLookupError):
                os.kill(daemon.service_pid(), signal.SIGTERM)


_image_checked: list[bool] = []


def ensure_image() -> None:
    """Build the image if it is not there or not of this tree; once in a test run."""
    if not _image_checked:
        settings = Settings(image=IMAGE, python_image=PYTHON_IMAGE)
        for runtime in Runtime:
            build_image(settings, runtime=runtime, progress=lambda _: None)
        _image_checked.append(True)


def refuse_root() -> None:
    """These tests are about rootless podman: as root they would prove nothing."""
    assert os.getuid() != 0, "the podman tier runs as an unprivileged user: use `make test`, which arranges that"
    assert shutil.which("podman"), "podman is not installed: use `make test`, which installs it"


def podman(*arguments: str) -> str:
    """Run podman."""
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.strip()


def wait_for(true: Callable[[], T], seconds: float, what: Callable[[], str] = lambda: "it") -> T:
    """Poll until `true()` is truthy."""
    until = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        assert time.monotonic() < until, f"waited {seconds:.0f} s for {what()}"
        time.sleep(0.02)


def inline(code: str, slug: str = "probe") -> InlinePlugin:
    """Code that comes with the call."""
    return InlinePlugin.model_validate({"slug": slug, "language": "javascript", "code": code})


def run(client: Client, user: str, code: str, input: object = None, **more: Any) -> ExecuteResponse:  # noqa: A002
    """Run inline code for a user."""
    return client.execute(user, inline(code, more.pop("slug", "probe")), input, **more)


def output(client: Client, user: str, code: str, input: object = None, **more: Any) -> Any:  # noqa: A002
    """The output of inline code; fails when it has none."""
    answer = run(client, user, code, input, **more)
    assert answer.success, answer.error
    return answer.output


def failure(client: Client, user: str, code: str, **more: Any) -> str:
    """The error type of inline code that must fail."""
    answer = run(client, user, code, **more)
    assert not answer.success, answer.output
    assert answer.error is not None
    return answer.error.type


__all__ = ["ApiError", "RealDaemon", "failure", "inline", "output", "podman", "real_daemon", "run", "wait_for"]


def unrestricted_plans(folder: Path) -> Path:
    """Plans under which neither validation nor a runtime's own restrictions stand before what the container denies."""
    plans = folder / "plans.yaml"
    named = "".join(f"  {name}:\n    unrestrictedRuntime: true\n" for name in ("FREE", "PRO"))
    plans.write_text(f"plans:\n{named}noPlan:\n  unrestrictedRuntime: true\n")
    return plans
