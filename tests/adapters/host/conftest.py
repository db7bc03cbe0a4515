"""Processes of the test's own, and what a sweep is asked of them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from wsmgr.core.workspace import Endpoint
from wsmgr.ports.meter import Question

Start = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Runs Python code in a process, which is ended with all its children; its standard output and input are pipes."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield begin
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with process:
            process.wait(10)


def question(pid: int, instance: str = "", *, tree: bool = True) -> Question:
    """About a process."""
    return Question(Endpoint(pid, "/run/wsmgr/api.sock", os.getuid(), instance or f"box@{pid}"), tree)
