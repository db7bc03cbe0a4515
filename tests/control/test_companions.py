"""Two languages under one owner: which workspace a call goes to, what is counted, and who makes room."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.fakes.daemon import FakeDaemon, until
from wsmgr.core.errors import QuotaExceeded
from wsmgr.core.ids import OwnerKey, Slug, Version, WorkspaceId
from wsmgr.core.outcome import Failure, FailureType
from wsmgr.core.plugin import Language, PluginSource, version_of
from wsmgr.core.runtime import Runtime
from wsmgr.core.workspace import Desired

CODE = "def execute(input, context):\n    return input\n"
MAIN, COMPANION = WorkspaceId("user:alice"), WorkspaceId("user:alice~python")


async def put_python(system: FakeDaemon, slug: str = "py", code: str = CODE, workspace: WorkspaceId = MAIN) -> Version:
    """Stores a Python plugin."""
    put = await system.daemon.plugins.put(workspace, Slug(slug), Language.PYTHON, code, "uid:0")
    return put.version.version


async def set_plan(system: FakeDaemon, plan: str) -> None:
    """The owner's plan."""
    await system.daemon.owners.change(OwnerKey("user:alice"), lambda owner: replace(owner, plan=plan), "uid:0")


async def test_a_python_call_goes_to_the_companion(system: FakeDaemon) -> None:
    """Asked of the owner's workspace, made from the other image; the workspace that was asked is not made for it."""
    version = await put_python(system)
    record = await system.execute(slug="py")
    assert (record.workspace, record.version, record.cold_start) == (COMPANION, version, True)
    assert system.daemon.fleet.find(MAIN) is None
    spec = system.daemon.fleet.spec(system.daemon.fleet.get(COMPANION), system.engine.isolation)
    assert (spec.runtime, spec.image) == (Runtime.PYTHON, system.settings.python_image)
    assert system.runtime(COMPANION).calls[0].context["workspace"] == COMPANION
    again = await system.execute(COMPANION, "py")
    assert (again.workspace, again.cold_start) == (COMPANION, False)


async def test_inline_code_and_named_versions_follow_their_language(system: FakeDaemon) -> None:
    """In all three forms of a call; JavaScript asked of the companion goes back."""
    version = await put_python(system)
    await system.put()
    inline = PluginSource(Slug("x"), version_of(Language.PYTHON, CODE), Language.PYTHON, CODE)
    assert (await system.execute(slug="x", inline=inline)).workspace == COMPANION
    assert (await system.execute(slug="py", version=version)).workspace == COMPANION
    assert (await system.execute(COMPANION, "echo")).workspace == MAIN


async def test_a_plugin_may_change_its_language(system: FakeDaemon) -> None:
    """The next call goes where the new version runs, and a version that is asked for by name where it runs."""
    first = await system.put(slug="both")
    assert (await system.execute(slug="both")).workspace == MAIN
    await put_python(system, "both")
    assert (await system.execute(slug="both")).workspace == COMPANION
    assert (await system.execute(slug="both", version=first)).workspace == MAIN


async def test_a_put_reaches_only_units_that_speak_the_language(system: FakeDaemon) -> None:
    """With both running, a version is loaded in one of them; one that does not load there is refused."""
    await set_plan(system, "PRO")
    await system.put()
    await put_python(system)
    await system.execute()
    await system.execute(slug="py")
    node, python = system.runtime(MAIN), system.runtime(COMPANION)
    assert (set(node.plugins), set(python.plugins)) == ({"echo"}, {"py"})
    version = await put_python(system, code=CODE + "\n")
    assert python.plugins[Slug("py")].version == version
    assert set(node.plugins) == {"echo"}
    node.refuses["py"] = Failure(FailureType.LOAD_ERROR, "never asked")
    assert (await system.daemon.plugins.rollback(MAIN, Slug("py"), None, "uid:0")).reloaded
    await system.daemon.plugins.delete(MAIN, Slug("py"), "uid:0")
    assert python.plugins == {}


async def test_nothing_is_tried_where_only_the_other_runtime_runs(system: FakeDaemon) -> None:
    """The warning says that whether it loads is not known yet."""
    await system.put()
    await system.execute()
    put = await system.daemon.plugins.put(MAIN, Slug("py"), Language.PYTHON, CODE, "uid:0")
    assert not put.reloaded
    assert "runs Python" in put.warnings[0].why


async def test_an_idle_one_of_the_other_runtime_makes_room(system: FakeDaemon) -> None:
    """In a plan of one, back and forth: never two at once, and the trail says why one was stopped."""
    await system.put()
    await put_python(system)
    for _ in range(2):
        assert (await system.execute()).workspace == MAIN
        assert system.engine.running() == {MAIN}
        assert (await system.execute(slug="py")).workspace == COMPANION
        assert system.engine.running() == {COMPANION}
    assert system.actions().count("workspace.place_stop") == 3
    assert system.daemon.fleet.get(MAIN).record.desired is Desired.STOPPED


async def test_one_in_use_does_not_make_room(system: FakeDaemon) -> None:
    """While its call is in flight the other language is refused, and may be tried again; nothing is cut short."""
    await system.put()
    await put_python(system)
    await system.execute()
    with system.channel.held("execute"):
        running = asyncio.create_task(system.execute())
        await until(lambda: system.runtime().inflight == 1)
        with pytest.raises(QuotaExceeded) as refused:
            await system.execute(slug="py")
        assert refused.value.retryable
    assert (await running).workspace == MAIN
    assert (await system.execute(slug="py")).workspace == COMPANION


async def test_one_of_the_same_runtime_never_makes_room(system: FakeDaemon) -> None:
    """An owner that asks for a second workspace of the same runtime is told that its plan has none."""
    await put_python(system)
    await system.execute(slug="py")
    with pytest.raises(QuotaExceeded):
        await system.execute(WorkspaceId("user:alice~reports"), "py")
    assert system.engine.running() == {COMPANION}


async def test_within_the_plan_nobody_is_stopped(system: FakeDaemon) -> None:
    """With places left both run side by side."""
    await set_plan(system, "PRO")
    await system.put()
    await put_python(system)
    await system.execute()
    await system.execute(slug="py")
    assert system.engine.running() == {MAIN, COMPANION}
    assert "workspace.place_stop" not in system.actions()


async def test_only_as_many_stop_as_have_to(system: FakeDaemon) -> None:
    """In a plan of three, of two that could go the companion goes, though the other was idle for longer."""
    await set_plan(system, "PRO")
    await system.put()
    await put_python(system)
    for name in ("user:alice~aa", "user:alice", "user:alice~bb"):
        await system.execute(WorkspaceId(name))
    await system.execute(slug="py")
    assert system.engine.running() == {"user:alice~aa", "user:alice~bb", COMPANION}


async def test_a_start_by_a_person_makes_room_too(system: FakeDaemon) -> None:
    """As a call does."""
    await system.put()
    await system.execute()
    await system.daemon.workspaces.put(COMPANION, Desired.RUNNING, "uid:0", 30.0)
    assert system.engine.running() == {COMPANION}
