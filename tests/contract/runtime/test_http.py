"""HTTP manners: malformed, oversized and truncated requests, the token, the addresses."""

from __future__ import annotations

import signal
import socket
import stat
from pathlib import Path

import pytest

from tests.contract.runtime.client import Address, Connection, exchange, until
from tests.contract.runtime.conftest import StartRuntime
from tests.contract.runtime.launch import Launcher, Process
from tests.contract.runtime.subject import Runtime, failed


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"{}", b"\xff\xfe", {"plugin": 7}, {"plugin": None},
        {"plugin": "echo", "timeoutMs": -1}, {"plugin": "echo", "timeoutMs": "1"}, {"plugin": "echo", "context": []},
        {"plugin": "echo", "limits": 1}, {"plugin": "echo", "limits": {"outputBytes": 0}},
        {"plugin": "echo", "executionId": 5}, {"plugin": "echo", "executionId": ""},
    ],
)  # fmt: skip
def test_a_malformed_execute_is_a_400(shared: Runtime, body: object) -> None:
    """Whatever is wrong with the request, the answer is a 400 with a sentence, on a connection that stays open."""
    shared.install("echo")
    answer = shared.call("POST", "/execute", body)
    assert (answer.status, answer.error["type"]) == (400, "bad_request")
    assert answer.error["message"]
    assert shared.execute("echo")["success"] is True


def test_an_unknown_plugin_is_a_409(shared: Runtime) -> None:
    """The caller learns that it must push the plugin."""
    answer = shared.call("POST", "/execute", shared.request("nobody"))
    assert (answer.status, answer.error["type"]) == (409, "unknown_version")


@pytest.mark.parametrize("path", ["/", "/nothing", "/plugins", "/__proto__", "/constructor", "/execute/x"])
def test_an_unknown_path_is_a_404(shared: Runtime, path: str) -> None:
    """There is nothing but the contract."""
    assert shared.call("GET", path).status == 404


def test_a_wrong_method_is_a_405(shared: Runtime) -> None:
    """A known path with another method says what it answers to."""
    answer = shared.call("GET", "/execute")
    assert (answer.status, answer.error["type"]) == (405, "method_not_allowed")


def test_a_body_over_the_cap_is_a_413(start: StartRuntime) -> None:
    """Announced or chunked, a body over the cap is refused, and the connection can be used again."""
    runtime = start(WSMGR_INPUT_BYTES="10000")
    runtime.install("echo")
    assert runtime.execute("echo", "x" * 9000)["success"] is True
    assert runtime.call("POST", "/execute", runtime.request("echo", "x" * 100_000)).status == 413
    chunked = b"POST /execute HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    received = exchange(runtime.address, chunked + b"4e20\r\n" + b"x" * 20_000 + b"\r\n0\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 413 ")
    assert runtime.execute("echo", "again")["success"] is True


def test_a_large_input_arrives(shared: Runtime) -> None:
    """A few megabytes within the cap reach the plugin unharmed."""
    value = ["x" * 1000] * 4000
    outcome = shared.run("echo", value, limits={"outputBytes": 8 * 1024 * 1024})
    assert outcome["output"]["input"] == value


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /execute HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{\"plugin\":",
        b"POST /execute HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"plu",
        b"POST /execute HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /execute HTTP/1.1\r\nHost: x\r\nContent-Length: -4\r\n\r\n",
        b"POST /exec",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"\r\n\r\n\x00\x00 nonsense",
        b"",
    ],
)  # fmt: skip
def test_broken_http_harms_nobody(shared: Runtime, sent: bytes) -> None:
    """A body cut short or bytes that are no HTTP end that connection only."""
    shared.install("echo")
    received = exchange(shared.address, sent)
    assert received == b"" or received.startswith(b"HTTP/1.1 4")
    assert shared.execute("echo")["success"] is True
    assert shared.health()["inflight"] == 0


def test_a_slow_sender_holds_up_nobody(shared: Runtime) -> None:
    """A request that arrives in pieces is served when it is whole, and others are served meanwhile."""
    shared.install("echo")
    body = b'{"plugin": "echo", "input": "slow"}'
    with shared.address.connect() as slow:
        for byte in b"POST /execute HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:-1]:
            slow.sendall(bytes([byte]))
        assert shared.execute("echo", "quick")["output"]["input"] == "quick"
        slow.sendall(body[-1:])
        assert slow.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_the_token_is_demanded(start: StartRuntime) -> None:
    """With a token set every call needs it, health too."""
    token = "s3cret-token"  # noqa: S105 - made up for this test
    runtime = start(WSMGR_TOKEN=token)
    assert runtime.run("echo", 1)["success"] is True
    for wrong in (None, token[:-1], f"{token}2", "wrong"):
        stranger = Connection(runtime.address, wrong)
        try:
            answer = stranger.call("GET", "/health")
            assert (answer.status, answer.error["type"]) == (401, "unauthorized")
        finally:
            stranger.close()


def test_it_listens_on_tcp(start: StartRuntime) -> None:
    """`LISTEN=127.0.0.1:0` binds a free port and says which."""
    runtime = start(LISTEN="127.0.0.1:0")
    assert runtime.address.path is None
    assert runtime.address.host == "127.0.0.1"
    assert runtime.run("echo", 1)["success"] is True


def test_it_listens_on_a_socket_that_was_handed_in(launcher: Launcher, folder: Path) -> None:
    """`LISTEN=fd:N` takes the listening socket that it was started with: nobody needs to see a name of it."""
    path = folder / "outside.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
        bound.listen()
        number = bound.fileno()
        process = Process(launcher, folder, {"LISTEN": f"fd:{number}"}, handed_in=[number])
    try:
        until(lambda: f'"fd:{number}"' in process.stdout.read_text())
        connection = Connection(Address(path=str(path)))
        assert connection.call("GET", "/health").body["status"] == "healthy"
        connection.close()
        process.signal(signal.SIGTERM)
        assert process.wait() == 0
        assert path.exists(), "whoever made it takes it away"
    finally:
        process.end()


def test_the_socket_is_private_and_replaces_a_stale_one(start: StartRuntime, folder: Path) -> None:
    """The socket has mode 0666 (its directory decides who gets there); a killed predecessor's is no obstacle."""
    path = str(folder / "shared.sock")
    first = start(LISTEN=path)
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o666
    first.process.end()
    assert start(LISTEN=path).health()["status"] == "healthy"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LISTEN", "nonsense"), ("LISTEN", "99999"), ("WSMGR_MEMORY_MB", "lots"), ("WSMGR_CONCURRENCY", "0"),
        ("WSMGR_OUTPUT_BYTES", "-1"), ("WSMGR_TOKEN", "with space"), ("LISTEN", "/dev/null"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_named(launcher: Launcher, folder: Path, name: str, value: str) -> None:
    """A value that cannot be used ends the start with exit code 2 and one line that names the variable."""
    process = Process(launcher, folder, {"LISTEN": str(folder / "s.sock"), name: value})
    try:
        assert process.wait() == 2
        (line,) = process.stderr.read_text().splitlines()
        assert name in line
    finally:
        process.end()


def test_an_address_in_use_is_said(start: StartRuntime, launcher: Launcher, folder: Path) -> None:
    """A taken port ends the start with a line, not a stack."""
    taken: Address = start(LISTEN="127.0.0.1:0").address
    second = folder / "second"
    second.mkdir()
    process = Process(launcher, second, {"LISTEN": f"127.0.0.1:{taken.port}"})
    try:
        assert process.wait() == 2
        assert len(process.stderr.read_text().splitlines()) == 1
    finally:
        process.end()


def test_timeouts_are_kept_on_a_busy_connection(shared: Runtime) -> None:
    """Answers after a timeout go to the right requests on one kept-alive connection."""
    shared.install("spins", "echo")
    for number in range(3):
        failed(shared.execute("spins", timeoutMs=30), "Timeout")
        assert shared.execute("echo", number)["output"]["input"] == number
