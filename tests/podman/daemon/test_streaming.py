"""Streams, queued calls and cancellations through a real daemon, into real containers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.podman.daemon.rig import TREE, RealDaemon, inline, output, real_daemon, wait_for
from wsmgr.client import ApiError, Client, operations
from wsmgr.client.executing import Emit
from wsmgr.wire.execute import ExecuteResponse, LogEntry
from wsmgr.wire.execution import Execution

COUNTS = """export default async function* (gate) {
    console.log('started');
    for (let i = 0; i < 3; i++) yield { i };
    while (!(await import('node:fs')).existsSync('/tmp/gate')) await new Promise((r) => setTimeout(r, 20));
    console.log('ended');
    return 'done';
}"""
OPENS = "import fs from 'node:fs'; export default () => fs.writeFileSync('/tmp/gate', '')"
WAITS = "export default () => { console.log('waiting'); return new Promise(() => {}); }"


@pytest.fixture
def mortal() -> Iterator[RealDaemon]:
    """A daemon of this test alone."""
    with real_daemon() as one:
        yield one


def over(client: Client, execution: str) -> Execution:
    """The record, once it is over."""
    wait_for(lambda: client.execution(execution).state not in ("queued", "running"), 60)
    return client.execution(execution)


def test_a_generator_is_heard_while_it_runs(client: Client) -> None:
    """Its log line and its emits are there before it may go on; then come the rest and the plain answer."""
    heard = client.listen(operations.execute("streamer", inline(COUNTS), timeout_ms=60_000))
    first = [next(heard) for _ in range(4)]
    assert isinstance(first[0], LogEntry)
    assert first[0].message == "started"
    assert first[1:] == [Emit({"i": 0}), Emit({"i": 1}), Emit({"i": 2})]
    output(client, "streamer", OPENS, slug="opener")
    *rest, result = heard
    assert [entry.message for entry in rest if isinstance(entry, LogEntry)] == ["ended"]
    assert isinstance(result, ExecuteResponse)
    assert (result.success, result.output) == (True, "done")
    assert [entry.message for entry in result.logs] == ["started", "ended"]
    record = client.execution(result.execution_id)
    assert (record.state, record.output, len(record.logs)) == ("succeeded", "done", 2)


def test_a_client_that_leaves_cancels_its_execution(client: Client) -> None:
    """The record says so and holds the logs; the workspace goes on."""
    heard = client.listen(operations.execute("leaver", inline(WAITS), timeout_ms=60_000, execution_id="leaver-1"))
    assert isinstance(next(heard), LogEntry)
    heard.close()
    record = over(client, "leaver-1")
    assert record.state == "cancelled"
    assert record.error is not None
    assert record.error.type == "Cancelled"
    assert [entry.message for entry in record.logs] == ["waiting"]
    assert output(client, "leaver", "export default () => 1") == 1


def test_an_execution_is_cancelled_by_its_id_and_by_ctrl_c(daemon: RealDaemon, client: Client, tmp_path: Path) -> None:
    """Through the command line as people do it."""
    code = tmp_path / "waits.js"
    code.write_text(WAITS)
    # Whoever runs the tests in the background may have them ignore Ctrl-C.
    command = [
        "env",
        "--default-signal=INT",
        sys.executable,
        "-m",
        "wsmgr.cli",
        "execute",
        str(code),
        "--user",
        "canceller",
        "--timeout",
        "60",
    ]
    for number, name in enumerate(("by-id", "by-ctrl-c")):
        with subprocess.Popen(
            [*command, "--stream", "--json", "--id", name],
            cwd=TREE, env=daemon.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as running:  # fmt: skip
            assert running.stdout is not None
            assert json.loads(running.stdout.readline())["log"]["message"] == "waiting"
            if name == "by-id":
                assert daemon.cli("cancel", name).stdout == f"{name} is cancelled.\n"
            else:
                running.send_signal(signal.SIGINT)
            running.communicate(timeout=60)
            assert running.returncode == (3, 130)[number]
        assert over(client, name).state == "cancelled"
    with pytest.raises(ApiError, match="is over"):
        client.cancel("by-id")


def test_a_queued_call_is_run_and_polled(daemon: RealDaemon, client: Client) -> None:
    """Its record is there at once; the command line waits for it."""
    client.put_plugin("user:queuer", "echo", language="javascript", code="export default (input) => input")
    ticket = client.execute_later("queuer", "echo", {"n": 1})
    record = over(client, ticket.execution_id)
    assert (record.state, record.output) == ("succeeded", {"n": 1})
    run = daemon.cli("execute", "echo", "--user", "queuer", "--json-input", "[1]", "--async", "--wait")
    assert (run.returncode, json.loads(run.stdout)) == (0, [1])


def test_what_is_queued_survives_kill_9_and_what_had_started_is_lost(mortal: RealDaemon) -> None:
    """Nothing is forgotten, and nothing is run twice."""
    counts = "import fs from 'node:fs'; let n = 0; export default async (wait) => {"
    counts += " fs.appendFileSync('/tmp/runs', 'x'); if (wait) await new Promise(() => {}); return 'ran'; }"
    limit = 4
    with mortal.client() as client:
        client.put_plugin("user:dora", "counts", language="javascript", code=counts)
        for number in range(limit):
            client.execute_later("dora", "counts", True, timeout_ms=60_000, execution_id=f"started-{number}")
        wait_for(lambda: all(client.execution(f"started-{n}").state == "running" for n in range(limit)), 60)
        for number in range(3):
            assert client.execute_later("dora", "counts", execution_id=f"queued-{number}").state == "queued"
        assert client.execution("queued-0").state == "queued"
    mortal.kill()
    mortal.start()
    with mortal.client() as client:
        states = [over(client, f"queued-{number}").state for number in range(3)]
        assert states == ["succeeded"] * 3
        for number in range(limit):
            assert client.execution(f"started-{number}").state == "lost"
            again = client.execute_later("dora", "counts", True, timeout_ms=60_000, execution_id=f"started-{number}")
            assert again.state == "lost"
