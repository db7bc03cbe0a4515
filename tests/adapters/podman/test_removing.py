"""Removing over what podman forgot, against a scripted service on a real unix socket."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.podman_proxy import Answers, PodmanProxy, Says
from wsmgr.adapters.podman.calls import Answer, PodmanCalls
from wsmgr.adapters.podman.removing import is_gone, remove_container

ONE = "/containers/c1"


@pytest.fixture
async def scripted() -> AsyncIterator[tuple[PodmanProxy, PodmanCalls]]:
    """A podman of which every answer is a rule's, and calls to it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.sock"
        with PodmanProxy(path, Path(folder) / "nobody") as proxy:
            calls = PodmanCalls(path, threads=1, timeout_s=2.0)
            try:
                yield proxy, calls
            finally:
                calls.close()


@pytest.mark.parametrize(("status", "asked"), [
    ("created", ["GET", "POST", "DELETE"]),
    ("configured", ["GET", "POST", "DELETE"]),
    ("stopping", ["GET", "POST", "POST", "DELETE"]),
    ("running", ["GET", "DELETE"]),
    ("exited", ["GET", "DELETE"]),
])  # fmt: skip
async def test_what_may_be_half_started_or_half_stopped_is_met_first(
    scripted: tuple[PodmanProxy, PodmanCalls], status: str, asked: list[str]
) -> None:
    """Whatever podman says to that: a start fails where there are remains, and clears them away by failing."""
    proxy, calls = scripted
    proxy.spoil("GET", f"{ONE}/json", Says(200, json.dumps({"State": {"Status": status}})))
    proxy.spoil("POST", f"{ONE}/init", Answers(500, "container with given ID already exists"))
    proxy.spoil("POST", f"{ONE}/(kill|wait)", Answers(500, "it is gone by now"))
    proxy.spoil("DELETE", ONE, Says(200, "[]"))
    assert (await remove_container(calls, "c1", 2.0)).ok
    assert [one.method for one in proxy.asked] == asked


@pytest.mark.parametrize("inspected", [Answers(404, "no such container"), Answers(500, "no such container")])
async def test_what_is_not_there_is_only_removed(scripted: tuple[PodmanProxy, PodmanCalls], inspected: Answers) -> None:
    """A name may be taken by storage alone."""
    proxy, calls = scripted
    proxy.spoil("GET", f"{ONE}/json", inspected)
    proxy.spoil("DELETE", ONE, Answers(404, "no such container"))
    assert is_gone(await remove_container(calls, "c1", 2.0))
    assert [one.method for one in proxy.asked] == ["GET", "DELETE"]


@pytest.mark.parametrize(("status", "message", "gone"), [
    (404, "anything", True),
    (500, "container abc does not exist in database: no such container", True),
    (500, "no space left on device", False),
    (409, "no such container", False),
])  # fmt: skip
def test_podman_has_two_ways_to_say_that_there_is_none(status: int, message: str, gone: bool) -> None:
    """The second one only at the very moment of a removal."""
    assert is_gone(Answer(status, Answers(status, message).body())) is gone
