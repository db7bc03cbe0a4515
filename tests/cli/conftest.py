"""A command line with a fake daemon at its one end and a fake bootstrap at the other."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fake_backend import FakeBackend
from tests.client.fake_daemon import FakeDaemon
from wsmgr.cli.run import run
from wsmgr.cli.wiring import Wiring


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document."""
        return json.loads(self.out)


@dataclass
class CommandLine:
    """Runs commands in this process."""

    wiring: Wiring
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def __call__(self, *arguments: str | Path, stdin: str = "") -> Result:
        self.patch.setattr(sys, "stdin", io.StringIO(stdin))
        self.capture.readouterr()
        code = run([str(argument) for argument in arguments], self.wiring)
        seen = self.capture.readouterr()
        return Result(code, seen.out, seen.err)


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's own wsmgr is seen."""
    for name in ("WSMGR_SOCKET", "WSMGR_URL", "WSMGR_TOKEN", "PLUGIN_ISOLATION", "WORKSPACE_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WSMGR_CONFIG", str(tmp_path / "none.yaml"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    """A daemon with canned answers."""
    with FakeDaemon(tmp_path / "api.sock") as fake:
        yield fake


@pytest.fixture
def backend() -> FakeBackend:
    """What stands in for the daemon's own code."""
    return FakeBackend()


@pytest.fixture
def cli(
    daemon: FakeDaemon, backend: FakeBackend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> CommandLine:
    """A command line that finds the fake daemon."""
    return CommandLine(Wiring(backend=lambda: backend, socket=daemon.path), capsys, monkeypatch)


@pytest.fixture
def alone(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> CommandLine:
    """A command line on a machine where no daemon runs."""
    return CommandLine(Wiring(backend=lambda: backend, socket=tmp_path / "gone.sock"), capsys, monkeypatch)


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    """A plugin on disk."""
    path = tmp_path / "hello.js"
    path.write_text("module.exports = (input) => input\n")
    return path
