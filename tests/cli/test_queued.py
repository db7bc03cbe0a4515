"""`wsmgr execute --stream`, `--async` and `wsmgr cancel`."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.cli.conftest import CommandLine
from tests.client import canned
from tests.client.fake_daemon import Answer, FakeDaemon, Seen
from wsmgr.wire.execute import ExecutionError

RUN = ("execute", "hello", "--user", "alice")


def test_a_stream_prints_emits_as_lines_and_logs_beside_them(cli: CommandLine) -> None:
    """The output last; escapes made harmless, and no log line twice."""
    result = cli(*RUN, "--stream", "--json-input", "1")
    assert result.code == 0
    assert result.out.splitlines()[:2] == ['{"part": 1}', "null"]
    assert json.loads("".join(result.out.splitlines()[2:])) == {"got": 1}
    assert result.err.count("a line \\x1b[31mred") == 1
    assert "execution e-1" in result.err


def test_a_stream_as_json_is_a_document_a_line(cli: CommandLine) -> None:
    """Every piece, the result last."""
    result = cli(*RUN, "--stream", "--json", "--json-input", "1")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [next(iter(line)) for line in lines] == ["log", "emit", "emit", "result"]
    assert lines[1] == {"emit": {"part": 1}}
    assert lines[3]["result"]["output"] == {"got": 1}


def test_a_stream_that_fails_ends_with_3(cli: CommandLine, daemon: FakeDaemon) -> None:
    """As a plain call does."""
    answer = canned.executed(failure=ExecutionError(type="Exception", message="no"))
    body = f"event: result\ndata: {answer.model_dump_json()}\n\n".encode()
    daemon.told["POST", "/api/execute"] = lambda _: Answer(200, body, "text/event-stream")
    result = cli(*RUN, "--stream")
    assert (result.code, result.out) == (3, "")
    assert "the plugin failed: Exception: no" in result.err


def test_async_prints_the_id(cli: CommandLine, daemon: FakeDaemon) -> None:
    """For scripts; as JSON the whole answer."""
    result = cli(*RUN, "--async", "--id", "job:7", "--callback", "https://x.example/over")
    assert (result.code, result.out) == (0, "job:7\n")
    assert daemon.last.query == {"mode": "async"}
    assert daemon.last.body["callback"] == "https://x.example/over"
    assert cli(*RUN, "--async", "--json").json["state"] == "queued"


def _then(*states: str) -> Callable[[Seen], Answer]:
    """A record that is in one state after the other."""
    left = list(states)

    def answer(_: Seen) -> Answer:
        state = left.pop(0) if len(left) > 1 else left[0]
        return Answer(200, canned.execution("e-1", state).model_dump_json().encode())  # type: ignore[arg-type]

    return answer


def test_async_and_wait_prints_the_output(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Once it is over."""
    daemon.told["GET", "/api/executions/e-1"] = _then("queued", "running", "succeeded")
    result = cli(*RUN, "--async", "--wait")
    assert (result.code, result.json) == (0, {"got": 1})
    assert "Queued as e-1." in result.err


@pytest.mark.parametrize(
    ("state", "sentence"), [("failed", "the execution failed: Exception: no"), ("lost", "its outcome is not known")]
)
def test_async_and_wait_ends_with_3_when_it_failed(
    cli: CommandLine, daemon: FakeDaemon, state: str, sentence: str
) -> None:
    """Whatever became of it."""
    daemon.told["GET", "/api/executions/e-1"] = _then(state)
    result = cli(*RUN, "--async", "--wait")
    assert (result.code, result.out) == (3, "")
    assert sentence in result.err


def test_ctrl_c_while_it_waits_cancels(cli: CommandLine, daemon: FakeDaemon) -> None:
    """And the exit code says so."""

    def interrupted(_: Seen) -> Answer:
        return _then("running")(_)

    daemon.told["GET", "/api/executions/e-1"] = interrupted

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    cli.patch.setattr("time.sleep", interrupt)
    result = cli(*RUN, "--async", "--wait")
    assert result.code == 130
    assert (daemon.last.method, daemon.last.path) == ("POST", "/api/executions/e-1/cancel")


def test_cancel_says_how_it_stands(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Cancelled, about to end, over, or unknown."""
    assert cli("cancel", "job:7").out == "job:7 is cancelled.\n"
    daemon.tell("POST", "/api/executions/job:7/cancel", canned.cancelled("job:7", "running"), 202)
    assert cli("cancel", "job:7").out == "job:7 has been told to end.\n"
    assert cli("cancel", "job:7", "--json").json == {"executionId": "job:7", "state": "running"}
    daemon.refuse("POST", "/api/executions/job:7/cancel", 409, "conflict", "It is over: succeeded.")
    over = cli("cancel", "job:7")
    assert (over.code, over.err) == (1, "wsmgr: It is over: succeeded.\n")


@pytest.mark.parametrize("options", [("--stream", "--async"), ("--wait",), ("--callback", "https://x.example/")])
def test_options_that_do_not_go_together_are_refused(cli: CommandLine, options: tuple[str, ...]) -> None:
    """With exit code 2, before anything is sent."""
    assert cli(*RUN, *options).code == 2
