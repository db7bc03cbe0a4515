"""Every way a call can go wrong has its own error and its own sentence."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.fake_daemon import Answer, FakeDaemon
from wsmgr.client import (
    AnswerTimeout,
    ApiError,
    AsyncClient,
    Client,
    ConnectionLost,
    DaemonUnreachable,
    InvalidArgument,
    UnexpectedAnswer,
    UnixTarget,
    operations,
)
from wsmgr.client.operation import Operation

ROOT = Path(__file__).parents[2]


def _missing(folder: Path) -> Path:
    return folder / "api.sock"


def _left_behind(folder: Path) -> Path:
    path = folder / "stale.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    return path


def _too_long(folder: Path) -> Path:
    return folder / ("x" * 120)


# httpcore leaves the socket of a connection that was not made to the garbage collector, which says so.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            _missing,
            r"No daemon is running: the socket .*api\.sock does not exist\. Start one with `wsmgr serve --detach`",
        ),
        (_left_behind, r"Nobody listens on .*stale\.sock: the daemon ended without removing its socket\."),
        (_too_long, r"The socket .*x cannot be used: .*too long"),
    ],
)
async def test_why_a_socket_is_not_reached(make: Callable[[Path], Path], sentence: str, tmp_path: Path) -> None:
    """Both clients say the same, and what to run."""
    path = make(tmp_path)
    with Client(path) as client, pytest.raises(DaemonUnreachable, match=sentence):
        client.health()
    async with AsyncClient(path) as awaited:
        with pytest.raises(DaemonUnreachable, match=sentence):
            await awaited.health()


AS_NOBODY = """
import os, sys
sys.path.insert(0, sys.argv[2])
from wsmgr.client import Client, DaemonUnreachable
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    Client(sys.argv[1]).health()
except DaemonUnreachable as error:
    print(error.sentence)
"""


def test_a_socket_of_somebody_else_is_told_from_a_missing_one(daemon: FakeDaemon, tmp_path: Path) -> None:
    """Permission denied says who asked and what helps. Permissions bind root not, so a plain user asks."""
    assert daemon.path is not None
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH | stat.S_IXUSR)
    command = [sys.executable, "-c", AS_NOBODY, str(daemon.path), str(ROOT)]
    daemon.path.chmod(0o666)
    allowed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert allowed.stdout == ""
    daemon.path.chmod(0o000)
    refused = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "permission denied. Run this as root or as the daemon's user" in refused.stdout


async def test_why_an_address_is_not_reached() -> None:
    """Over TCP the sentence names the address, and both ways out."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    sentence = rf"Nothing answers at {url}\. Start the daemon with `wsmgr serve --listen"
    with Client(url=url) as client, pytest.raises(DaemonUnreachable, match=sentence):
        client.health()
    async with AsyncClient(url=url) as awaited:
        with pytest.raises(DaemonUnreachable, match=sentence):
            await awaited.health()


async def test_a_refusal_is_the_problem_that_the_daemon_sent(daemon: FakeDaemon) -> None:
    """Status, code, detail and retryable are there for programs and people."""
    daemon.refuse("POST", "/api/execute", 429, "quota_exceeded", "The queue is full.", retryable=True)
    with Client(daemon.path) as client, pytest.raises(ApiError) as refusal:
        client.execute("alice", "hello")
    error = refusal.value
    assert (error.status, error.code, error.detail, error.retryable) == (
        429,
        "quota_exceeded",
        "The queue is full.",
        True,
    )
    assert error.sentence == "The queue is full."
    async with AsyncClient(daemon.path) as awaited:
        with pytest.raises(ApiError, match="The queue is full"):
            await awaited.execute("alice", "hello")


def test_extra_members_of_a_problem_come_through(daemon: FakeDaemon, client: Client) -> None:
    """The limit and the usage, say."""
    body = b'{"title":"t","status":429,"code":"quota_exceeded","detail":"d","limit":"queueLength","allowed":256}'
    daemon.tell("GET", "/api/host", body, status=429)
    with pytest.raises(ApiError) as refusal:
        client.host()
    assert refusal.value.problem.model_extra == {"limit": "queueLength", "allowed": 256}


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (502, b"<html>Bad gateway</html>", "was answered with 502 and no problem document: is this a wsmgr daemon"),
        (500, None, "was answered with 500 and no problem document"),
        (302, None, "was answered with a redirection"),
        (200, b"<html>Hello</html>", r"not what this client knows \(body: Invalid JSON"),
        (200, b"{}", r"not what this client knows \(status: Field required\)\. Is the daemon of another version"),
    ],
)
def test_an_answer_of_another_program_is_told(
    status: int, body: bytes | None, sentence: str, daemon: FakeDaemon, client: Client
) -> None:
    """No stack of a validator, but what was wrong first."""
    daemon.tell("GET", "/health", body, status=status)
    with pytest.raises(UnexpectedAnswer, match=sentence):
        client.health()


def test_figures_that_are_no_text_are_told(daemon: FakeDaemon, client: Client) -> None:
    """The one answer that is not JSON."""
    daemon.tell("GET", "/metrics", b"\xff\xfe")
    with pytest.raises(UnexpectedAnswer, match="not UTF-8"):
        client.metrics()


def _impatient(operation: Operation[object]) -> Operation[object]:
    return Operation(operation.method, operation.path, operation.read, timeout_s=0.05)


async def test_an_answer_that_does_not_come_is_a_timeout_of_its_own(daemon: FakeDaemon) -> None:
    """The daemon took it, so the sentence says that it may still be at work."""
    daemon.hang("GET", "/health")
    impatient: Operation[object] = _impatient(operations.health())  # type: ignore[arg-type]  # invariant in its result
    sentence = r"took GET /health and did not answer within 0\.05 s; it may still be at work"
    with Client(daemon.path) as client, pytest.raises(AnswerTimeout, match=sentence):
        client.call(impatient)
    async with AsyncClient(daemon.path) as awaited:
        with pytest.raises(AnswerTimeout, match=sentence):
            await awaited.call(impatient)


async def test_a_daemon_that_hangs_up_is_not_a_daemon_that_was_not_there(daemon: FakeDaemon) -> None:
    """What was asked may have been done: the caller must know."""
    daemon.hang_up("POST", "/api/execute")
    sentence = r"ended before POST /api/execute was answered; what was asked may have been done"
    with Client(daemon.path) as client, pytest.raises(ConnectionLost, match=sentence):
        client.execute("alice", "hello")
    async with AsyncClient(daemon.path) as awaited:
        with pytest.raises(ConnectionLost, match=sentence):
            await awaited.execute("alice", "hello")


def test_a_client_goes_on_after_an_error(daemon: FakeDaemon, client: Client) -> None:
    """A lost connection is not used again."""
    daemon.hang_up("GET", "/api/host")
    with pytest.raises(ConnectionLost):
        client.host()
    assert client.health().status == "healthy"


@pytest.mark.parametrize("value", [float("nan"), object(), {"a": {1, 2}}, b"bytes"])
def test_what_is_not_json_never_leaves(value: object, daemon: FakeDaemon, client: Client) -> None:
    """Said before anything is sent."""
    with pytest.raises(InvalidArgument, match="sent with POST /api/execute is not JSON"):
        client.execute("alice", "hello", value)
    assert daemon.seen == []


@pytest.mark.parametrize("name", ["", ".", "..", "\udc80"])
def test_a_name_that_would_be_another_path_never_leaves(name: str, daemon: FakeDaemon, client: Client) -> None:
    """`plugins/..` would be the workspace itself, and deleting that is another thing."""
    with pytest.raises(InvalidArgument, match="is not a name"):
        client.delete_plugin("user:alice", name)
    assert daemon.seen == []


@pytest.mark.parametrize(
    ("operation", "least", "most"),
    [
        (operations.health(), 1, 30),
        (operations.execute("a", "b", timeout_ms=1_000), 1 + 60, 1 + 180),
        (operations.execute("a", "b", timeout_ms=900_000), 900 + 60, 900 + 180),
        (operations.execute("a", "b"), 120 + 60, 120 + 180),
        (operations.stop("user:a", wait=60), 60 + 5, 60 + 30),
        (operations.stop("user:a"), 5, 30),
    ],
)
def test_how_long_a_call_waits(operation: Operation[object], least: float, most: float) -> None:
    """An execution waits for the plugin's own time and for a cold start and the queue besides."""
    assert least <= operation.timeout_s <= most


def test_an_answer_may_be_empty(daemon: FakeDaemon, client: Client) -> None:
    """Removing says nothing but that it is done, whatever the body."""
    daemon.told["DELETE", "/api/workspaces/user:alice"] = lambda _: Answer(200, b"{}")
    client.delete_workspace("user:alice")
    assert isinstance(client.target, UnixTarget)
