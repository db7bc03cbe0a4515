"""Executions that answer line by line: log entries as they are printed, emits, and at last the result."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.runtime.client import until
from tests.contract.runtime.conftest import StartRuntime
from tests.contract.runtime.subject import Line, Outcome, Runtime, failed

MANY = 2000


def result_of(lines: list[Line]) -> Outcome:
    """The last line, which must be the only result, and like the answer without a stream."""
    *before, last = lines
    assert all(set(line) in ({"log"}, {"emit"}) for line in before)
    assert set(last) == {"result"}
    result: Outcome = last["result"]
    assert set(result) == {"success", "output", "error", "logs", "logsTruncated", "durationMs"}
    return result


def emitted(lines: list[Line]) -> list[object]:
    """The values of the emits."""
    return [line["emit"] for line in lines if "emit" in line]


@pytest.mark.parametrize("case", ["generates", "generates-later", "emits"])
def test_emits_and_log_lines_come_in_order_and_then_the_result(shared: Runtime, case: str) -> None:
    """Each yield or emit is a line, each print too, in the order in which they happened; the result has all logs."""
    shared.install(case)
    lines = shared.stream(case, 3)
    result = result_of(lines)
    kinds = ["log", "emit", "emit", "emit", "log", "result"]
    assert [next(iter(line)) for line in lines] == kinds
    assert emitted(lines) == [{"i": 0}, {"i": 1}, {"i": 2}]
    assert result["output"] == "done"
    assert [line["log"] for line in lines if "log" in line] == result["logs"]
    assert [entry["message"] for entry in result["logs"]] == ["first", "last"]


@pytest.mark.parametrize("case", ["generates", "generates-later", "emits"])
def test_without_a_stream_emits_are_dropped(shared: Runtime, case: str) -> None:
    """The plain call of the same plugin has its output and its logs."""
    outcome = shared.run(case, 3)
    assert (outcome["success"], outcome["output"]) == (True, "done")
    assert [entry["message"] for entry in outcome["logs"]] == ["first", "last"]


def test_a_plugin_that_emits_nothing_streams_its_result_alone(shared: Runtime) -> None:
    """One line."""
    shared.install("says-nothing")
    lines = shared.stream("says-nothing")
    assert len(lines) == 1
    assert result_of(lines)["success"] is True


def test_lines_arrive_while_the_plugin_runs(shared: Runtime, folder: Path) -> None:
    """What was printed and emitted is there before the plugin can go on."""
    gate = folder / "gate"
    shared.install("emits-then-waits-for-file")
    connection = shared.connection()
    connection.send("POST", "/execute", shared.request("emits-then-waits-for-file", str(gate), stream=True))
    lines = connection.lines()
    assert next(lines)["log"]["message"] == "waiting"
    assert next(lines) == {"emit": "ready"}
    assert shared.health()["inflight"] == 1
    gate.touch()
    assert next(lines)["result"]["output"] == "found"
    assert list(lines) == []


def test_what_a_spinning_plugin_prints_arrives_too(shared: Runtime) -> None:
    """The log line of a plugin that lets nothing else run comes before its timeout does."""
    shared.install("spins")
    connection = shared.connection()
    connection.send("POST", "/execute", shared.request("spins", timeoutMs=600_000, executionId="spinner", stream=True))
    lines = connection.lines()
    assert next(lines)["log"]["message"] == "before"
    assert shared.call("POST", "/cancel", {"executionId": "spinner"}).body == {"cancelled": True}
    error = failed(next(lines)["result"], "Cancelled")
    assert error["message"]


def test_a_failure_half_way_is_the_result(shared: Runtime) -> None:
    """The emits before it have been told; the result says how it ended."""
    shared.install("emits-then-raises")
    lines = shared.stream("emits-then-raises")
    assert emitted(lines) == [1]
    assert "half-way" in failed(result_of(lines), "Exception")["message"]


@pytest.mark.parametrize("case", ["emits-endlessly", "emits-and-catches"])
@pytest.mark.parametrize("size", [0, 1000, 100_000])
def test_a_flood_of_emits_is_too_large(shared: Runtime, case: str, size: int) -> None:
    """Emits count against the cap of the output, tiny ones too, whatever the plugin does about it."""
    shared.install(case)
    lines = shared.stream(case, "x" * size, limits={"outputBytes": 200_000})
    failed(result_of(lines), "OutputTooLarge")
    assert sum(len(str(value)) + 2 for value in emitted(lines)) <= 200_000
    failed(shared.execute(case, "x" * size, limits={"outputBytes": 200_000}), "OutputTooLarge")


def test_emits_and_output_share_one_cap(shared: Runtime) -> None:
    """An output that would fit alone does not after emits that nearly used the cap up."""
    shared.install("generates")
    room = MANY * (len('{"i":1999}') + 16)
    assert result_of(shared.stream("generates", MANY, limits={"outputBytes": room}))["output"] == "done"
    tight = sum(len(f'{{"i":{i}}}') for i in range(MANY)) + 3
    failed(result_of(shared.stream("generates", MANY, limits={"outputBytes": tight})), "OutputTooLarge")


def test_what_json_does_not_have_cannot_be_emitted(shared: Runtime) -> None:
    """An emit of a function is the plugin's failure."""
    shared.install("emits-what-is-no-json")
    lines = shared.stream("emits-what-is-no-json")
    failed(result_of(lines), "OutputInvalid")


def test_logs_of_a_stream_are_capped(shared: Runtime) -> None:
    """A flood of prints ends at the cap, and the result says so."""
    shared.install("prints-many-lines")
    lines = shared.stream("prints-many-lines", limits={"logBytes": 5000})
    result = result_of(lines)
    assert result["logsTruncated"] is True
    assert [line["log"] for line in lines[:-1]] == result["logs"]


def test_an_emit_after_the_end_belongs_to_nobody(shared: Runtime) -> None:
    """The `emit` of an earlier call does nothing in a later one."""
    shared.install("emits-after-its-end")
    for _ in range(3):
        assert [set(line) for line in shared.stream("emits-after-its-end")] == [{"result"}]


def test_a_reader_that_does_not_read_holds_the_plugin_up(start: StartRuntime) -> None:
    """Neither its memory nor the runtime's grows: the plugin waits, and its time runs out."""
    cap = 64 * 1024 * 1024
    runtime = start(WSMGR_OUTPUT_BYTES=str(cap))
    runtime.install("emits-endlessly")
    runtime.stream("emits-endlessly", "x" * 1000, limits={"outputBytes": 100_000})
    before = runtime.resident_mb()
    connection = runtime.connection()
    asked = runtime.request("emits-endlessly", "x" * 1000, timeoutMs=1500, stream=True)
    connection.send("POST", "/execute", asked)
    until(lambda: runtime.health()["inflight"] == 1)
    runtime.idle()
    lines = list(connection.lines())
    failed(result_of(lines), "Timeout")
    assert len(lines) * 1000 < cap / 4
    assert runtime.resident_mb() < before + 32


def test_a_closed_connection_cancels_a_stream(shared: Runtime, folder: Path) -> None:
    """A reader that goes away ends the execution."""
    shared.install("emits-then-waits-for-file")
    connection = shared.connection()
    asked = shared.request("emits-then-waits-for-file", str(folder / "never"), stream=True, timeoutMs=600_000)
    connection.send("POST", "/execute", asked)
    next(connection.lines())
    connection.close()
    shared.idle()


def test_refusals_before_the_start_keep_their_form(shared: Runtime) -> None:
    """An unknown version is 409 and a `stream` that is no boolean 400, both as plain JSON."""
    unknown = shared.call("POST", "/execute", shared.request("not-there", stream=True))
    assert (unknown.status, unknown.error["type"]) == (409, "unknown_version")
    shared.install("echo")
    wrong = shared.call("POST", "/execute", shared.request("echo", stream="yes"))
    assert (wrong.status, wrong.error["type"]) == (400, "bad_request")
