"""A real engine for each test."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator

import pytest

from tests.contract.engine.rig import MakeSpec, small_spec
from tests.podman.engine.rig import IMAGE, Podman, podman_engine
from wsmgr.core.isolation import Isolation


@pytest.fixture
async def podman_() -> AsyncIterator[Podman]:
    """An opened engine on a service of its own."""
    async with podman_engine() as made:
        yield made


@pytest.fixture
def spec() -> MakeSpec:
    """Specs of the test image."""
    return functools.partial(small_spec, Isolation.CONTAINER, IMAGE)
