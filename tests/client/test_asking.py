"""How the live view is asked for: the bytes, and asking before anything else is loaded."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import h11
import pytest

from tests.docs.page import ROOT
from wsmgr.client.asking import PATH, ask, request
from wsmgr.client.target import Target, UnixTarget, UrlTarget


@pytest.mark.parametrize(
    ("target", "path", "headers"),
    [
        (UnixTarget(Path("/s")), PATH, {"host": "wsmgr"}),
        (UrlTarget("http://127.0.0.1:1", "t"), PATH, {"host": "127.0.0.1:1", "authorization": "Bearer t"}),
        (UrlTarget("http://[::1]:1/wsmgr"), f"/wsmgr{PATH}", {"host": "[::1]:1"}),
    ],
)
def test_the_bytes_are_a_request(target: Target, path: str, headers: dict[str, str]) -> None:
    """As a server reads them."""
    server = h11.Connection(our_role=h11.SERVER)
    server.receive_data(request(target))
    seen = server.next_event()
    assert isinstance(seen, h11.Request)
    assert (seen.method, seen.target.decode()) == (b"GET", path)
    assert {key.decode(): value.decode() for key, value in seen.headers} == {"accept": "text/event-stream", **headers}
    assert isinstance(server.next_event(), h11.EndOfMessage)


def test_it_is_asked_for_at_once_where_somebody_listens(tmp_path: Path) -> None:
    """The daemon need not have taken the connection yet."""
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(tmp_path / "s"))
        daemon.listen()
        target = UnixTarget(tmp_path / "s")
        connection = ask(target)
        assert connection is not None
        theirs, _ = daemon.accept()
        assert theirs.recv(4096) == request(target)
        theirs.close()
        connection.close()


@pytest.mark.parametrize("target", [UnixTarget(Path("/nowhere/s")), UrlTarget("http://127.0.0.1:1")])
def test_where_it_does_not_work_at_once_nothing_is_said(target: Target) -> None:
    """Whoever connects in the usual way learns why."""
    assert ask(target) is None


def test_asking_loads_next_to_nothing() -> None:
    """It is there so that the rest can load meanwhile."""
    code = "import wsmgr.client.asking, sys; print(*sys.modules)"
    seen = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, cwd=ROOT
    )
    assert not set(seen.stdout.split()) & {"asyncio", "pydantic", "httpx", "h11", "rich"}
