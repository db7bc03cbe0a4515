"""The stream of events through both clients: it goes on after every interruption, and gives up where that is right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.canned import event
from tests.client.fake_daemon import Answer, FakeDaemon, Seen
from wsmgr.client import ApiError, AsyncClient, Client, DaemonUnreachable, UnexpectedAnswer


def written(*numbers: int) -> bytes:
    """Those events as the daemon writes them, with what it writes besides."""
    told = "".join(
        f"id: {one}\nevent: workspace.stopped\ndata: {event(one).model_dump_json()}\n\n: still here\n\n"
        for one in numbers
    )
    return f"retry: 1000\n\n{told}".encode()


def answers(daemon: FakeDaemon, *bodies: bytes | Answer) -> None:
    """Each connection gets the next one; the last stays."""
    left: Iterator[bytes | Answer] = iter(bodies)
    current: list[bytes | Answer] = [b""]

    def answer(_: Seen) -> Answer:
        current[0] = next(left, current[0])
        one = current[0]
        return one if isinstance(one, Answer) else Answer(200, one, "text/event-stream; charset=utf-8")

    daemon.told["GET", "/api/events"] = answer


def known(daemon: FakeDaemon) -> list[str | None]:
    """What each connection said that it knows."""
    return [seen.headers.get("last-event-id") for seen in daemon.seen]


def taken(client: Client, after: int | None, count: int) -> list[int]:
    """The ids of the next events."""
    stream = client.follow(after=after)
    return [next(stream).id for _ in range(count)]


async def taken_async(client: AsyncClient, after: int | None, count: int) -> list[int]:
    """The same, awaited."""
    found: list[int] = []
    async for one in client.follow(after=after):
        found.append(one.id)
        if len(found) == count:
            break
    return found


@pytest.mark.slow
def test_a_lost_connection_is_made_anew(client: Client, daemon: FakeDaemon) -> None:
    """From the last event on; an overflow is such an end, and no event."""
    answers(daemon, written(4, 5), written(6) + b"event: overflow\ndata: {}\n\n", written(7))
    assert taken(client, 3, 4) == [4, 5, 6, 7]
    assert known(daemon) == ["3", "5", "6"]


@pytest.mark.slow
async def test_an_awaited_stream_is_made_anew(daemon: FakeDaemon) -> None:
    """The same through the other client."""
    answers(daemon, written(4, 5), written(6) + b"event: overflow\ndata: {}\n\n", written(7))
    async with AsyncClient(daemon.path) as client:
        assert await taken_async(client, None, 4) == [4, 5, 6, 7]
    assert known(daemon) == [None, "5", "6"]


def test_a_half_event_is_not_an_event(client: Client, daemon: FakeDaemon) -> None:
    """It is asked for again."""
    answers(daemon, written(1) + b"id: 2\nevent: workspace.stopped\ndata: {", written(2))
    assert taken(client, None, 2) == [1, 2]
    assert known(daemon) == [None, "1"]


@pytest.mark.slow
def test_a_refusal_is_raised_and_a_busy_daemon_is_asked_again(client: Client, daemon: FakeDaemon) -> None:
    """503 while it starts anew; 403 whenever it comes."""
    busy = Answer(503, b'{"title":"t","status":503,"code":"c","detail":"d","retryable":true}')
    denied = Answer(403, b'{"title":"t","status":403,"code":"forbidden","detail":"d","retryable":false}')
    answers(daemon, written(1), busy, written(2), denied)
    stream = client.follow()
    assert [next(stream).id for _ in range(2)] == [1, 2]
    with pytest.raises(ApiError) as refused:
        next(stream)
    assert refused.value.code == "forbidden"


# httpcore leaves the socket of a connection that was not made to the garbage collector, which says so.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
def test_the_first_connection_must_work(client: Client, daemon: FakeDaemon, tmp_path: Path) -> None:
    """Nobody there, a daemon that is busy, or one that is none."""
    with Client(tmp_path / "gone.sock") as nobody, pytest.raises(DaemonUnreachable):
        next(nobody.follow())
    daemon.refuse("GET", "/api/events", 503, "store_unavailable", "Not now.", retryable=True)
    with pytest.raises(ApiError, match="Not now"):
        next(client.follow())
    answers(daemon, Answer(200, b"{}"))
    with pytest.raises(UnexpectedAnswer, match="no stream"):
        next(client.follow())


def test_an_event_that_is_none_is_told(client: Client, daemon: FakeDaemon) -> None:
    """Another version's, say."""
    answers(daemon, b"data: {}\n\n")
    with pytest.raises(UnexpectedAnswer, match="not what this client knows"):
        next(client.follow())
