"""Executions at the same time: they do not disturb each other, and health answers throughout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.runtime.client import until
from tests.contract.runtime.conftest import StartRuntime
from tests.contract.runtime.subject import Runtime, failed


def test_health_answers_while_plugins_spin(start: StartRuntime) -> None:
    """With every slot spinning, health still answers and counts them."""
    runtime = start(WSMGR_CONCURRENCY="2")
    runtime.install("spins", "echo")
    spinning = [runtime.begin("spins", timeoutMs=800) for number in range(2)]
    health = runtime.health()
    assert (health["status"], health["inflight"]) == ("healthy", 2)
    assert health["uptime"] > 0
    assert health["runtimeVersion"]
    for connection in spinning:
        failed(connection.answer().body, "Timeout")
    assert runtime.health()["inflight"] == 0
    assert runtime.health()["executions"] == 2


@pytest.mark.parametrize("case", ["spins", "grows-bytes", "grows-heap"])
def test_other_plugins_go_on(start: StartRuntime, case: str) -> None:
    """While one plugin spins or eats memory, another plugin's calls succeed, each of them."""
    runtime = start(WSMGR_MEMORY_MB="192")
    runtime.install("echo", case)
    bad = runtime.begin(case, timeoutMs=800 if case == "spins" else 20_000)
    for number in range(50):
        assert runtime.execute("echo", number)["output"]["input"] == number
    failed(bad.answer().body, "Timeout" if case == "spins" else "OutOfMemory")


def test_calls_over_the_limit_wait_in_order(start: StartRuntime, folder: Path) -> None:
    """One slot: the others wait, in the order they came, and all are answered."""
    runtime = start(WSMGR_CONCURRENCY="1")
    runtime.install("waits-for-file", "counts")
    gate = folder / "gate"
    first = runtime.begin("waits-for-file", str(gate))
    waiting = [runtime.begin("counts") for _ in range(5)]
    assert runtime.health()["inflight"] == 6
    gate.touch()
    assert first.answer().body["output"] == "one"
    assert [connection.answer().body["output"] for connection in waiting] == [1, 2, 3, 4, 5]


def test_slow_calls_of_one_plugin_run_side_by_side(start: StartRuntime, folder: Path) -> None:
    """Four calls that each wait for the same sign are all under way before it is given."""
    runtime = start(WSMGR_CONCURRENCY="4")
    runtime.install("spins-until-file")
    gate = folder / "gate"
    waiting = [runtime.begin("spins-until-file", str(gate)) for _ in range(4)]
    until(lambda: runtime.health()["threads"] >= 4)
    gate.touch()
    assert [connection.answer().body["output"] for connection in waiting] == ["found"] * 4


def test_two_hundred_calls_at_once_are_all_answered(runtime: Runtime) -> None:
    """200 connections ask at the same time; each gets its own answer."""
    runtime.install("echo", "echo-later")
    asked = []
    for number in range(200):
        connection = runtime.connection()
        connection.send("POST", "/execute", runtime.request("echo-later" if number % 2 else "echo", number))
        asked.append((number, connection))
    for number, connection in asked:
        output = connection.answer().body["output"]
        assert (output if number % 2 else output["input"]) == number


def test_an_execution_can_be_cancelled(shared: Runtime) -> None:
    """Cancel ends a running execution with Cancelled; cancelling it again finds nothing."""
    shared.install("spins")
    running = shared.begin("spins", executionId="stop-me")
    assert shared.call("POST", "/cancel", {"executionId": "stop-me"}).body == {"cancelled": True}
    failed(running.answer().body, "Cancelled")
    assert shared.call("POST", "/cancel", {"executionId": "stop-me"}).body == {"cancelled": False}


def test_a_waiting_execution_can_be_cancelled(start: StartRuntime) -> None:
    """Cancel takes an execution out of the queue without touching the one that runs."""
    runtime = start(WSMGR_CONCURRENCY="1")
    runtime.install("spins", "echo")
    running = runtime.begin("spins", timeoutMs=500)
    waiting = runtime.begin("echo", executionId="wait")
    assert runtime.call("POST", "/cancel", {"executionId": "wait"}).body == {"cancelled": True}
    failed(waiting.answer().body, "Cancelled")
    failed(running.answer().body, "Timeout")


def test_a_vanished_caller_cancels_its_execution(runtime: Runtime) -> None:
    """When the connection closes before the answer, the execution is ended and its slot is free."""
    runtime.install("spins")
    running = runtime.begin("spins", timeoutMs=600_000)
    running.close()
    runtime.idle()
    assert runtime.health()["executions"] == 1


def test_an_id_under_way_is_not_taken_twice(shared: Runtime) -> None:
    """The same executionId while the first still runs is refused."""
    shared.install("spins", "echo")
    first = shared.begin("spins", executionId="same")
    answer = shared.call("POST", "/execute", shared.request("echo", executionId="same"))
    first.close()
    assert (answer.status, answer.error["type"]) == (400, "duplicate_execution")
