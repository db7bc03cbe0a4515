"""Secrets, hunted: from a neighbour, from another owner, and from outside. Each hunt has a control that finds."""

from __future__ import annotations

import hashlib
import json
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contract.runtime.launch import node_binary
from tests.podman.daemon.rig import RealDaemon, podman, real_daemon, unrestricted_plans
from wsmgr.client import Client

# The first test also starts the daemon and two workspaces, and looks through whole heaps.
pytestmark = pytest.mark.timeout(400)

HUNTER = Path(__file__).with_name("hunter.js")
ALICE = "user:alice"
PLACES = [
    "context", "secrets", "environment", "report", "threads", "globals", "heap", "mainThread", "health", "neighbour",
    "environs", "commands", "memory", "descriptors", "files",
]  # fmt: skip
KEEPER = """
const { writeFileSync } = require('node:fs');
const hunt = (() => { const module = { exports: {} }; HUNTER; return module.exports; })();
module.exports = (input, context) => {
  if (input === 'plant') { writeFileSync('/tmp/planted', context.config.planted); return 'planted'; }
  if (input === 'leak') { console.log('my key is', context.secrets.API_KEY); throw new Error(context.secrets.API_KEY); }
  return hunt(input, context);
};
"""


def canary() -> str:
    """In the form that the hunter looks for."""
    return f"canary-{secrets.token_hex(16)}"


@dataclass(frozen=True)
class World:
    """`secret` is given to alice's plugin `keeper` as API_KEY; `planted` is in its configuration and in its /tmp."""

    daemon: RealDaemon
    client: Client
    secret: str
    planted: str

    def hunt(self, user: str, slug: str = "hunter", places: list[str] | None = None) -> dict[str, dict[str, Any]]:
        """What a plugin found, by place."""
        answer = self.client.execute(user, slug, places or PLACES, timeout_ms=110_000)
        assert answer.success, answer.error
        found: dict[str, dict[str, Any]] = answer.output  # type: ignore[assignment]
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A keeper that has run, and hunters beside it and elsewhere, whom nothing holds but the workspace."""
    hunter = HUNTER.read_text(encoding="utf-8")
    plans = unrestricted_plans(tmp_path_factory.mktemp("plans"))
    with real_daemon(plans_file=plans) as daemon, daemon.client() as client:
        secret, planted = canary(), canary()
        for user in ("alice", "bob"):
            # A picture of a heap takes more memory than a small plan has.
            client.put_owner(f"user:{user}", plan="PRO")
            client.put_plugin(f"user:{user}", "hunter", language="javascript", code=hunter)
        client.put_plugin(ALICE, "keeper", language="javascript", code=KEEPER.replace("HUNTER;", hunter))
        client.put_plugin_config(ALICE, "keeper", {"planted": planted})
        client.put_secret(ALICE, "keeper", "API_KEY", secret)
        assert client.execute("alice", "keeper", "plant").output == "planted"
        yield World(daemon, client, secret, planted)


def digest(value: str) -> str:
    """As the hunter tells what it found."""
    return hashlib.sha256(value.encode()).hexdigest()


def finders(reports: dict[str, dict[str, Any]], value: str) -> set[str]:
    """The places where a value was found."""
    return {place for place, report in reports.items() if digest(value) in report["found"]}


def test_the_plugin_itself_finds_its_secret(world: World) -> None:
    """The control of the hunts: the same code, run as the plugin that was given it."""
    reports = world.hunt("alice", "keeper", ["context", "secrets", "heap", "files"])
    assert {"secrets", "heap"} <= finders(reports, world.secret)
    # Printing the whole context shows the configuration, and no secret.
    assert "context" in finders(reports, world.planted) - finders(reports, world.secret)


def test_a_neighbour_of_the_same_owner_finds_nothing(world: World) -> None:
    """The same runtime, another thread: whose memory is closed also to itself, and which cannot call the keeper behind
    the daemon's back. The control: it finds what the keeper left in their /tmp, it reads its own heap and the
    environment of the init."""
    reports = world.hunt("alice")
    assert finders(reports, world.secret) == set(), reports
    assert finders(reports, world.planted) == {"files"}
    assert "EACCES" in reports["memory"]["refused"]
    assert "inspector" in str(reports["mainThread"]["refused"])
    assert reports["health"]["refused"] == reports["neighbour"]["refused"] == ["EACCES"]
    for place in ("heap", "environs", "commands", "files", "report"):
        assert reports[place]["bytes"] > 100, place


def test_the_hunt_finds_in_a_process_that_is_open() -> None:
    """The control of the two refusals: on this machine's own Node memory is read, and the main thread looked into."""
    value = canary()
    script = f"""
        const hunter = require({json.dumps(str(HUNTER))});
        const {{ Worker, isMainThread }} = require('node:worker_threads');
        if (isMainThread) {{
          globalThis.canary = ['canary', process.env.PART].join('-');
          new Worker(__filename).on('error', (error) => {{ throw error; }});
        }} else hunter(['memory', 'mainThread'], {{}}).then((found) => console.log(JSON.stringify(found)));
    """
    file = HUNTER.with_name(f".open-{value[-6:]}.cjs")
    try:
        file.write_text(script, encoding="utf-8")
        done = subprocess.run(
            [str(node_binary()), str(file)],
            env={"PART": value.removeprefix("canary-")}, capture_output=True, text=True, timeout=100, check=True,
        )  # fmt: skip
    finally:
        file.unlink(missing_ok=True)
    assert finders(json.loads(done.stdout), value) == {"memory", "mainThread"}


def test_another_owner_finds_nothing_at_all(world: World) -> None:
    """Neither the secret nor what was planted; its own hunt works."""
    reports = world.hunt("bob")
    assert finders(reports, world.secret) | finders(reports, world.planted) == set()
    assert reports["heap"]["bytes"] > 100


def test_what_a_plugin_prints_and_throws_is_masked(world: World) -> None:
    """In the answer and in the record."""
    answer = world.client.execute("alice", "keeper", "leak", execution_id="leak-1")
    assert answer.error is not None
    assert answer.logs[0].message == "my key is ***"
    assert "***" in answer.error.message
    told = answer.model_dump_json() + world.client.execution("leak-1").model_dump_json()
    assert world.secret not in told


def test_nobody_outside_sees_it(world: World) -> None:
    """Process list, `podman inspect`, the container's log, the daemon's log, the bytes of the database and of its log;
    each has something that is known to be there."""
    world.client.execute("alice", "keeper", "leak", execution_id="leak-2")
    container = world.daemon.container(ALICE)["Id"]
    database = b"".join(file.read_bytes() for file in sorted(world.daemon.state.glob("wsmgr.db*")))
    assert (world.daemon.state / "wsmgr.db-wal").exists()
    places: dict[str, tuple[bytes, str]] = {
        "ps": (ps(), "wsmgr.cli"),
        "inspect": (podman("inspect", container).encode(), "LISTEN=/run/wsmgr/api.sock"),
        "container log": (podman("logs", container).encode(), "listening"),
        "daemon log": (world.daemon.log.read_bytes(), "keeper: API_KEY"),
        "database": (database, world.planted),
        "key file": ((world.daemon.state / "secrets.keys").read_bytes(), "keep a copy"),
    }
    for place, (content, known) in places.items():
        assert known.encode() in content, place
        assert world.secret.encode() not in content, place


def ps() -> bytes:
    """Every process of the host that can be seen, with arguments and environment."""
    listed = subprocess.run(["ps", "axeww", "-o", "args"], capture_output=True, timeout=30, check=True)
    return listed.stdout


def test_no_answer_of_the_daemon_has_it(world: World) -> None:
    """Listings, records, events, metrics; the name is told."""
    told = [
        world.client.secrets(ALICE, "keeper"),
        world.client.plugin_config(ALICE, "keeper"),
        world.client.workspace(ALICE),
        world.client.executions(ALICE),
        world.client.audit(limit=500),
        world.client.workspace_logs(ALICE),
    ]
    text = "".join(one.model_dump_json() for one in told) + world.client.metrics()
    assert "keeper: API_KEY" in text
    assert world.secret not in text


def test_a_changed_secret_is_there_for_the_next_call(world: World) -> None:
    """And the old one is gone; removed, there is none. The version that people see stays the same."""
    version = world.client.plugin(ALICE, "keeper").items[0].version
    for value in (canary(), canary()):
        world.client.put_secret(ALICE, "keeper", "TURNS", value)
        assert digest(value) in world.hunt("alice", "keeper", ["secrets"])["secrets"]["found"]
    world.client.delete_secret(ALICE, "keeper", "TURNS")
    answer = world.client.execute("alice", "keeper", ["secrets"])
    assert answer.output["secrets"]["found"] == [digest(world.secret)]  # type: ignore[index]
    assert answer.plugin_version == version
    assert {one.slug: one.version for one in world.client.workspace(ALICE).plugins}["keeper"] == version


def test_secrets_outlive_the_daemon_and_a_rotation(world: World) -> None:
    """kill -9, the next daemon, a new key: what was acknowledged opens, and the old key does not."""
    before = (world.daemon.state / "secrets.keys").read_bytes()
    rotated = world.daemon.cli("secrets", "rotate", "--json")
    assert json.loads(rotated.stdout) == {"resealed": 1}
    after = (world.daemon.state / "secrets.keys").read_bytes()
    assert before.splitlines()[-1] not in after
    world.daemon.kill()
    world.daemon.start()
    assert finders(world.hunt("alice", "keeper", ["secrets"]), world.secret) == {"secrets"}
    world.daemon.kill()
    (world.daemon.state / "secrets.keys").unlink()
    refused = world.daemon.cli("serve")
    assert refused.returncode != 0
    assert "wsmgr secrets forget" in refused.stderr
    (world.daemon.state / "secrets.keys").write_bytes(after)
    (world.daemon.state / "secrets.keys").chmod(0o600)
    world.daemon.start()
    assert finders(world.hunt("alice", "keeper", ["secrets"]), world.secret) == {"secrets"}
