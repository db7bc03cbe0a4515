"""A PodmanEngine on a podman service of its own, whose containers and service are gone afterwards."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import secrets
import socket
import struct
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.contract.engine.rig import Rig, small_spec
from wsmgr.adapters.podman.api_service import ApiService
from wsmgr.adapters.podman.engine import PodmanEngine
from wsmgr.adapters.podman.image import ImageBuilder
from wsmgr.core.errors import EngineUnavailable
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Endpoint

IMAGE = "localhost/wsmgr-engine-test:latest"
CONTAINERFILES = Path(__file__).parent / "containerfiles"


@dataclass(frozen=True)
class Podman:
    """One engine with the service it stands on; `instance` is unique to it."""

    engine: PodmanEngine
    service: ApiService
    socket: Path
    instance: str

    def another(self, **options: object) -> PodmanEngine:
        """A further engine of the same instance, as a restarted daemon would have it. Not opened."""
        return PodmanEngine(self.socket, self.instance, probe_image=IMAGE, service=self.service, **options)  # type: ignore[arg-type]


def refuse_root() -> None:
    """The podman tests fail, and never skip, where they cannot say anything."""
    if os.geteuid() == 0:
        pytest.fail("The podman tests need an unprivileged user with rootless podman: run them as the service user.")


async def podman(*arguments: str) -> str:
    """Run the podman program, apart from any service. Fails the test when it fails."""
    process = await asyncio.create_subprocess_exec(
        "podman", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd="/"
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return out.decode()


@asynccontextmanager
async def podman_engine() -> AsyncIterator[Podman]:
    """An opened engine."""
    refuse_root()
    await ImageBuilder(CONTAINERFILES).ensure_image(IMAGE)
    instance = f"test-{secrets.token_hex(6)}"
    # A short path: a unix socket's has at most 107 bytes, and pytest's folders are deep.
    with tempfile.TemporaryDirectory(prefix="wsmgr-test-") as folder:
        path = Path(folder) / "podman.sock"
        service = ApiService(path, check_every_s=0.5, answer_timeout_s=3.0, backoff_most_s=0.2)
        engine = PodmanEngine(path, instance, probe_image=IMAGE, service=service)
        try:
            await engine.open()
            yield Podman(engine, service, path, instance)
        finally:
            await engine.close()
            await service.end()
            await remove_all(f"label=wsmgr.instance={instance}")
            await remove_all(f"label=wsmgr.probe={instance}")


async def remove_all(selection: str) -> None:
    """Remove every container that a filter of `podman ps` selects."""
    ids = (await podman("ps", "--all", "--quiet", "--filter", selection)).split()
    if ids:
        await podman("rm", "--force", "--time=0", *ids)


async def inspect(handle: str) -> dict[str, object]:
    """What podman's own program says of a container."""
    found: dict[str, object] = json.loads(await podman("container", "inspect", handle))[0]
    return found


def peer_uid(at: Endpoint) -> int:
    """The uid on the host of whoever listens behind an endpoint. Raises OSError when nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        connection.connect(f"/proc/{at.pid}/root{at.socket}")
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", credentials)
    return int(uid)


def service_pid(podman_: Podman) -> int:
    """The podman service that this engine started."""
    process = podman_.service.own
    assert process is not None
    return process.pid


async def answers(engine: PodmanEngine) -> bool | None:
    """For `eventually`: until the engine works."""
    try:
        await engine.ping()
    except EngineUnavailable:
        return None
    return True


def words_of(pid: int) -> list[str]:
    """The command line of a process, empty when it is gone."""
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []


@asynccontextmanager
async def podman_rig(_folder: Path) -> AsyncIterator[Rig]:
    """For the engine contract."""
    async with podman_engine() as made:
        yield Rig(made.engine, functools.partial(small_spec, Isolation.CONTAINER, IMAGE), peer_uid)
