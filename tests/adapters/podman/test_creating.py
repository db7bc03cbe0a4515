"""A create that podman refuses for an image: one that is missing, and one that came while it was asked."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.adapters.podman.test_body import SPEC
from tests.fakes.podman_proxy import Answers, PodmanProxy, Says
from wsmgr.adapters.podman.calls import PodmanCalls
from wsmgr.adapters.podman.engine import PodmanEngine
from wsmgr.core.errors import EngineFailure

CREATE, EXISTS = "/containers/create", "/images/.+/exists"
UNKNOWN = Answers(500, "localhost/i:1: image not known")
IMAGED = replace(SPEC, image="localhost/i:1")


@pytest.fixture
async def scripted() -> AsyncIterator[tuple[PodmanProxy, PodmanEngine]]:
    """An engine on a podman that makes containers of any image, once its rules have been used up."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.sock"
        with PodmanProxy(path, Path(folder) / "nobody") as proxy:
            proxy.spoil("POST", CREATE, Says(201, json.dumps({"Id": "c1", "Warnings": []})))
            engine = PodmanEngine(path, "i", probe_image="x", timeout_s=2.0)
            # Not by `open`, which refuses root, as whom these tests may run.
            engine._calls = PodmanCalls(path, threads=2, timeout_s=2.0)
            try:
                yield proxy, engine
            finally:
                await engine.close()


async def test_an_image_that_is_missing_is_named(scripted: tuple[PodmanProxy, PodmanEngine]) -> None:
    """With what makes it; podman is not asked again."""
    proxy, engine = scripted
    proxy.spoil("POST", CREATE, UNKNOWN)
    proxy.spoil("GET", EXISTS, Answers(404, "no such image"))
    with pytest.raises(EngineFailure, match=r"localhost/i:1 is not on this host.*wsmgr image build"):
        await engine.create(IMAGED)
    assert proxy.count("POST", CREATE) == 1


async def test_an_image_that_came_meanwhile_is_used(scripted: tuple[PodmanProxy, PodmanEngine]) -> None:
    """Refused for want of it, and there when that is looked into: asked once more."""
    proxy, engine = scripted
    proxy.spoil("POST", CREATE, UNKNOWN, times=1)
    proxy.spoil("GET", EXISTS, Says(200, "{}"))
    assert await engine.create(IMAGED) == "c1"


async def test_a_refusal_for_another_reason_is_not_tried_again(scripted: tuple[PodmanProxy, PodmanEngine]) -> None:
    """With the image there, podman's own words are told."""
    proxy, engine = scripted
    proxy.spoil("POST", CREATE, Answers(500, "no space left on device"))
    proxy.spoil("GET", EXISTS, Says(200, "{}"))
    with pytest.raises(EngineFailure, match="no space left on device"):
        await engine.create(IMAGED)
    assert proxy.count("POST", CREATE) == 1
