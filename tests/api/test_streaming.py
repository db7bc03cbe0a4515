"""POST /api/execute?stream=1, POST /api/execute?mode=async and POST /api/executions/{id}/cancel."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import httpx
import orjson
import pytest
from starlette.types import ASGIApp, Message

from tests.api.conftest import As
from tests.api.test_execute import call
from tests.fakes.channel import failing
from tests.fakes.daemon import FakeDaemon, until
from wsmgr.api.executing import PIECES, PING_S, SEND_S
from wsmgr.api.identity import Peer
from wsmgr.core.errors import EngineFailure
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import ExecutionId
from wsmgr.core.outcome import Emitted, FailureType, LogEntry
from wsmgr.wire.execute import ExecuteResponse, ExecutionTicket
from wsmgr.wire.execution import Execution

VIRTUAL_TIME = True

SAID = (LogEntry(0.5, "log", "one\ntwo"), Emitted({"part": "ü\n"}), Emitted(None))
STREAM = "/api/execute?stream=1"
QUEUE = "/api/execute?mode=async"


class Listener:
    """A client of one call that can go away, or stop reading after `patience` messages."""

    def __init__(self, app: ASGIApp, patience: int | None = None, execution: str | None = None) -> None:
        self.messages: list[Message] = []
        self._body: bytes | None = orjson.dumps(call(executionId=execution))
        self._gone = asyncio.Event()
        self._patience = patience
        scope = {"type": "http", "method": "POST", "path": "/api/execute", "query_string": b"stream=1", "headers": []}
        self.task = asyncio.ensure_future(As(app, Peer(os.getuid(), frozenset()))(scope, self._receive, self._send))

    def leave(self) -> None:
        """The connection ends."""
        self._gone.set()

    @property
    def text(self) -> str:
        """All that came of the body."""
        return b"".join(message.get("body", b"") for message in self.messages).decode()

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._patience is not None and len(self.messages) >= self._patience:
            await asyncio.Event().wait()
        self.messages.append(message)


def events(text: str) -> list[tuple[str, Any]]:
    """The events of a stream: name and data. Pings are left out."""
    found = []
    for part in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in part.split("\n") if line and not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


async def test_a_stream_is_logs_emits_and_the_plain_answer(admin: httpx.AsyncClient, system: FakeDaemon) -> None:
    """In their order; the result is the wire model, and the record that of a plain call."""
    await admin.post("/api/execute", json=call())
    system.runtime().says["echo"] = SAID
    answer = await admin.post(STREAM, json=call())
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    *before, (name, result) = events(answer.text)
    assert before == [
        ("log", {"t": 0.5, "level": "log", "message": "one\ntwo"}),
        ("emit", {"part": "ü\n"}),
        ("emit", None),
    ]
    assert name == "result"
    parsed = ExecuteResponse.model_validate(result)
    assert parsed.output == {"n": 1}
    assert answer.headers["x-wsmgr-execution-id"] == parsed.execution_id
    record = Execution.model_validate((await admin.get(f"/api/executions/{parsed.execution_id}")).json())
    assert (record.state, record.output) == ("succeeded", {"n": 1})


async def test_a_plugin_that_fails_is_a_result(admin: httpx.AsyncClient, system: FakeDaemon) -> None:
    """As it is in a plain answer."""
    await admin.post("/api/execute", json=call())
    system.runtime().does["echo"] = failing(FailureType.EXCEPTION, "no")
    ((name, result),) = events((await admin.post(STREAM, json=call())).text)
    assert (name, result["success"], result["error"]["type"]) == ("result", False, "Exception")


async def test_problems_before_the_start_are_ordinary_ones(admin: httpx.AsyncClient, system: FakeDaemon) -> None:
    """Unknown plugin, bad body, a workspace that does not start: problem documents with their status."""
    unknown = await admin.post(STREAM, json=call(plugin="nope"))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert (await admin.post(STREAM, json=call(input=1, more=2))).status_code == 422
    system.engine.fail("create", EngineFailure("There is no such image."))
    broken = await admin.post(STREAM, json=call())
    assert (broken.status_code, broken.headers["content-type"]) == (503, "application/problem+json")


@pytest.mark.parametrize("query", ["stream=2", "stream=", "mode=later", "stream=1&mode=async"])
async def test_other_words_in_the_query_are_refused(admin: httpx.AsyncClient, query: str) -> None:
    """422; members of other names mean nothing, as everywhere."""
    assert (await admin.post(f"/api/execute?{query}", json=call())).status_code == 422
    assert (await admin.post("/api/execute?else=1&stream=0&mode=sync", json=call())).status_code == 200


async def test_silence_is_filled_and_a_late_problem_is_told(app: ASGIApp, system: FakeDaemon) -> None:
    """A call that waits for its workspace hears that somebody is there, and then why it did not run."""
    system.engine.fail("create", EngineFailure("There is no such image."))
    with system.engine.held("create"):
        listener = Listener(app)
        await asyncio.sleep(2.5 * PING_S)
        assert listener.text == ": still here\n\n" * 2
    await listener.task
    ((name, problem),) = events(listener.text)
    assert (name, problem["code"], problem["retryable"]) == ("problem", "never_started", True)
    assert listener.messages[-1]["more_body"] is False


@pytest.mark.parametrize("execution", [None, "x"])
async def test_a_client_that_goes_away_cancels_its_execution(
    app: ASGIApp, system: FakeDaemon, execution: str | None
) -> None:
    """The runtime is told, and the record says so, with what was printed until then."""
    await system.execute()
    system.runtime().says["echo"] = SAID
    with system.channel.held("execute"):
        listener = Listener(app, execution=execution)
        await until(lambda: len(listener.messages) == 1 + len(SAID))
        listener.leave()
        await until(lambda: not system.daemon.executions.inflight)
    await listener.task
    (ended,) = system.runtime().ended
    record = await system.store.execution(ended)
    assert record is not None
    assert record.state is ExecutionState.CANCELLED
    assert record.outcome is not None
    assert record.outcome.logs == (SAID[0],)


async def test_a_client_that_does_not_read_holds_the_plugin_up_and_is_cut_off(app: ASGIApp, system: FakeDaemon) -> None:
    """So many pieces are taken from the runtime, and no more; then it is cancelled."""
    await system.execute()
    told = 0

    class Counted(tuple[Emitted, ...]):
        __slots__ = ()

        def __iter__(self) -> Any:
            nonlocal told
            for piece in range(100_000):
                told += 1
                yield Emitted(piece)

    system.runtime().says["echo"] = Counted()
    listener = Listener(app, patience=5)
    await asyncio.sleep(SEND_S / 2)
    assert told <= PIECES + 10
    await asyncio.sleep(SEND_S)
    await listener.task
    await until(lambda: not system.daemon.executions.inflight)
    assert len(listener.messages) == 5
    assert (await system.execute(slug="echo")).state is ExecutionState.SUCCEEDED


async def test_a_queued_call_is_accepted_with_its_place(admin: httpx.AsyncClient, system: FakeDaemon) -> None:
    """202, where to ask, and later the record; the same id again is the same execution."""
    answer = await admin.post(QUEUE, json=call(executionId="job:7"))
    assert answer.status_code == 202
    ticket = ExecutionTicket.model_validate(answer.json())
    assert (ticket.execution_id, ticket.state, ticket.workspace) == ("job:7", "queued", "user:alice")
    assert answer.headers["location"] == "/api/executions/job%3A7"
    waiting = Execution.model_validate((await admin.get(answer.headers["location"])).json())
    assert (waiting.state, waiting.success, waiting.output) == ("queued", None, None)
    await until(lambda: not system.daemon.queue._lanes.taken and not system.daemon.queue.waiting)
    done = Execution.model_validate((await admin.get("/api/executions/job:7")).json())
    assert (done.state, done.output) == ("succeeded", {"n": 1})
    again = await admin.post(QUEUE, json=call(executionId="job:7"))
    assert (again.status_code, again.json()["state"]) == (202, "succeeded")
    other = await admin.post(QUEUE, json=call(executionId="job:7", input=2))
    assert (other.status_code, other.json()["why"]) == (409, "execution_id_reused")
    assert (await admin.post("/api/execute", json=call(executionId="job:7"))).json()["output"] == {"n": 1}


async def test_callbacks_are_for_queued_calls_and_checked(admin: httpx.AsyncClient, system: FakeDaemon) -> None:
    """Before the call is kept."""
    url = "https://platform.example/over"
    assert (await admin.post("/api/execute", json=call(callback=url))).status_code == 422
    assert (await admin.post(QUEUE, json=call(callback="gopher://x/"))).status_code == 422
    assert system.caller is not None
    system.caller.refused.add(url)
    assert (await admin.post(QUEUE, json=call(callback=url, executionId="x"))).status_code == 422
    assert await system.store.execution(ExecutionId("x")) is None
    system.caller.refused.clear()
    assert (await admin.post(QUEUE, json=call(callback=url, executionId="x"))).status_code == 202
    await until(lambda: bool(system.caller and system.caller.called))
    assert system.caller.called[0][0] == url


async def test_cancel_answers_how_it_stands(admin: httpx.AsyncClient, system: FakeDaemon) -> None:
    """200 when it has ended by that, 404, 409."""
    await admin.post("/api/execute", json=call())
    with system.channel.held("execute"):
        running = asyncio.create_task(admin.post("/api/execute", json=call(executionId="x")))
        await until(lambda: system.runtime().inflight == 1)
        answer = await admin.post("/api/executions/x/cancel")
    assert (answer.status_code, answer.json()) == (200, {"executionId": "x", "state": "cancelled"})
    assert (await running).json()["error"]["type"] == "Cancelled"
    assert (await admin.post("/api/executions/x/cancel")).status_code == 409
    assert (await admin.post("/api/executions/nope/cancel")).status_code == 404
    system.daemon.queue._at_once = 0
    await admin.post(QUEUE, json=call(executionId="q"))
    assert (await admin.post("/api/executions/q/cancel")).json()["state"] == "cancelled"
    assert (await admin.get("/api/executions/q")).json()["error"]["type"] == "Cancelled"
