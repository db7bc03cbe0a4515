"""The real program on a terminal, against a real daemon with real workspaces (as workers: no image is needed)."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.podman.daemon.rig import RealDaemon, output, wait_for
from tests.tui.terminal import Terminal

CODE = "export default (input) => ({got: input})"
TOLD_S = 15.0
"""It takes three seconds where the machine has nothing else to do."""


@pytest.fixture
def daemon() -> Iterator[RealDaemon]:
    """With three workspaces, of which one was stopped."""
    with tempfile.TemporaryDirectory(prefix="wsm-") as place:
        one = RealDaemon(Path(place), isolation="worker")
        one.start()
        try:
            with one.client() as client:
                for user in ("alice", "bob", "carol"):
                    output(client, user, CODE, {"n": 1})
                client.stop("user:carol", wait=20)
            yield one
        finally:
            one.stop()


def _terminal(daemon: RealDaemon, *options: str, size: tuple[int, int] = (100, 30)) -> Terminal:
    return Terminal(["tui", *options], {**daemon.environment, "HOME": str(daemon.place)}, size)


def test_an_operator_looks_stops_and_loses_the_daemon(daemon: RealDaemon) -> None:
    """Rows, a filter, a workspace's record, a stop after a question; then the daemon is killed, and comes back."""
    with _terminal(daemon) as terminal:
        terminal.until(lambda text: all(name in text for name in ("user:alice", "user:bob", "● live")))
        terminal.until(lambda text: "○ STOPPED" in text)
        terminal.press("/alice\r")
        terminal.until(lambda text: "user:bob" not in text and "1 of 3 workspaces" in text)
        terminal.press("\r")
        terminal.until(lambda text: "Overview" in text and "Executions" in text)
        terminal.press("e")
        terminal.until(lambda text: "✔ succeeded" in text)
        terminal.press("\r")
        terminal.until(lambda text: '"got"' in text and "OUTPUT" in text)
        terminal.press("q")
        terminal.until(lambda text: "OUTPUT" not in text)
        terminal.press("v")
        terminal.until(lambda text: "workspace." in text)
        terminal.press("q")
        terminal.until(lambda text: "1 of 3 workspaces" in text)
        terminal.press("X")
        terminal.until(lambda text: "Stop user:alice?" in text)
        terminal.press("y")
        terminal.until(lambda text: "user:alice" in text and "○ STOPPED" in text)
        daemon.kill()
        terminal.until(lambda text: "actions are off" in text and "old" in text, TOLD_S)
        assert "wsmgr serve" in terminal.text
        assert "user:alice" in terminal.text
        daemon.start()
        terminal.until(lambda text: "● live" in text and "actions are off" not in text)
        assert "1 of 3 workspaces" in terminal.text
        terminal.press("q")
        assert terminal.ended() == 0


def test_a_daemon_that_hangs_is_told(daemon: RealDaemon) -> None:
    """SIGSTOP: the socket is there, and nobody answers. After SIGCONT all goes on."""
    with _terminal(daemon, "--read-only") as terminal:
        terminal.until(lambda text: "● live" in text and "READ-ONLY" in text)
        os.kill(daemon.pid, signal.SIGSTOP)
        try:
            terminal.until(lambda text: "DAEMON HANGS" in text, TOLD_S)
        finally:
            os.kill(daemon.pid, signal.SIGCONT)
        terminal.until(lambda text: "● live" in text and "DAEMON HANGS" not in text)


def test_a_filter_of_the_last_run_is_remembered(daemon: RealDaemon) -> None:
    """In the operator's own state directory."""
    with _terminal(daemon) as terminal:
        terminal.until(lambda text: "user:bob" in text)
        terminal.press("/bob\r")
        terminal.until(lambda text: "1 of 3 workspaces" in text)
        terminal.press("q")
        assert terminal.ended() == 0
    with _terminal(daemon) as terminal:
        terminal.until(lambda text: "1 of 3 workspaces" in text)


def test_top_prints_one_plain_frame(daemon: RealDaemon) -> None:
    """For pipes: no escape sequence, and an end."""
    seen = daemon.cli("top", "--sort", "id")
    assert seen.returncode == 0, seen.stderr
    assert "\x1b" not in seen.stdout
    lines = seen.stdout.splitlines()
    assert "3 workspaces" in lines[0]
    assert [line.split()[0] for line in lines if line.startswith("user:")] == ["user:alice", "user:bob", "user:carol"]
    assert daemon.cli("top", "--filter", "status:stopped").stdout.count("user:") == 1
    daemon.kill()
    gone = daemon.cli("top")
    assert gone.returncode == 1
    assert "wsmgr serve" in gone.stderr
    daemon.start()


def test_the_record_of_usage_reaches_the_graphs(daemon: RealDaemon) -> None:
    """After some sweeps of the sampler there is a line to draw."""
    with _terminal(daemon, size=(120, 40)) as terminal:
        terminal.until(lambda text: "user:alice" in text and "M/" in text, 60)
        terminal.press("\r")
        terminal.until(lambda text: "Overview" in text and "[1h]" in text)
        terminal.press("1")
        terminal.until(lambda text: "[15m]" in text and "━ mean" in text, 60)
        wait_for(lambda: terminal.read(0.2) >= 0 and any("⠀" < mark <= "⣿" for mark in terminal.text), 30)
