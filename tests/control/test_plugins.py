"""Storing, refusing, rolling back and forgetting plugins."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.daemon import CODE, FakeDaemon, until
from wsmgr.core.errors import InvalidRequest, NotFound, StoreUnavailable, TooLarge
from wsmgr.core.ids import OwnerKey, Slug, WorkspaceId
from wsmgr.core.limits import FREE
from wsmgr.core.outcome import Failure, FailureType
from wsmgr.core.plugin import Language

ALICE = WorkspaceId("user:alice")
ECHO = Slug("echo")


async def test_code_that_does_not_load_is_refused_and_the_old_version_stays(system: FakeDaemon) -> None:
    """In the store, in the workspace, and for the next call."""
    first = await system.execute()
    system.runtime().refuses["echo"] = Failure(FailureType.LOAD_ERROR, "SyntaxError: no")
    with pytest.raises(InvalidRequest, match="SyntaxError"):
        await system.put(code="export default (")
    del system.runtime().refuses["echo"]
    assert (await system.execute()).version == first.version
    assert len(await system.daemon.plugins.versions(OwnerKey("user:alice"), ECHO)) == 1


async def test_a_load_that_a_stop_breaks_off_says_nothing_of_the_code(system: FakeDaemon) -> None:
    """The version is stored: a runtime that is being ended refuses everything."""
    await system.execute()
    system.runtime().refuses["echo"] = Failure(FailureType.LOAD_ERROR, "The load was called off.")
    with system.channel.held("put"), system.engine.held("stop"):
        putting = asyncio.create_task(system.put(code=CODE + "//2"))
        pushes = [method for method, _ in system.channel.asked].count("put")
        await until(lambda: [method for method, _ in system.channel.asked].count("put") > pushes)
        await system.daemon.workspaces.stop(ALICE, "uid:0")
        await until(lambda: system.daemon.fleet.get(ALICE).unit.endpoint is None)
    version = await putting
    assert (await system.execute()).version == version


async def test_put_says_whether_a_workspace_loaded_it(system: FakeDaemon) -> None:
    """Without a running workspace nothing has tried the code, and a warning says so."""
    put = await system.daemon.plugins.put(ALICE, ECHO, Language.JAVASCRIPT, CODE + "//1", "uid:0")
    assert (put.reloaded, len(put.warnings)) == (False, 1)
    await system.execute()
    put = await system.daemon.plugins.put(ALICE, ECHO, Language.JAVASCRIPT, CODE + "//2", "uid:0")
    assert (put.reloaded, put.warnings) == (True, ())


async def test_rollback_goes_back_and_forth(system: FakeDaemon) -> None:
    """To the version before, or to one that is named."""
    first = (await system.execute()).version
    second = await system.put(code="export default () => 2")
    back = await system.daemon.plugins.rollback(ALICE, ECHO, None, "uid:0")
    assert back.version.version == first == (await system.execute()).version
    forth = await system.daemon.plugins.rollback(ALICE, ECHO, second, "uid:0")
    assert forth.version.version == second == (await system.execute()).version


async def test_rollback_of_an_only_version_is_not_found(system: FakeDaemon) -> None:
    """There is nothing to go back to."""
    with pytest.raises(NotFound, match="no other version"):
        await system.daemon.plugins.rollback(ALICE, ECHO, None, "uid:0")


async def test_a_deleted_plugin_is_gone_everywhere(system: FakeDaemon) -> None:
    """From the store, the live workspace, and the memory of the daemon; twice is once."""
    await system.execute()
    await system.daemon.plugins.delete(ALICE, ECHO, "uid:0")
    await system.daemon.plugins.delete(ALICE, ECHO, "uid:0")
    assert system.runtime().plugins == {}
    with pytest.raises(NotFound):
        await system.execute()
    assert await system.daemon.plugins.all(OwnerKey("user:alice")) == ()


async def test_code_over_the_plans_cap_is_refused(system: FakeDaemon) -> None:
    """With the figures."""
    with pytest.raises(TooLarge) as refused:
        await system.put(code="x" * (FREE.limits.plugin_bytes + 1))
    assert refused.value.details["allowed"] == FREE.limits.plugin_bytes


async def test_a_version_that_the_store_did_not_take_is_not_current(system: FakeDaemon) -> None:
    """What is acknowledged is stored; what is not is not run by name."""
    first = (await system.execute()).version
    system.store.fail_next("put_version", StoreUnavailable("The disk is full."))
    with pytest.raises(StoreUnavailable):
        await system.put(code="export default () => 2")
    assert (await system.execute()).version == first


async def test_owners_do_not_see_each_others_plugins(system: FakeDaemon) -> None:
    """The same slug of another owner is another plugin."""
    with pytest.raises(NotFound):
        await system.execute("user:bob")
    await system.put("user:bob", code="export default () => 'bob'")
    bob, alice = await system.execute("user:bob"), await system.execute()
    assert bob.version != alice.version
    assert len(system.engine.running()) == 2


async def test_an_owners_workspaces_share_its_plugins(system: FakeDaemon) -> None:
    """A further workspace of the organisation runs the same plugin."""
    owner = await system.daemon.owners.get(OwnerKey("org:acme"))
    await system.daemon.owners.put(type(owner)(owner.key, plan="PRO"), "uid:0")
    await system.put("org:acme")
    one, two = await system.execute("org:acme"), await system.execute("org:acme~reports")
    assert one.version == two.version
    assert system.engine.running() == {WorkspaceId("org:acme"), WorkspaceId("org:acme~reports")}
