"""The engines that the contract holds for, as a table."""

from __future__ import annotations

import functools
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.adapters.worker.rig import none_rig, plain_rig, sandbox_rig
from tests.contract.engine.rig import OUTPUT_BYTES, Behaviour, Rig, small_spec
from tests.fakes.engine import FakeEngine, Script
from tests.podman.engine.rig import podman_rig
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Endpoint, Spec


def _script(spec: Spec) -> Script:
    if spec.output_bytes == OUTPUT_BYTES[Behaviour.EXITS]:
        return Script(exit_code=3)
    return Script(ignores_sigterm=spec.output_bytes == OUTPUT_BYTES[Behaviour.STUBBORN])


@asynccontextmanager
async def fake_rig(_folder: Path) -> AsyncIterator[Rig]:
    """The fake that the tests of `control` stand on."""
    engine = FakeEngine(script=_script)

    def peer_uid(at: Endpoint) -> int:
        return engine.listener(at)

    await engine.open()
    yield Rig(engine, functools.partial(small_spec, Isolation.CONTAINER, "fake"), peer_uid)
    await engine.close()


RIGS: dict[str, Callable[[Path], AbstractAsyncContextManager[Rig]]] = {
    "fake": fake_rig,
    "podman": podman_rig,
    "worker": sandbox_rig,
    "worker-plain": plain_rig,
    "none": none_rig,
}


@pytest.fixture(params=sorted(RIGS))
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """One engine after the other; `-k podman` picks one."""
    async with RIGS[request.param](tmp_path) as made:
        yield made


@pytest.fixture
def prefix() -> str:
    """Workspaces of one run never have the names of another's."""
    return f"user:t{os.getpid()}"
