"""Engines with the real runtime in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.adapters.worker.inside import Inside
from tests.adapters.worker.rig import NO_BWRAP, NODE, RUNTIME, require_bwrap, short_folder, unique
from wsmgr.adapters.worker import NoneEngine, WorkerEngine


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, readable by this user."""
    with short_folder() as made:
        yield made


@pytest.fixture
async def sandbox(folder: Path) -> AsyncIterator[Inside]:
    """A workspace in bubblewrap."""
    require_bwrap()
    async with Inside.of(WorkerEngine(node=NODE, runtime=RUNTIME, state=folder / "s", instance=unique())) as inside:
        yield inside


@pytest.fixture
async def plain(folder: Path) -> AsyncIterator[Inside]:
    """A workspace as a plain process: the control, in which what a sandbox denies works."""
    engine = WorkerEngine(node=NODE, runtime=RUNTIME, state=folder / "p", instance=unique(), bwrap=NO_BWRAP)
    async with Inside.of(engine) as inside:
        yield inside


@pytest.fixture
async def none(folder: Path) -> AsyncIterator[NoneEngine]:
    """The shared engine, opened."""
    engine = NoneEngine(node=NODE, runtime=RUNTIME, state=folder / "n", instance=unique())
    await engine.open()
    yield engine
    await engine.close()
