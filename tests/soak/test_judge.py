"""The judge finds every kind of wrong there is, and nothing wrong with what is right."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.soak import judge
from tests.soak.acts import Call, How, Place
from tests.soak.ledger import Told
from wsmgr.wire.execute import ExecuteResponse, ExecutionError
from wsmgr.wire.execution import Execution

CALL = Call(Place("ann"), How.OK, "probe", ms=0, named=True, twice=False, pause_s=0.0)
ECHO = "x/user:ann"


def told(call: Call = CALL, *answers: ExecuteResponse, refusals: tuple[str, ...] = (), silences: int = 0) -> Told:
    """What was heard of the execution x."""
    heard = Told("x", call)
    for code in refusals:
        heard.refused(code)
    for _ in range(silences):
        heard.unheard()
    for answer in answers:
        heard.answered(answer)
    return heard


def answer(error: str | None = None, nonce: str = "n", echo: str = ECHO) -> ExecuteResponse:
    """One answer."""
    return ExecuteResponse(
        execution_id="x", success=error is None, logs=[], duration_ms=1, queue_ms=0, start_ms=0, cold_start=False,
        isolation="container", degraded=False, plugin_version="v",
        output=None if error else {"echo": echo, "nonce": nonce, "boot": "b"},
        error=ExecutionError(type=error, message="no") if error else None,
    )  # fmt: skip


def record(state: str = "succeeded", error: str | None = None, nonce: str = "n") -> Execution:
    """One record."""
    return Execution.model_validate({
        "id": "x", "workspace": "user:ann", "plugin": "probe", "version": "v", "state": state, "isolation": "container",
        "degraded": False, "cold_start": False, "created_at": datetime.now(UTC), "queue_ms": 0, "start_ms": 0,
        "output": {"nonce": nonce} if state == "succeeded" else None,
        "error": {"type": error, "message": "no"} if error else None,
    })  # fmt: skip


@pytest.mark.parametrize(("heard", "kept", "runs"), [
    (told(CALL, answer()), record(), 1),
    (told(CALL, answer(), answer(), silences=2), record(), 1),
    (told(CALL, answer("Crash")), record("failed", "Crash"), 1),
    (told(CALL, answer("Crash")), record("failed", "Crash"), 0),
    (told(CALL, answer("Lost")), record("lost"), 1),
    (told(CALL, answer("Lost"), silences=1), record("lost"), 0),
    (told(CALL, refusals=("never_started", "shutting_down")), None, 0),
    (told(CALL, refusals=("store_unavailable",)), record(), 1),
    (told(CALL, silences=1), record("lost"), 1),
    (told(CALL, silences=1), None, 0),
    (told(CALL, silences=1, refusals=("shutting_down",)), record(), 1),
])  # fmt: skip
def test_what_is_right(heard: Told, kept: Execution | None, runs: int) -> None:
    """Every way to an honest end."""
    assert judge.of_record(heard, kept, runs, watched=False) == []


@pytest.mark.parametrize(("heard", "kept", "runs", "wrong"), [
    (told(CALL, answer()), record(), 2, "ran 2 times"),
    (told(CALL, answer()), record(), 0, "no run of it was seen"),
    (told(CALL, answer()), None, 1, "ran and has no record"),
    (told(CALL, answer()), None, 0, "was answered and has no record"),
    (told(CALL, answer(), answer(nonce="m")), record(nonce="m"), 1, "answered in different ways"),
    (told(CALL, answer(), answer("Lost")), record("lost"), 1, "answered in different ways"),
    (told(CALL, answer()), record(nonce="m"), 1, "is recorded as success m"),
    (told(CALL, answer("Crash")), record("failed", "Timeout"), 1, "is recorded as failure Timeout"),
    (told(CALL, answer("Lost")), record(), 1, "is recorded as success n"),
    (told(CALL, silences=1), record("running"), 1, "still said to be running"),
    (told(CALL, refusals=("never_started",)), record("lost"), 0, "it did not run"),
    (told(CALL, refusals=("never_started",)), record("succeeded"), 1, "the caller was told that it did not"),
    (told(CALL, refusals=("quota_exceeded",)), None, 1, "ran and has no record"),
    (told(CALL, answer("LoadError")), record("failed", "LoadError"), 1, "could not be loaded"),
])  # fmt: skip
def test_what_is_wrong(heard: Told, kept: Execution | None, runs: int, wrong: str) -> None:
    """Each in one sentence that names the execution."""
    found = judge.of_record(heard, kept, runs, watched=True)
    assert any(wrong in sentence for sentence in found), found
    assert all(sentence.startswith("The execution x (probe, ok, user:ann) ") for sentence in found)


@pytest.mark.parametrize(("how", "error", "fine"), [
    (How.OK, None, True),
    (How.OK, "Crash", True),
    (How.OK, "Exception", False),
    (How.OK, "LoadError", False),
    (How.THROW, "Exception", True),
    (How.THROW, None, False),
    (How.BIG, "OutputTooLarge", True),
    (How.BIG, "OutOfMemory", True),
    (How.MEMORY, "OutOfMemory", True),
    (How.UNLOADABLE, "LoadError", True),
    (How.SPIN, "Exit", False),
])  # fmt: skip
def test_an_answer_by_itself(how: How, error: str | None, fine: bool) -> None:
    """It ends as it was asked to, or in a way that something being broken explains."""
    heard = told(replace(CALL, how=how))
    assert (judge.of_answer(heard, answer(error)) == []) is fine


def test_an_answer_of_another_call_and_a_refusal_that_must_not_be() -> None:
    """A mixed-up output, and an error of the daemon's own."""
    assert "another call" in judge.of_answer(told(), answer(echo="y/user:ben"))[0]
    assert judge.of_refusal(told(), "never_started", "It is away.") == []
    assert "internal" in judge.of_refusal(told(), "internal", "A defect.")[0]
