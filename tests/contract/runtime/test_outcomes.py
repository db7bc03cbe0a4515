"""How executions end: results, each type of failure, and what was printed."""

from __future__ import annotations

import json

import pytest

from tests.contract.runtime.conftest import StartRuntime
from tests.contract.runtime.subject import Runtime, failed

_LEVELS = [
    ("error", "bad"),
    ("warn", "hm"),
    ("info", "fyi"),
    ("debug", "dbg"),
    ("stdout", "raw"),
    ("stderr", "raw too"),
]
PRINTED = {
    "javascript": [("log", "hello world 42 { a: 1 }"), *_LEVELS],
    "python": [("stdout", "hello world 42 {'a': 1}"), *_LEVELS],
}


def test_a_result_comes_back_as_it_was(shared: Runtime) -> None:
    """Input and context reach the plugin, the execution's id is added, and the result is the output."""
    value = {"text": "naïve ☃ 𝄞", "list": [1, 2.5, None, True], "deep": {"a": {"b": []}}}
    outcome = shared.run("echo", value, context={"userId": "alice"}, executionId="exec-1")
    assert outcome["success"] is True
    assert outcome["error"] is None
    assert outcome["output"]["context"].pop("deadline") > 0
    given: dict[str, object] = {"config": {}, "secrets": {}}
    assert outcome["output"] == {"input": value, "context": {"userId": "alice", "executionId": "exec-1", **given}}
    assert outcome["logs"] == []
    assert outcome["logsTruncated"] is False
    assert 0 <= outcome["durationMs"] < 20_000


@pytest.mark.parametrize("value", [None, 0, False, "", [], {}, '\u2028\\"\n', 1e300])
def test_any_json_value_survives_an_async_plugin(shared: Runtime, value: object) -> None:
    """An awaited result equals the input it was made of."""
    assert shared.run("echo-later", value)["output"] == value


def test_no_result_is_null(shared: Runtime) -> None:
    """A plugin that returns nothing succeeds with null."""
    outcome = shared.run("says-nothing")
    assert (outcome["success"], outcome["output"]) == (True, None)


def test_a_thrown_error_is_an_exception_with_a_place(shared: Runtime) -> None:
    """The message carries the error's type, the stack shows the plugin's own frames only."""
    error = failed(shared.run("raises", {}), "Exception")
    assert error["message"].startswith(f"{error['name']}: ")
    assert "plugin:raises/" in error["stack"]
    assert len(error["stack"]) <= 4096
    assert "/opt/" not in error["stack"]
    assert "containerfiles" not in error["stack"]


def test_a_late_error_is_an_exception_too(shared: Runtime) -> None:
    """An async plugin that fails after its first await ends like one that fails at once."""
    error = failed(shared.run("raises-later"), "Exception")
    assert error["message"] == "TypeError: too late"


def test_endless_recursion_is_an_exception(shared: Runtime) -> None:
    """The stack's end is an error of the plugin, not of the shared, and the next call is served."""
    error = failed(shared.run("recurses", 0), "Exception")
    assert error["name"] in {"RangeError", "RecursionError"}
    assert shared.run("echo", 1)["success"] is True


@pytest.mark.parametrize("case", ["spins", "spins-later", "never-answers"])
def test_what_does_not_end_times_out(shared: Runtime, case: str) -> None:
    """A spinning, an endlessly awaiting and a silent plugin all end with Timeout at their own deadline."""
    outcome = shared.run(case, timeoutMs=150)
    failed(outcome, "Timeout")
    assert 150 <= outcome["durationMs"] < 5000


def test_prints_before_a_timeout_are_kept(shared: Runtime) -> None:
    """Logs outlive the thread that was killed."""
    logs = shared.run("spins", timeoutMs=100)["logs"]
    assert [entry["message"] for entry in logs] == ["before"]


def test_leaving_the_process_is_an_exit(shared: Runtime) -> None:
    """A plugin that exits ends itself only: the outcome names the code, logs are kept, the runtime goes on."""
    outcome = shared.run("exits")
    assert "3" in failed(outcome, "Exit")["message"]
    assert [entry["message"] for entry in outcome["logs"]] == ["bye"]
    assert shared.health()["status"] == "healthy"
    failed(shared.execute("exits"), "Exit")


@pytest.mark.parametrize("case", ["grows-heap", "grows-one-list", "grows-one-map", "grows-one-text", "grows-bytes"])
def test_eating_memory_is_out_of_memory(start: StartRuntime, case: str) -> None:
    """Whatever a plugin allocates without end, it is stopped, the process lives and serves the next call."""
    runtime = start(WSMGR_MEMORY_MB="160")
    failed(runtime.run(case), "OutOfMemory")
    assert runtime.run("echo", 1)["success"] is True


def test_a_result_over_the_cap_is_an_error(start: StartRuntime) -> None:
    """5 MB with a cap of 1 MB is OutputTooLarge, with a cap of 8 MB it arrives whole."""
    runtime = start(WSMGR_OUTPUT_BYTES=str(1024 * 1024))
    runtime.install("returns-bytes")
    size = 5 * 1024 * 1024
    error = failed(runtime.execute("returns-bytes", size), "OutputTooLarge")
    assert str(1024 * 1024) in error["message"]
    wide = runtime.execute("returns-bytes", size, limits={"outputBytes": 8 * 1024 * 1024})
    assert wide["output"] == "x" * size


def test_the_output_cap_is_exact(shared: Runtime) -> None:
    """The cap counts the bytes of the JSON text: two quotes and the characters."""
    shared.install("returns-bytes")
    limits = {"outputBytes": 100}
    assert shared.execute("returns-bytes", 98, limits=limits)["success"] is True
    failed(shared.execute("returns-bytes", 99, limits=limits), "OutputTooLarge")


@pytest.mark.parametrize("case", ["returns-cycle", "refuses-to-serialize"])
def test_a_result_that_is_not_json_is_invalid(shared: Runtime, case: str) -> None:
    """A result that cannot be written as JSON is OutputInvalid, with the reason."""
    failed(shared.run(case), "OutputInvalid")


def test_prints_are_kept_with_their_level(shared: Runtime) -> None:
    """Formatted prints and raw writes to both streams appear in order, timed from the execution's start."""
    outcome = shared.run("prints")
    found = [(entry["level"], entry["message"]) for entry in outcome["logs"]]
    assert found == PRINTED[shared.language]
    times = [entry["t"] for entry in outcome["logs"]]
    assert times == sorted(times)
    assert times[0] >= 0


def test_each_execution_has_its_own_logs(shared: Runtime) -> None:
    """What one call printed does not show in the next."""
    shared.install("prints-input")
    for word in ("one", "two", "three"):
        assert [entry["message"] for entry in shared.execute("prints-input", word)["logs"]] == [word]


@pytest.mark.parametrize("case", ["prints-a-lot", "prints-many-lines"])
def test_a_flood_of_prints_is_capped(runtime: Runtime, case: str) -> None:
    """50 MB printed cost neither memory nor real output, and are marked as truncated."""
    runtime.install(case)
    before = runtime.resident_mb()
    outcome = runtime.execute(case)
    assert outcome["output"] == "done"
    assert outcome["logsTruncated"] is True
    assert 0 < len(json.dumps(outcome["logs"])) < 200_000
    assert runtime.resident_mb() - before < 128
    assert len(runtime.process.stdout.read_bytes()) < 1000
    assert runtime.process.stderr.read_bytes() == b""


@pytest.mark.parametrize("text", ["x" * 5000, "\u0000" * 5000, "☃" * 5000, "𝄞" * 5000])
def test_a_long_print_is_cut_to_the_cap(shared: Runtime, text: str) -> None:
    """The first entry over the cap is cut, not dropped, and stays valid text."""
    outcome = shared.run("prints-input", text, limits={"logBytes": 2000})
    assert outcome["output"] == text
    (entry,) = outcome["logs"]
    assert 0 < len(entry["message"]) < len(text)
    assert text.startswith(entry["message"])
    assert outcome["logsTruncated"] is True


def test_no_room_for_logs_is_no_logs(shared: Runtime) -> None:
    """A cap of zero keeps nothing and says so."""
    outcome = shared.run("prints-input", "word", limits={"logBytes": 0})
    assert (outcome["logs"], outcome["logsTruncated"]) == ([], True)


def test_a_plugin_does_not_see_the_runtime_environment(start: StartRuntime) -> None:
    """Of the environment a plugin sees a fixed few names, none of the runtime's settings and no PATH."""
    runtime = start(HUSH="hush", PATH="/usr/bin", WSMGR_CONCURRENCY="2")
    seen = runtime.run("sees-environment")["output"]
    assert set(seen) <= {"NODE_ENV", "TZ", "LANG", "HOME", "TMPDIR", "PYTHONUNBUFFERED"}
    assert seen["HOME"] == "/tmp"
