"""Calls that are listened to, through both clients."""

from __future__ import annotations

import pytest

from tests.client import canned
from tests.client.fake_daemon import Answer, FakeDaemon
from wsmgr.client import ApiError, AsyncClient, Client, ConnectionLost, UnexpectedAnswer, operations
from wsmgr.client.executing import Emit, Heard

CALL = operations.execute("alice", "hello", 1, execution_id="job:7")
ALL: list[Heard] = [canned.LINE, Emit({"part": 1}), Emit(None), canned.executed({"got": 1})]


def stream(daemon: FakeDaemon, body: bytes, media_type: str = "text/event-stream") -> None:
    """Answer with it from now on."""
    daemon.told["POST", "/api/execute"] = lambda _: Answer(200, body, media_type)


def test_pieces_come_in_order_and_the_result_last(client: Client, daemon: FakeDaemon) -> None:
    """Pings, and a kind of event that a newer daemon may send, are passed over; the call is sent as any other."""
    assert list(client.listen(CALL)) == ALL
    assert daemon.last.query == {"stream": "1"}
    assert daemon.last.body == {"userId": "alice", "plugin": "hello", "input": 1, "executionId": "job:7"}


async def test_they_do_so_awaited(daemon: FakeDaemon) -> None:
    """The same through the other client."""
    async with AsyncClient(daemon.path) as client:
        assert [piece async for piece in client.listen(CALL)] == ALL


def test_a_refusal_is_the_error_that_it_is_without_a_stream(client: Client, daemon: FakeDaemon) -> None:
    """Before the stream has begun, and after."""
    daemon.refuse("POST", "/api/execute", 429, "quota_exceeded", "Too many.", retryable=True)
    with pytest.raises(ApiError, match="Too many"):
        list(client.listen(CALL))
    problem = b'{"title":"t","status":503,"code":"never_started","detail":"It did not run.","retryable":true}'
    stream(daemon, b": still here\n\nevent: problem\ndata: " + problem + b"\n\n")
    with pytest.raises(ApiError, match="did not run") as caught:
        list(client.listen(CALL))
    assert (caught.value.code, caught.value.retryable) == ("never_started", True)


def test_an_end_without_a_result_is_told(client: Client, daemon: FakeDaemon) -> None:
    """What had come before it did come."""
    stream(daemon, b"event: emit\ndata: 1\n\n")
    heard = client.listen(CALL)
    assert next(heard) == Emit(1)
    with pytest.raises(ConnectionLost, match="its record"):
        next(heard)


@pytest.mark.parametrize(
    "body", [b"event: result\ndata: {}\n\n", b"event: log\ndata: 1\n\n", b"event: emit\ndata: {\n\n"]
)
def test_what_is_not_the_apis_is_unexpected(client: Client, daemon: FakeDaemon, body: bytes) -> None:
    """Events that this client does not know, and an answer that is no stream."""
    stream(daemon, body)
    with pytest.raises(UnexpectedAnswer, match="another version"):
        list(client.listen(CALL))
    stream(daemon, b"{}", "application/json")
    with pytest.raises(UnexpectedAnswer, match="no stream"):
        list(client.listen(CALL))
