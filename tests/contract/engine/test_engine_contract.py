"""The contract of `wsmgr.ports.engine.Engine`, held by every engine."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.engine.eventually import eventually
from tests.contract.engine.rig import GREETING, Behaviour, Rig
from wsmgr.core.capability import Level
from wsmgr.core.errors import EngineFailure
from wsmgr.core.workspace import Absent, Created, Exited, Observed, Running, Spec

GRACE_S = 5.0


async def _running(rig: Rig, spec: Spec) -> Running:
    await rig.engine.start(await rig.engine.create(spec))
    observed = await rig.engine.observe(spec.workspace)
    assert isinstance(observed, Running)
    return observed


async def _exited(rig: Rig, spec: Spec) -> Exited:
    async def look() -> Exited | None:
        observed = await rig.engine.observe(spec.workspace)
        return observed if isinstance(observed, Exited) else None

    return await eventually(look)


async def _listens(rig: Rig, running: Running) -> int:
    async def look() -> int | None:
        try:
            return rig.peer_uid(running.endpoint)
        except OSError:
            return None

    return await eventually(look)


async def _listed(rig: Rig) -> dict[str, Observed]:
    return {found.workspace: found.observed for found in await rig.engine.list()}


async def test_nothing_is_known_of_a_workspace_that_was_never_made(rig: Rig, prefix: str) -> None:
    """An unknown workspace is Absent, not listed, and has no logs."""
    workspace = rig.spec(prefix).workspace
    assert await rig.engine.observe(workspace) == Absent()
    assert await rig.engine.list() == []
    assert await rig.engine.logs(workspace, 10) == []


async def test_versions_are_told_without_asking(rig: Rig) -> None:
    """By what it said of itself with its capabilities, or not at all."""
    await rig.engine.capabilities()
    versions = rig.engine.versions
    assert versions is None or (versions.engine and versions.runtime)


async def test_create_makes_and_does_not_start(rig: Rig, prefix: str) -> None:
    """After create the workspace is Created, under the handle that was returned, with the digest of its spec."""
    spec = rig.spec(prefix)
    handle = await rig.engine.create(spec)
    assert await rig.engine.observe(spec.workspace) == Created(handle, spec.digest)
    assert await _listed(rig) == {spec.workspace: Created(handle, spec.digest)}


async def test_create_again_returns_what_is_there(rig: Rig, prefix: str) -> None:
    """The same spec twice makes one container."""
    spec = rig.spec(prefix)
    assert await rig.engine.create(spec) == await rig.engine.create(spec)
    assert len(await rig.engine.list()) == 1


async def test_create_of_another_spec_under_the_same_name_is_refused(rig: Rig, prefix: str) -> None:
    """Drift is never hidden by returning a container of another digest."""
    handle = await rig.engine.create(rig.spec(prefix))
    other = rig.spec(prefix, generation=1)
    with pytest.raises(EngineFailure):
        await rig.engine.create(other)
    assert await rig.engine.observe(other.workspace) == Created(handle, rig.spec(prefix).digest)


async def test_start_runs_it(rig: Rig, prefix: str) -> None:
    """After start it is Running since just now, and the listener has the uid that the endpoint names."""
    spec = rig.spec(prefix, slot=7)
    running = await _running(rig, spec)
    assert running.digest == spec.digest
    assert not running.paused
    assert abs(datetime.now(UTC) - running.started_at) < timedelta(seconds=30)
    assert await _listens(rig, running) == running.endpoint.uid


async def test_start_again_changes_nothing(rig: Rig, prefix: str) -> None:
    """Starting what runs is success and leaves the same instance running."""
    spec = rig.spec(prefix)
    first = await _running(rig, spec)
    await rig.engine.start(first.handle)
    assert await rig.engine.observe(spec.workspace) == first
    assert await _listed(rig) == {spec.workspace: first}


async def test_start_of_a_missing_handle_is_refused(rig: Rig, prefix: str) -> None:
    """What was removed in between cannot be started, and that is said."""
    handle = await rig.engine.create(rig.spec(prefix))
    await rig.engine.remove(handle)
    with pytest.raises(EngineFailure):
        await rig.engine.start(handle)


async def test_stop_is_gentle_first(rig: Rig, prefix: str) -> None:
    """A main process that handles SIGTERM ends by itself, with its own exit code."""
    spec = rig.spec(prefix)
    running = await _running(rig, spec)
    await _listens(rig, running)
    await rig.engine.stop(running.handle, GRACE_S)
    assert await rig.engine.observe(spec.workspace) == Exited(running.handle, spec.digest, 0, oom_killed=False)


async def test_stop_kills_what_ignores_sigterm(rig: Rig, prefix: str) -> None:
    """A main process that ignores SIGTERM is killed after the grace, not before and not much later."""
    spec = rig.spec(prefix, Behaviour.STUBBORN)
    running = await _running(rig, spec)
    await _listens(rig, running)
    begin = time.monotonic()
    await rig.engine.stop(running.handle, 1.0)
    assert 0.9 <= time.monotonic() - begin < 8.0
    assert await rig.engine.observe(spec.workspace) == Exited(running.handle, spec.digest, 137, oom_killed=False)


async def test_stop_of_what_does_not_run_is_success(rig: Rig, prefix: str) -> None:
    """Stop may come twice, before start, and after remove."""
    spec = rig.spec(prefix)
    handle = await rig.engine.create(spec)
    await rig.engine.stop(handle, GRACE_S)
    await rig.engine.start(handle)
    await rig.engine.stop(handle, GRACE_S)
    await rig.engine.stop(handle, GRACE_S)
    assert isinstance(await rig.engine.observe(spec.workspace), Exited)
    await rig.engine.remove(handle)
    await rig.engine.stop(handle, GRACE_S)


@pytest.mark.parametrize("state", ["created", "running", "exited"])
async def test_remove_leaves_nothing(rig: Rig, prefix: str, state: str) -> None:
    """Whatever the state, remove makes it Absent; again is success; a new one can be made at once."""
    spec = rig.spec(prefix, Behaviour.STUBBORN)
    handle = await rig.engine.create(spec)
    if state != "created":
        await rig.engine.start(handle)
    if state == "exited":
        await rig.engine.stop(handle, 0.0)
    await rig.engine.remove(handle)
    assert await rig.engine.observe(spec.workspace) == Absent()
    assert await rig.engine.list() == []
    await rig.engine.remove(handle)
    assert (await _running(rig, spec)).digest == spec.digest


async def test_an_exit_is_seen_with_its_code(rig: Rig, prefix: str) -> None:
    """A main process that ends by itself is Exited with its code, in observe and in list."""
    spec = rig.spec(prefix, Behaviour.EXITS)
    handle = await rig.engine.create(spec)
    await rig.engine.start(handle)
    seen = await _exited(rig, spec)
    assert seen == Exited(handle, spec.digest, 3, oom_killed=False)
    assert await _listed(rig) == {spec.workspace: seen}


async def test_each_run_is_another_instance(rig: Rig, prefix: str) -> None:
    """A new container of the same workspace never has an endpoint equal to an older one's."""
    spec = rig.spec(prefix)
    first = await _running(rig, spec)
    await rig.engine.remove(first.handle)
    second = await _running(rig, spec)
    assert first.endpoint != second.endpoint
    assert first.endpoint.instance != second.endpoint.instance


async def test_workspaces_are_apart(rig: Rig, prefix: str) -> None:
    """Ids that differ only in case or by a name after `~` are different workspaces, with uids of their own."""
    ids = [prefix, prefix.upper().replace("USER", "user"), f"{prefix}~more", "org:" + "a.b@c-" * 20 + "x~reports"]
    runs = [await _running(rig, rig.spec(id_, slot=slot)) for slot, id_ in enumerate(ids)]
    assert len({run.handle for run in runs}) == len(ids)
    assert set(await _listed(rig)) == set(ids)
    await rig.engine.remove(runs[0].handle)
    assert set(await _listed(rig)) == set(ids[1:])


async def test_many_at_once(rig: Rig, prefix: str) -> None:
    """Concurrent creates, starts and removes of different workspaces do not disturb each other."""
    specs = [rig.spec(f"{prefix}~n{number}", slot=number) for number in range(8)]
    runs = await asyncio.gather(*(_running(rig, spec) for spec in specs))
    assert await _listed(rig) == {spec.workspace: run for spec, run in zip(specs, runs, strict=True)}
    await asyncio.gather(*(rig.engine.remove(run.handle) for run in runs))
    assert await rig.engine.list() == []


async def test_logs_are_the_last_lines(rig: Rig, prefix: str) -> None:
    """What the runtime wrote can be read while it runs and after it ended, oldest first, no more than asked for."""
    spec = rig.spec(prefix)
    running = await _running(rig, spec)
    await _listens(rig, running)
    lines = list(await rig.engine.logs(spec.workspace, 100))
    assert GREETING in lines
    await rig.engine.stop(running.handle, GRACE_S)
    after = list(await rig.engine.logs(spec.workspace, 100))
    assert GREETING in after
    assert list(await rig.engine.logs(spec.workspace, 1)) == after[-1:]


async def test_open_and_ping_may_be_called_again(rig: Rig) -> None:
    """An opened engine answers, and opening it again does no harm."""
    await rig.engine.open()
    await rig.engine.ping()


async def test_capabilities_carry_evidence(rig: Rig) -> None:
    """Each capability is named once, says what was seen, and names a mend unless it is enforced."""
    matrix = await rig.engine.capabilities()
    names = [capability.name for capability in matrix]
    assert len(set(names)) == len(names)
    assert {"memory", "cpu", "pids", "freeze", "network", "scratch", "channel"} <= set(names)
    for capability in matrix:
        assert capability.evidence
        assert capability.level is Level.ENFORCED or capability.mend
    assert await rig.engine.list() == []
