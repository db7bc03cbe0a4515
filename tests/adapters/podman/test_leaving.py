"""Containers whose removal was cut short: podman lists them and cannot inspect them. They are removed, and hold up
nobody else."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.podman_proxy import Answers, PodmanProxy, Says
from wsmgr.adapters.podman.calls import PodmanCalls
from wsmgr.adapters.podman.engine import PodmanEngine
from wsmgr.adapters.podman.names import container_name
from wsmgr.core.errors import EngineFailure
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.workspace import Created

ANN = WorkspaceId("user:ann")
NAME = container_name("i", ANN)
LABELS = {"wsmgr.instance": "i", "wsmgr.workspace": ANN, "wsmgr.digest": "0.abc", "wsmgr.uid": "10000"}
ROW = {"Id": "c1", "Names": [NAME], "State": "removing", "Pid": 0, "ExitCode": 0, "StartedAt": 0, "Labels": LABELS}
LOST = Answers(500, 'getting container from store "c1": container not known')


@pytest.fixture
async def scripted() -> AsyncIterator[tuple[PodmanProxy, PodmanEngine]]:
    """An engine on a podman of which every answer is a rule's."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.sock"
        with PodmanProxy(path, Path(folder) / "nobody") as proxy:
            proxy.spoil("GET", "/containers/[^/]+/json", LOST)
            engine = PodmanEngine(path, "i", probe_image="x", timeout_s=2.0)
            proxy.spoil("GET", "/containers/json", Says(200, "[]"))
            # Not by `open`, which refuses root, as whom these tests may run.
            engine._calls = PodmanCalls(path, threads=2, timeout_s=2.0)
            try:
                yield proxy, engine
            finally:
                await engine.close()


async def test_it_is_seen_as_made_of_no_specification(scripted: tuple[PodmanProxy, PodmanEngine]) -> None:
    """In lists and by itself, so that whatever is wanted of the workspace, it is removed first."""
    proxy, engine = scripted
    proxy.spoil("GET", "/containers/json", Says(200, json.dumps([ROW])))
    assert [(one.workspace, one.observed) for one in await engine.list()] == [(ANN, Created("c1", ""))]
    assert await engine.observe(ANN) == Created("c1", "")


async def test_it_is_seen_in_any_state_when_its_storage_went_first(
    scripted: tuple[PodmanProxy, PodmanEngine],
) -> None:
    """Podman calls such a one created for ever (4.3.1, its service killed in a removal)."""
    proxy, engine = scripted
    proxy.spoil("GET", "/containers/json", Says(200, json.dumps([{**ROW, "State": "created"}])))
    assert await engine.observe(ANN) == Created("c1", "")
    (listed,) = (one.query for one in proxy.asked if one.path == "/containers/json")
    # Podman's own lists show it only among all.
    assert "filters" in listed
    assert "removing" not in listed


async def test_one_that_is_not_inspected_for_another_reason_is_not_taken_for_it(
    scripted: tuple[PodmanProxy, PodmanEngine],
) -> None:
    """It may run."""
    proxy, engine = scripted
    proxy.spoil("GET", "/containers/[^/]+/json", Answers(500, "locks are busy"))
    proxy.spoil("GET", "/containers/json", Says(200, "[]"))
    with pytest.raises(EngineFailure, match="locks are busy"):
        await engine.observe(ANN)
    (listed,) = (one.query for one in proxy.asked if one.path == "/containers/json")
    assert "removing" in listed


async def test_its_removal_is_asked_for_again(scripted: tuple[PodmanProxy, PodmanEngine]) -> None:
    """By force, and nothing else is tried on it."""
    proxy, engine = scripted
    proxy.spoil("DELETE", "/containers/c1", Says(200, "[]"))
    await engine.remove("c1")
    assert proxy.count("DELETE", "/containers/c1") == 1
    assert proxy.count("POST", ".*") == 0


async def test_another_failure_to_inspect_is_still_told(scripted: tuple[PodmanProxy, PodmanEngine]) -> None:
    """Only what a list shows as leaving is taken for that."""
    _, engine = scripted
    with pytest.raises(EngineFailure, match="container not known"):
        await engine.observe(ANN)
