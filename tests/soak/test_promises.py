"""The audit of promises, over the real API of a daemon on fakes: it is content, until something is lost."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon
from tests.soak import promises
from tests.soak.acts import Call, How, Place
from tests.soak.judge import echo_of
from tests.soak.ledger import Ledger, Told
from tests.soak.witness import Witness
from wsmgr.api.app import build
from wsmgr.api.identity import People, Tokens
from wsmgr.api.server import bind_unix, serve_until, server
from wsmgr.client import AsyncClient
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import ExecutionId, OwnerKey, Slug
from wsmgr.core.outcome import Outcome

CALL = Call(Place("ann"), How.OK, "probe", ms=0, named=True, twice=False, pause_s=0.0)
CODE = "export default (input) => input"


class Scene:
    """A daemon that has made promises, and the ledger of them."""

    def __init__(self, system: FakeDaemon, client: AsyncClient) -> None:
        self.system = system
        self.client = client
        self.ledger = Ledger()
        self.witness = Witness()

    async def promise(self) -> None:
        """A version stored, an execution answered, a wish taken, events heard."""
        history = self.ledger.history("user:ann", "probe")
        put = await self.client.put_plugin("user:ann", "probe", language="javascript", code=CODE)
        history.acknowledged(history.begin(put.version), 1)
        self.ledger.promised_events["user:ann", "plugin.put", f"probe {put.version[:12]}"] += 1
        told = self.ledger.new(CALL, "x")
        await self.client.start("user:ann", wait=10) if self.system.engine.running() else None
        echo = {"echo": echo_of(told), "nonce": "n", "boot": "b"}
        told.answered(await self.client.execute("ann", "probe", echo, execution_id="x"))
        await self.client.stop("user:ann", wait=10)
        self.ledger.desired["user:ann"] = {"STOPPED"}
        self.ledger.heard += sorted((await self.client.audit(limit=500)).items, key=lambda one: one.id)

    async def audit(self) -> list[str]:
        """All that is wrong."""
        wrong = await promises.audit(self.client, self.ledger, self.witness)
        return wrong + await promises.of_wishes(self.client, self.ledger.desired, "At the end")


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Promises made, and nothing lost yet."""
    system = await FakeDaemon(tmp_path).start()
    app = build(system.daemon, People(os.getuid(), [], []), Tokens({}))
    with tempfile.TemporaryDirectory() as folder:
        path, stopped = Path(folder) / "run" / "api.sock", asyncio.Event()
        listener = bind_unix(path)
        serving = asyncio.create_task(serve_until(server(app), [listener], stopped))
        async with AsyncClient(path) as client:
            scene = Scene(system, client)
            await scene.promise()
            yield scene
        stopped.set()
        await serving
        listener.close()
    await system.stop()


async def test_promises_that_were_kept(scene: Scene) -> None:
    """The control."""
    assert await scene.audit() == []


def lose_record(scene: Scene) -> None:
    """As a database that forgets a commit."""
    del scene.system.store._executions[ExecutionId("x")]


def change_record(scene: Scene) -> None:
    """Another outcome than the one that was told."""
    kept = scene.system.store._executions[ExecutionId("x")]
    outcome = Outcome({"nonce": "another"}, None, (), logs_truncated=False, duration_ms=1.0)
    scene.system.store._executions[ExecutionId("x")] = replace(kept, outcome=outcome)


def leave_running(scene: Scene) -> None:
    """A record that nobody ended."""
    kept = scene.system.store._executions[ExecutionId("x")]
    scene.system.store._executions[ExecutionId("x")] = replace(kept, state=ExecutionState.RUNNING, outcome=None)


def keep_refused(scene: Scene) -> None:
    """A record of what a caller was told did not run."""
    scene.ledger.told["x"] = Told("x", CALL)
    scene.ledger.told["x"].refused("never_started")


def lose_version(scene: Scene) -> None:
    """With its plugin."""
    scene.system.store._versions.clear()
    scene.system.daemon.plugins._current.clear()


def set_back(scene: Scene) -> None:
    """Another version is current than the one that was acknowledged last."""
    history = scene.ledger.history("user:ann", "probe")
    history.acknowledged(history.begin("0" * 64), 2)


def lose_event(scene: Scene) -> None:
    """The one of the put."""
    store = scene.system.store
    store._events = [event for event in store._events if event.action != "plugin.put"]


def change_event(scene: Scene) -> None:
    """It says something else than what was heard."""
    events = scene.system.store._events
    events[0] = replace(events[0], at=events[0].at + timedelta(seconds=1))


def miss_event(scene: Scene) -> None:
    """It is kept, and the listener never got it."""
    del scene.ledger.heard[1]


def hear_twice(scene: Scene) -> None:
    """A stream that goes on at the wrong place."""
    scene.ledger.heard.insert(1, scene.ledger.heard[0])


def forget_wish(scene: Scene) -> None:
    """Something else is wanted than what was said last."""
    scene.ledger.desired["user:ann"] = {"RUNNING"}


def forget_workspace(scene: Scene) -> None:
    """It was never heard of."""
    scene.ledger.desired["user:ben"] = {"STOPPED"}


@pytest.mark.parametrize(("break_", "sentence"), [
    (lose_record, "was answered and has no record"),
    (change_record, "is recorded as success another"),
    (leave_running, "still said to be running"),
    (keep_refused, "it did not run"),
    (lose_version, "was stored and is lost"),
    (set_back, "is current, not"),
    (lose_event, "is in the audit trail 0 times"),
    (change_event, "is not kept as it was"),
    (miss_event, "is kept and was not heard"),
    (hear_twice, "heard twice"),
    (forget_wish, "At the end: STOPPED is wanted of user:ann, and ['RUNNING'] was said last"),
    (forget_workspace, "At the end: GONE is wanted of user:ben"),
])  # fmt: skip
async def test_a_promise_that_was_broken(scene: Scene, break_: Callable[[Scene], None], sentence: str) -> None:
    """Each is told in a sentence of its own."""
    break_(scene)
    found = await scene.audit()
    assert any(sentence in one for one in found), found


async def test_a_version_that_is_lost_is_the_stores_own(scene: Scene) -> None:
    """The listing is asked, not the daemon's memory."""
    assert await scene.system.store.versions(OwnerKey("user:ann"), Slug("probe"))
