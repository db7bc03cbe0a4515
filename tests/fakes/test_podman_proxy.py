"""The proxy spoils what it was told to, and nothing else."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fakes.podman_proxy import Answers, Delays, Drops, Forgets, Hangs, PodmanProxy

LIST = "/v4.0.0/libpod/containers/json"
START = "/v4.0.0/libpod/containers/abc/start"


class Upstream:
    """Answers every request with its own first line and body, and remembers them."""

    def __init__(self, path: Path) -> None:
        self.seen: list[str] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as file:
                first, length = file.readline().decode().strip(), 0
                while line := file.readline().decode().strip():
                    name, _, value = line.partition(": ")
                    length = int(value) if name.lower() == "content-length" else length
                said = f"{first}|{file.read(length).decode()}"
                self.seen.append(said)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(said)}\r\nConnection: close\r\n\r\n"
                connection.sendall(head.encode() + said.encode())


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Upstream]:
    """What stands for podman."""
    upstream = Upstream(tmp_path / "up")
    yield upstream
    upstream.close()


@pytest.fixture
def proxy(tmp_path: Path, upstream: Upstream) -> Iterator[PodmanProxy]:
    """The proxy before it."""
    assert upstream.seen == []
    with PodmanProxy(tmp_path / "p", tmp_path / "up") as proxy:
        yield proxy


def ask(path: Path, method: str, target: str, body: str | None = None, timeout_s: float = 5.0) -> tuple[int, str]:
    """One request on a connection of its own: status and body."""
    client = http.client.HTTPConnection("podman", timeout=timeout_s)
    client.sock = socket.socket(socket.AF_UNIX)
    client.sock.settimeout(timeout_s)
    try:
        client.sock.connect(str(path))
        client.request(method, target, body)
        answer = client.getresponse()
        return answer.status, answer.read().decode()
    finally:
        client.close()


def test_what_no_rule_matches_is_passed_on(tmp_path: Path, proxy: PodmanProxy, upstream: Upstream) -> None:
    """With its query and body; and it is counted."""
    proxy.spoil("POST", "/containers/json", Drops())
    assert ask(tmp_path / "p", "GET", LIST + "?all=true") == (200, f"GET {LIST}?all=true HTTP/1.1|")
    assert ask(tmp_path / "p", "POST", START, "body") == (200, f"POST {START} HTTP/1.1|body")
    assert len(upstream.seen) == 2
    assert (proxy.count("GET", "/containers/json"), proxy.count("POST", "/containers/.*/start")) == (1, 1)


def test_an_error_is_told_in_podmans_form_so_often(tmp_path: Path, proxy: PodmanProxy, upstream: Upstream) -> None:
    """Podman never hears of it."""
    proxy.spoil("POST", "/containers/.*/start", Answers(500, "no space left on device"), times=1)
    status, body = ask(tmp_path / "p", "POST", START)
    assert (status, json.loads(body)["message"], upstream.seen) == (500, "no space left on device", [])
    assert ask(tmp_path / "p", "POST", START)[0] == 200


def test_a_delay_is_waited_out_or_ended(tmp_path: Path, proxy: PodmanProxy) -> None:
    """A short one passes; a long one ends with its rule."""
    proxy.spoil("GET", ".*", Delays(0.2))
    begun = time.monotonic()
    assert ask(tmp_path / "p", "GET", LIST)[0] == 200
    assert time.monotonic() - begun >= 0.2
    proxy.behave()
    with ThreadPoolExecutor(1) as pool, proxy.spoiled("GET", ".*", Delays(60)):
        slow = pool.submit(ask, tmp_path / "p", "GET", LIST)
        while proxy.count("GET", ".*") < 2:
            assert not slow.done()
        proxy.behave()
        assert slow.result()[0] == 200


def test_what_hangs_gets_no_answer(tmp_path: Path, proxy: PodmanProxy, upstream: Upstream) -> None:
    """Until the client gives up."""
    proxy.spoil("GET", ".*", Hangs())
    with pytest.raises(TimeoutError):
        ask(tmp_path / "p", "GET", LIST, timeout_s=0.2)
    assert upstream.seen == []


@pytest.mark.parametrize(("spoiling", "done"), [(Drops(), 0), (Forgets(), 1)])
def test_a_connection_that_ends_before_its_answer(
    tmp_path: Path, proxy: PodmanProxy, upstream: Upstream, spoiling: Drops | Forgets, done: int
) -> None:
    """Whether podman did it is the difference."""
    proxy.spoil("POST", ".*", spoiling)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(tmp_path / "p", "POST", START)
    assert len(upstream.seen) == done


def test_without_podman_the_connection_ends(tmp_path: Path, proxy: PodmanProxy, upstream: Upstream) -> None:
    """As with a service that died."""
    upstream.seen.clear()
    (tmp_path / "up").unlink()
    with pytest.raises(http.client.RemoteDisconnected):
        ask(tmp_path / "p", "GET", LIST)
