"""The live view through both clients: what is read, and that every end is an error with its own sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.client.canned import fleet_changes, fleet_snapshot
from tests.client.fake_daemon import Answer, FakeDaemon
from wsmgr.client import (
    AnswerTimeout,
    ApiError,
    AsyncClient,
    Client,
    ClientError,
    ConnectionLost,
    DaemonUnreachable,
    UnexpectedAnswer,
)
from wsmgr.wire.fleet import FleetPulse, FleetUpdate

PATH = "/api/fleet/stream"
WRITTEN = (
    f"retry: 1000\n\nevent: snapshot\ndata: {fleet_snapshot().model_dump_json()}\n\n: \n"
    f"event: changes\ndata: {fleet_changes().model_dump_json()}\n\nevent: later\ndata: {{}}\n\n: \n"
).encode()
KNOWN = [fleet_snapshot(), FleetPulse(), fleet_changes(), FleetPulse()]


def stream(daemon: FakeDaemon, body: bytes) -> None:
    """Answer with it from now on."""
    daemon.told["GET", PATH] = lambda _: Answer(200, body, "text/event-stream; charset=utf-8")


def heard(client: Client) -> tuple[list[FleetUpdate], ClientError]:
    """All that comes, and how it ends."""
    found: list[FleetUpdate] = []
    try:
        found.extend(client.fleet())
    except ClientError as end:
        return found, end
    raise AssertionError("It ended without an error.")


def test_updates_come_in_order_and_the_end_is_told(client: Client, daemon: FakeDaemon) -> None:
    """A kind of event that a newer daemon may send is passed over."""
    stream(daemon, WRITTEN)
    found, end = heard(client)
    assert found == KNOWN
    assert isinstance(end, ConnectionLost)
    assert "ended the stream" in end.sentence


async def test_they_do_so_awaited(daemon: FakeDaemon) -> None:
    """The same through the other client."""
    stream(daemon, WRITTEN)
    async with AsyncClient(daemon.path) as client:
        updates = client.fleet()
        assert [await anext(updates) for _ in KNOWN] == KNOWN
        with pytest.raises(ConnectionLost, match="ended the stream"):
            await anext(updates)


@pytest.mark.slow
def test_a_daemon_that_hangs_is_told_within_three_seconds(client: Client, daemon: FakeDaemon) -> None:
    """It has the connection, and says nothing."""
    daemon.hang("GET", PATH)
    _, end = heard(client)
    assert isinstance(end, AnswerTimeout)
    assert "has said nothing for 2.5 s" in end.sentence


# httpcore leaves the socket of a connection that was not made to the garbage collector, which says so.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
def test_each_refusal_has_its_own_error(client: Client, daemon: FakeDaemon, tmp_path: Path) -> None:
    """Nobody there, somebody who may not, an answer that is no stream, an update of another version."""
    with Client(tmp_path / "gone.sock") as nobody:
        assert isinstance(heard(nobody)[1], DaemonUnreachable)
    daemon.refuse("GET", PATH, 403, "forbidden", "For administrators.")
    _, end = heard(client)
    assert isinstance(end, ApiError)
    assert end.sentence == "For administrators."
    daemon.told["GET", PATH] = lambda _: Answer(200, b"{}")
    assert isinstance(heard(client)[1], UnexpectedAnswer)
    stream(daemon, b"event: snapshot\ndata: {}\n\n")
    _, end = heard(client)
    assert isinstance(end, UnexpectedAnswer)
    assert "another version" in end.sentence
