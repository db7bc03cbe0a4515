"""Alerts: once for each cause, resolved by themselves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon, until
from tests.fakes.engine import Script
from wsmgr.core.alert import Alert
from wsmgr.core.errors import EngineUnavailable, HostFull, NeverStarted, NotFound, StoreUnavailable
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import OwnerKey, WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.owner import Owner
from wsmgr.core.workspace import Phase

ALICE = WorkspaceId("user:alice")
DOWN = "Podman does not answer."


async def all_of(system: FakeDaemon) -> list[Alert]:
    """All alerts, oldest first."""
    return list(await system.store.alerts(100, None, resolved=True))[::-1]


async def of(system: FakeDaemon, cause: str) -> list[Alert]:
    """The alerts of a cause, oldest first."""
    return [alert for alert in await all_of(system) if alert.cause == cause]


async def broken(path: Path) -> FakeDaemon:
    """A daemon whose workspace user:alice is in ERROR: every container exits at once."""
    system = FakeDaemon(path)
    system.engine.program(lambda _: Script(exit_code=2))
    await system.start()
    await system.put()
    with pytest.raises(NeverStarted):
        await system.execute()
    await until(lambda: system.daemon.fleet.get(ALICE).unit.phase is Phase.ERROR)
    await asyncio.sleep(1)
    return system


def mend(system: FakeDaemon) -> None:
    """From now on containers stay."""
    system.engine.program(lambda _: Script())


async def test_a_workspace_that_gave_up_is_one_alert_until_it_runs(tmp_path: Path) -> None:
    """A recovery that fails is the same alert still; one that works resolves it."""
    system = await broken(tmp_path)
    (alert,) = await all_of(system)
    assert (alert.cause, alert.workspace, alert.resolved_at) == ("workspace.error:user:alice", ALICE, None)
    assert "code 2" in alert.sentence
    await system.daemon.workspaces.recover(ALICE, "uid:0", 30)
    await until(lambda: system.daemon.fleet.get(ALICE).unit.phase is Phase.ERROR)
    await asyncio.sleep(20)
    assert await all_of(system) == [alert]
    mend(system)
    await system.daemon.workspaces.recover(ALICE, "uid:0", 30)
    await asyncio.sleep(1)
    (resolved,) = await all_of(system)
    assert resolved.resolved_at is not None
    assert [action for action in system.actions() if action.startswith("alert.")] == ["alert.raised", "alert.resolved"]
    await system.stop()


@pytest.mark.parametrize("verb", ["stop", "delete"])
async def test_a_workspace_that_is_not_wanted_any_more_is_no_alert(tmp_path: Path, verb: str) -> None:
    """Stopped or removed by a person."""
    system = await broken(tmp_path)
    assert [alert.resolved_at for alert in await all_of(system)] == [None]
    await getattr(system.daemon.workspaces, verb)(ALICE, "uid:0", 10)
    await asyncio.sleep(6)
    assert [alert.resolved_at is None for alert in await all_of(system)] == [False]
    await system.stop()


async def test_an_engine_that_is_away_is_one_alert_until_it_is_back(system: FakeDaemon) -> None:
    """However often it is asked meanwhile; the next time is another alert."""
    for _ in range(2):
        system.engine.down = DOWN
        await asyncio.sleep(60)
        system.engine.down = None
        await asyncio.sleep(60)
    alerts = await of(system, "engine.away:container")
    assert [alert.resolved_at is not None for alert in alerts] == [True, True]
    assert DOWN in alerts[0].sentence
    assert len(await all_of(system)) == 2


async def test_an_engine_that_nobody_is_to_use_is_no_alert(tmp_path: Path) -> None:
    """A host without podman; until an owner chooses containers."""
    system = FakeDaemon(tmp_path, isolation="worker")
    system.engine.down = DOWN
    await system.start()
    await asyncio.sleep(30)
    assert "engine.away" in system.actions()
    assert await all_of(system) == []
    await system.daemon.owners.put(Owner(OwnerKey("user:alice"), isolation=Isolation.CONTAINER), "uid:0")
    await system.daemon.fleet.ensure(ALICE)
    await asyncio.sleep(10)
    assert [alert.cause for alert in await all_of(system)] == ["engine.away:container"]
    await system.stop()


async def test_a_stand_in_is_an_alert_until_it_ends(system: FakeDaemon) -> None:
    """Of that workspace; nothing falls back silently."""
    system.engine.down = DOWN
    await system.execute()
    await asyncio.sleep(1)
    (alert,) = await of(system, "workspace.degraded:user:alice")
    assert alert.resolved_at is None
    assert DOWN in alert.sentence
    system.engine.down = None
    await until(lambda: "workspace.restored" in system.actions())
    await asyncio.sleep(1)
    (resolved,) = await of(system, "workspace.degraded:user:alice")
    assert resolved.resolved_at is not None


async def test_a_stand_in_that_the_policy_ends_is_resolved_too(system: FakeDaemon) -> None:
    """Though no engine came back."""
    system.engine.down = DOWN
    await system.execute()
    await system.daemon.owners.put(Owner(OwnerKey("user:alice"), fallback=False), "uid:0")
    with pytest.raises(EngineUnavailable):
        await system.execute()
    await asyncio.sleep(6)
    (resolved,) = await of(system, "workspace.degraded:user:alice")
    assert resolved.resolved_at is not None


async def test_dropped_records_are_an_alert_while_they_are_dropped(system: FakeDaemon) -> None:
    """And for a minute after the last one."""
    system.store.fail_next("note", StoreUnavailable("asked for"))
    await system.execute()
    await asyncio.sleep(10)
    (alert,) = await of(system, "records.dropped")
    assert alert.resolved_at is None
    await asyncio.sleep(60)
    (resolved,) = await of(system, "records.dropped")
    assert resolved.resolved_at is not None


async def test_a_database_that_was_away_gets_its_alerts_later(system: FakeDaemon) -> None:
    """What could not be kept is kept by a later look, once."""
    for _ in range(3):
        system.store.fail_next("raise_alert", StoreUnavailable("asked for"))
    system.engine.down = DOWN
    await asyncio.sleep(60)
    assert len(await all_of(system)) == 1
    assert system.store.calls.count("raise_alert") == 4


async def test_a_new_daemon_resolves_what_ended_with_the_old_one(system: FakeDaemon, tmp_path: Path) -> None:
    """And raises nothing twice that goes on."""
    system.engine.down = DOWN
    await system.execute()
    await asyncio.sleep(5)
    before = await all_of(system)
    assert {alert.cause for alert in before} == {"engine.away:container", "workspace.degraded:user:alice"}
    await system.crash()
    second = FakeDaemon(tmp_path)
    second.adopt_world_of(system)
    await second.start()
    await asyncio.sleep(5)
    assert [alert.cause for alert in await second.store.open_alerts()] == ["engine.away:container"]
    assert len(await all_of(second)) == 2
    second.engine.down = None
    await asyncio.sleep(5)
    assert await second.store.open_alerts() == []
    await second.stop()


async def test_an_alert_of_an_error_outlives_the_daemon(tmp_path: Path) -> None:
    """The next one tries the workspace anew: it is resolved when that works, and not raised twice when not."""
    system = await broken(tmp_path)
    await system.crash()
    second = FakeDaemon(tmp_path)
    second.adopt_world_of(system)
    await second.start()
    await until(lambda: second.daemon.fleet.get(ALICE).unit.phase is Phase.ERROR)
    await asyncio.sleep(10)
    assert [alert.resolved_at for alert in await all_of(second)] == [None]
    await second.stop()


async def test_an_acknowledgement_is_told_once(system: FakeDaemon) -> None:
    """The alert stays open; an unknown one is refused."""
    system.engine.down = DOWN
    await asyncio.sleep(60)
    (alert,) = await all_of(system)
    known = await system.daemon.alerts.acknowledge(alert.id, "uid:1")
    again = await system.daemon.alerts.acknowledge(alert.id, "uid:2")
    assert (known.acknowledged_by, again.acknowledged_by, again.resolved_at) == ("uid:1", "uid:1", None)
    assert system.actions().count("alert.acknowledged") == 1
    with pytest.raises(NotFound):
        await system.daemon.alerts.acknowledge(77, "uid:1")


async def test_a_full_host_is_an_alert_until_nobody_is_refused(tmp_path: Path) -> None:
    """Raised by a refusal, with the figures; resolved a while after the last one."""
    system = await FakeDaemon(tmp_path, memory_mb=200.0, memory_budget=1).start()
    await system.put("user:alice")
    await system.put("user:bob")
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute("user:alice"))
        await until(lambda: any(method == "execute" for method, _ in system.channel.asked), 10)
        with pytest.raises(HostFull):
            await system.execute("user:bob")
    await call
    await until(lambda: "alert.raised" in system.actions())
    (alert,) = await of(system, "host.full")
    assert "200 MB" in alert.sentence
    await asyncio.sleep(50)
    assert (await of(system, "host.full"))[0].resolved_at is None
    await until(lambda: "alert.resolved" in system.actions(), 30)
    await system.stop()


async def test_an_error_outlives_the_daemon(tmp_path: Path) -> None:
    """The next daemon does not begin anew: same phase, same cause, same alert; recover ends it, for ever."""
    system = await broken(tmp_path)
    (alert,) = await all_of(system)
    await system.crash()
    after = FakeDaemon(tmp_path)
    after.adopt_world_of(system)
    already = len(after.engine.calls)
    await after.start()
    await until(lambda: after.daemon.fleet.get(ALICE).unit.phase is Phase.ERROR)
    assert "code 2" in after.daemon.fleet.get(ALICE).unit.reason
    with pytest.raises(NeverStarted, match="code 2"):
        await after.execute()
    assert [call for call in after.engine.calls[already:] if call[0] in {"create", "start"}] == []
    await asyncio.sleep(20)
    assert await all_of(after) == [alert]
    mend(after)
    await after.daemon.workspaces.recover(ALICE, "uid:0", 30)
    await after.crash()
    last = FakeDaemon(tmp_path)
    last.adopt_world_of(after)
    await last.start()
    assert (await last.execute()).state is ExecutionState.SUCCEEDED
    await last.stop()
