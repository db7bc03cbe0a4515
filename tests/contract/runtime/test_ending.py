"""Draining and stopping."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.contract.runtime.client import until
from tests.contract.runtime.conftest import StartRuntime
from tests.contract.runtime.subject import Runtime, failed


def test_drain_finishes_what_runs_and_refuses_the_rest(runtime: Runtime, folder: Path) -> None:
    """Drain answers when the last execution has ended; meanwhile new ones get 503 and health says draining."""
    gate = folder / "gate"
    runtime.install("waits-for-file", "echo")
    running = runtime.begin("waits-for-file", str(gate))
    draining = runtime.connection()
    draining.send("POST", "/drain")
    until(lambda: runtime.health()["status"] == "draining")
    answer = runtime.call("POST", "/execute", runtime.request("echo"))
    assert (answer.status, answer.error["type"]) == (503, "draining")
    gate.touch()
    assert running.answer().body["output"] == "one"
    assert draining.answer().body == {"drained": True}


def test_drain_of_an_idle_runtime_answers_at_once(runtime: Runtime) -> None:
    """Nothing under way: drained."""
    assert runtime.call("POST", "/drain").body == {"drained": True}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_runtime(runtime: Runtime, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end it with exit code 0, and the socket is gone."""
    runtime.install("echo")
    runtime.process.signal(number)
    assert runtime.process.wait() == 0
    assert runtime.address.path is not None
    assert not Path(runtime.address.path).exists()


def test_a_signal_lets_running_calls_finish(runtime: Runtime, folder: Path) -> None:
    """What runs when SIGTERM comes still gets its answer."""
    gate = folder / "gate"
    runtime.install("waits-for-file")
    running = runtime.begin("waits-for-file", str(gate))
    runtime.process.signal(signal.SIGTERM)
    gate.touch()
    assert running.answer().body["output"] == "one"
    assert runtime.process.wait() == 0


def test_a_second_signal_ends_at_once(runtime: Runtime) -> None:
    """With a spinning plugin the first SIGTERM drains, the second does not wait."""
    runtime.install("spins")
    runtime.begin("spins", timeoutMs=600_000)
    runtime.process.signal(signal.SIGTERM)
    refused = until(lambda: _refuses_connections(runtime))
    assert refused
    runtime.process.signal(signal.SIGTERM)
    assert runtime.process.wait(4) == 0


def test_draining_on_a_signal_is_bounded(start: StartRuntime) -> None:
    """A plugin that never ends cannot hold up SIGTERM for more than a few seconds."""
    runtime = start()
    runtime.install("spins")
    spinning = runtime.begin("spins", timeoutMs=600_000)
    runtime.process.signal(signal.SIGTERM)
    failed(spinning.answer().body, "Cancelled")
    assert runtime.process.wait(15) == 0


def _refuses_connections(runtime: Runtime) -> bool:
    try:
        runtime.address.connect().close()
    except OSError:
        return True
    return False
