"""Secrets of a Python plugin, hunted by its neighbour. Each hunt has a control that finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.podman.daemon.rig import real_daemon, unrestricted_plans
from tests.podman.daemon.test_secrets import canary, digest, finders
from wsmgr.client import Client

HUNTER = Path(__file__).with_name("hunter.py.in")
ALICE = "user:snake"
PLACES = [
    "context", "secrets", "environment", "own memory", "files", "socket", "old socket", "inherited", "environs",
    "commands", "stacks", "memory", "vm", "traced", "taken", "descriptors", "init",
]  # fmt: skip


@dataclass(frozen=True)
class World:
    """`secret` is given to the plugin `keeper` as API_KEY; `planted` is in its configuration and in its /tmp."""

    client: Client
    secret: str
    planted: str

    def hunt(self, slug: str, places: list[str]) -> dict[str, dict[str, Any]]:
        """What a plugin found, by place."""
        answer = self.client.execute("snake", slug, places, timeout_ms=110_000)
        assert answer.success, answer.error
        found: dict[str, dict[str, Any]] = answer.output  # type: ignore[assignment]
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A keeper that has run and is still there, and a hunter beside it, whom validation does not hold up."""
    code = HUNTER.read_text(encoding="utf-8")
    plans = unrestricted_plans(tmp_path_factory.mktemp("plans"))
    with real_daemon(plans_file=plans) as daemon, daemon.client() as client:
        secret, planted = canary(), canary()
        client.put_owner(ALICE, plan="PRO")
        for slug in ("hunter", "keeper"):
            client.put_plugin(ALICE, slug, language="python", code=code)
        client.put_plugin_config(ALICE, "keeper", {"planted": planted})
        client.put_secret(ALICE, "keeper", "API_KEY", secret)
        assert client.execute("snake", "keeper", "plant").output == "planted"
        yield World(client, secret, planted)


def test_the_plugin_itself_finds_its_secret(world: World) -> None:
    """The control: the same code in the process that was given it, also by looking through all of its memory."""
    reports = world.hunt("keeper", ["context", "secrets", "own memory", "files"])
    assert {"secrets", "own memory"} <= finders(reports, world.secret)
    assert "context" in finders(reports, world.planted) - finders(reports, world.secret)


def test_a_neighbour_finds_nothing(world: World) -> None:
    """In its own memory, which was forked from the same process; in what the kernel shows of the others; by system
    calls; at the runtime's socket; in descriptors. The controls: it finds what the keeper left in their /tmp, looks
    through all of its own memory and the init's, which is open and knows nothing, and reads all command lines."""
    reports = world.hunt("hunter", PLACES)
    assert finders(reports, world.secret) == set(), reports
    assert finders(reports, world.planted) == {"files"}
    assert reports["own memory"]["bytes"] > 1_000_000
    assert reports["init"]["bytes"] > 10_000
    assert reports["commands"]["bytes"] > 10
    for place in ("environs", "memory", "vm", "traced", "taken", "descriptors"):
        assert (reports[place]["bytes"], bool(reports[place]["refused"])) == (0, True), (place, reports[place])
    assert reports["socket"]["refused"] == ["PermissionError"]
    assert reports["old socket"]["refused"] == ["FileNotFoundError"]


def test_the_secret_is_gone_with_its_removal(world: World) -> None:
    """The next call of the keeper has none, and its process holds none any more."""
    world.client.delete_secret(ALICE, "keeper", "API_KEY")
    reports = world.hunt("keeper", ["secrets", "own memory"])
    assert digest(world.secret) not in reports["secrets"]["found"] + reports["own memory"]["found"]
