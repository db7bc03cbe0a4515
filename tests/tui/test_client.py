"""The client of the terminal UI: the live view needs little, and the rest comes when it is asked for."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.client.canned import fleet_snapshot
from tests.client.fake_daemon import Answer, FakeDaemon
from tests.docs.page import ROOT
from tui.client import LateClient
from wsmgr.client import ConnectionLost, DaemonUnreachable, operations
from wsmgr.client.asking import PATH, ask
from wsmgr.client.target import UnixTarget
from wsmgr.wire.fleet import FleetUpdate

STREAM = f"event: snapshot\ndata: {fleet_snapshot().model_dump_json()}\n\n".encode()


async def _heard(client: LateClient) -> list[FleetUpdate]:
    updates = client.fleet()
    found = [await anext(updates)]
    with pytest.raises(ConnectionLost):
        await anext(updates)
    return found


async def test_it_does_all_that_the_screens_ask_for(tmp_path: Path) -> None:
    """The live view more than once, the first time on the connection that was made before it; calls; events."""
    with FakeDaemon(tmp_path / "s") as daemon:
        daemon.told["GET", PATH] = lambda _: Answer(200, STREAM, "text/event-stream")
        target = UnixTarget(tmp_path / "s")
        client = LateClient(target, ask(target))
        assert await _heard(client) == [fleet_snapshot()]
        assert await _heard(client) == [fleet_snapshot()]
        assert [seen.path for seen in daemon.seen] == [PATH, PATH]
        assert (await client.call(operations.workspace("user:alice"))).id == "user:alice"
        await client.close()


async def test_nobody_there_is_told_by_each(tmp_path: Path) -> None:
    """By the live view, by a call, and by the events."""
    client = LateClient(UnixTarget(tmp_path / "s"))
    with pytest.raises(DaemonUnreachable):
        await anext(client.fleet())
    with pytest.raises(DaemonUnreachable):
        await client.call(operations.health())
    with pytest.raises(DaemonUnreachable):
        await anext(client.follow())
    await client.close()


async def test_a_view_that_nobody_read_is_closed(tmp_path: Path) -> None:
    """Where the UI ends before it began."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    await LateClient(UnixTarget(tmp_path / "s"), ours).close()
    assert theirs.recv(1) == b""
    theirs.close()


def test_the_first_rows_wait_for_nothing_that_they_do_not_need() -> None:
    """No httpx, no table of calls, no screen but the fleet, no plots, no parser of configuration."""
    code = "import tui.run, tui.app, tui.client, tui.session, sys; print(*sys.modules)"
    seen = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, cwd=ROOT
    )
    loaded = set(seen.stdout.split())
    assert {"tui.screens.fleet", "textual", "wsmgr.client.live"} <= loaded
    assert not loaded & {"httpx", "plotext", "textual_plotext", "tomllib", "wsmgr.client.operations"}
    assert {name for name in loaded if name.startswith("tui.screens.")} == {
        "tui.screens.fleet",
        "tui.screens.named",
        "tui.screens.page",
    }
