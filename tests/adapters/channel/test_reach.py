"""The way to the socket: nothing that a workspace plants on it is followed, nobody else is spoken to."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.channel.rig import call
from tests.contract.channel.server import RuntimeServer, serving
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.adapters.channel.claim import PRIVATE
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import ChannelClosed, ProtocolViolation


@pytest.fixture
async def victim(tmp_path: Path) -> AsyncIterator[RuntimeServer]:
    """A socket of the host that nobody asked to talk to."""
    (tmp_path / "elsewhere").mkdir()
    async with serving(tmp_path / "elsewhere" / "api.sock") as made:
        yield made


def _link_to_socket(here: Path, victim: RuntimeServer) -> None:
    here.symlink_to(victim.path)


def _link_to_folder(here: Path, victim: RuntimeServer) -> None:
    here.parent.rmdir()
    here.parent.symlink_to(victim.path.parent)


def _file(here: Path, _victim: RuntimeServer) -> None:
    here.write_text("not a socket")


def _folder(here: Path, _victim: RuntimeServer) -> None:
    here.mkdir()


def _fifo(here: Path, _victim: RuntimeServer) -> None:
    os.mkfifo(here)


def _file_as_folder(here: Path, _victim: RuntimeServer) -> None:
    here.parent.rmdir()
    here.parent.write_text("not a folder")


PLANTED = [_link_to_socket, _link_to_folder, _file, _folder, _fifo, _file_as_folder]


@pytest.mark.parametrize("plant", PLANTED)
async def test_what_is_planted_is_not_followed(
    channel: RuntimeChannel, root: Path, victim: RuntimeServer, plant: Callable[[Path, RuntimeServer], None]
) -> None:
    """A violation, and nobody was spoken to. The control: a plain connect follows the links, and the real socket is
    reached by its own path."""
    here = root / "run" / "api.sock"
    here.parent.mkdir()
    plant(here, victim)
    at = Endpoint(os.getpid(), str(here), os.getuid(), "one")
    with pytest.raises(ProtocolViolation):
        await channel.execute(at, call())
    assert victim.connections == 0
    if plant in (_link_to_socket, _link_to_folder):
        with socket.socket(socket.AF_UNIX) as naive:
            naive.connect(f"/proc/{os.getpid()}/root{here}")
        await victim.until(lambda: victim.connections == 1)
    await channel.execute(replace(at, socket=str(victim.path.resolve())), call())


async def test_a_socket_of_another_type_is_refused(channel: RuntimeChannel, root: Path) -> None:
    """A datagram socket that someone listens on."""
    here = root / "api.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(here))
        with pytest.raises(ProtocolViolation):
            await channel.execute(Endpoint(os.getpid(), str(here), os.getuid(), "one"), call())


async def test_a_listener_of_another_uid_hears_nothing(
    channel: RuntimeChannel, server: RuntimeServer, at: Endpoint
) -> None:
    """The uid is looked at after the connection and before the first byte. A socket of another uid has been taken out
    of its reach by then; the control finds it where it is now, as a listener of this user."""
    with pytest.raises(ProtocolViolation, match=str(at.uid)):
        await channel.execute(replace(at, uid=at.uid + 1), call())
    await server.until(lambda: server.connections == 1 and not server.wires)
    assert server.requests == []
    await channel.execute(replace(at, socket=str(server.path.with_name(PRIVATE) / server.path.name)), call())


async def test_a_process_that_is_gone_is_gone(channel: RuntimeChannel, server: RuntimeServer, at: Endpoint) -> None:
    """Nothing sent; through a living process of the same root the same path is reached."""
    process = await asyncio.create_subprocess_exec("/bin/cat", stdin=asyncio.subprocess.PIPE)
    there = replace(at, pid=process.pid)
    await channel.execute(there, call())
    channel.forget(there)
    await server.until(lambda: not server.wires)
    process.kill()
    await process.wait()
    with pytest.raises(ChannelClosed) as caught:
        await channel.execute(there, call())
    assert not caught.value.sent


@pytest.mark.parametrize("path", ["run/api.sock", "/run/../run/api.sock", "//run/api.sock", "/run/./api.sock", "", "/"])
async def test_only_plain_absolute_paths_are_taken(channel: RuntimeChannel, path: str) -> None:
    """An endpoint is data of an engine; a strange one is refused before anything is opened."""
    with pytest.raises(ProtocolViolation):
        await channel.execute(Endpoint(os.getpid(), path, os.getuid(), "one"), call())


async def test_a_socket_that_nobody_listens_on_any_more(channel: RuntimeChannel, root: Path) -> None:
    """What a killed runtime leaves: nothing sent."""
    here = root / "api.sock"
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(here))
    with pytest.raises(ChannelClosed) as caught:
        await channel.execute(Endpoint(os.getpid(), str(here), os.getuid(), "one"), call())
    assert not caught.value.sent


async def test_concurrent_first_calls_each_get_through(channel: RuntimeChannel, at: Endpoint) -> None:
    """Opening is safe to do many times at once."""
    await asyncio.gather(*(channel.execute(at, call(f"e{number}")) for number in range(50)))
