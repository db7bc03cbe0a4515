"""The channel into a real sandbox, and a plugin that turns against it."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from tests.adapters.worker.inside import Inside
from wsmgr.ports.channel import ProtocolViolation

PLANT = "fs.unlinkSync('/run/wsmgr/api.sock'); fs.symlinkSync(input, '/run/wsmgr/api.sock'); return 'planted'"


async def test_the_endpoint_is_reached_through_the_sandbox(sandbox: Inside) -> None:
    """Process 1 of the sandbox leads to a socket in its own tmpfs, whose listener is this user's."""
    assert sandbox.at.uid == os.getuid()
    assert await sandbox.run("return fs.readdirSync('/run/wsmgr')") == ["api.sock"]
    assert await sandbox.run("return input", [1, "two"]) == [1, "two"]


async def test_a_planted_symlink_leads_nowhere(sandbox: Inside, folder: Path) -> None:
    """A plugin puts a link to a socket of the host in place of its own. The control: a plain connect follows it."""
    path = folder / "host.sock"
    heard = asyncio.Event()

    async def hear(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set()
        writer.close()

    async with await asyncio.start_unix_server(hear, path):
        assert await sandbox.run(PLANT, str(path)) == "planted"
        sandbox.channel.forget(sandbox.at)
        with pytest.raises(ProtocolViolation):
            await sandbox.run("return 1")
        assert not heard.is_set()
        with socket.socket(socket.AF_UNIX) as naive:
            naive.connect(f"/proc/{sandbox.at.pid}/root{sandbox.at.socket}")
            await asyncio.wait_for(heard.wait(), 5.0)
