"""Validation before anything is loaded, bundles on their way, and versions that change under calls."""

from __future__ import annotations

import asyncio
import io
import tarfile

import pytest

from tests.fakes.daemon import CODE, FakeDaemon, until
from wsmgr.control.puts import Put, Upload
from wsmgr.core.errors import InvalidRequest, TooLarge
from wsmgr.core.ids import OwnerKey, Slug, WorkspaceId
from wsmgr.core.owner import Owner
from wsmgr.core.plugin import Language, source_of_code
from wsmgr.core.policy import Sighting
from wsmgr.ports.bundles import Format, Wishes

ALICE = WorkspaceId("user:alice")
OWNER = OwnerKey("user:alice")
ECHO = Slug("echo")
FILES = {"index.js": "module.exports = require('./a')", "a.js": "module.exports = (x) => x"}


def _archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


async def _put(system: FakeDaemon, files: dict[str, str]) -> Put:
    upload = Upload(_archive(files), Format.TAR_GZ, Wishes())
    return await system.daemon.plugins.put_bundle(ALICE, ECHO, upload, "uid:0")


async def test_a_bundle_is_stored_pushed_and_brought_back(system: FakeDaemon) -> None:
    """With all of its files, also to a workspace that has lost it."""
    await system.execute()
    put = await _put(system, FILES)
    assert put.reloaded
    held = system.runtime().plugins[ECHO]
    assert held.bundle is not None
    assert [file.path for file in held.bundle.files] == ["a.js", "index.js"]
    system.runtime().plugins.clear()
    assert (await system.execute()).version == put.version.version
    assert system.runtime().plugins[ECHO] == held
    assert (await system.daemon.plugins.versions(OWNER, ECHO))[0].size == held.size


async def test_a_bundle_keeps_to_the_plan(system: FakeDaemon) -> None:
    """Its bytes and its files."""
    await system.daemon.owners.put(Owner(OWNER, overrides={"pluginFiles": 1}), "uid:0")
    with pytest.raises(TooLarge, match="1 files"):
        await _put(system, FILES)
    await system.daemon.owners.put(Owner(OWNER, overrides={"pluginBytes": 1024}), "uid:0")
    with pytest.raises(TooLarge, match="1024 bytes"):
        await _put(system, {**FILES, "b.js": "x" * 1024})


async def test_what_is_refused_is_not_loaded_anywhere(system: FakeDaemon) -> None:
    """The details have every finding; the old version stays."""
    first = await system.execute()
    pushes = len(system.channel.asked)
    system.validator.sees["eval"] = Sighting("index.js", 3, 7, "js/dynamic-code", "eval")
    with pytest.raises(InvalidRequest, match=r"index\.js:3:7: error: eval") as caught:
        await system.put(code="eval('1')")
    assert caught.value.details["findings"] == [
        {
            "file": "index.js",
            "line": 3,
            "column": 7,
            "rule": "js/dynamic-code",
            "message": "eval: code made from text cannot be checked",
            "severity": "error",
        }
    ]
    assert len(system.channel.asked) == pushes
    assert (await system.execute()).version == first.version


async def test_warnings_come_with_the_version(system: FakeDaemon) -> None:
    """It is stored all the same."""
    await system.execute()
    system.validator.sees["proto"] = Sighting("index.js", 1, 1, "js/prototype", "x.__proto__")
    put = await system.daemon.plugins.put(ALICE, ECHO, Language.JAVASCRIPT, CODE + "// proto", "uid:0")
    assert [one.rule for one in put.warnings] == ["js/prototype"]


async def test_a_plan_that_lifts_the_restrictions_only_warns(system: FakeDaemon) -> None:
    """What a plugin may do there, it may also say."""
    await system.daemon.owners.put(Owner(OWNER, overrides={"unrestrictedRuntime": True}), "uid:0")
    system.validator.sees["spawn"] = Sighting("index.js", 1, 1, "js/process-spawn", "child_process")
    put = await system.daemon.plugins.put(ALICE, ECHO, Language.JAVASCRIPT, CODE + "// spawn", "uid:0")
    assert put.warnings[0].severity == "warning"
    system.validator.sees["spawn"] = Sighting("index.js", 1, 1, "syntax", "")
    with pytest.raises(InvalidRequest, match="not valid code"):
        await system.daemon.plugins.put(ALICE, ECHO, Language.JAVASCRIPT, CODE + "// spawn 2", "uid:0")


async def test_inline_code_is_looked_at_before_it_is_loaded(system: FakeDaemon) -> None:
    """Once: what a workspace holds was looked at."""
    system.validator.sees["eval"] = Sighting("index.js", 1, 1, "js/dynamic-code", "eval")
    bad, good = (source_of_code(Slug("inline"), Language.JAVASCRIPT, code) for code in ("eval('1')", "1"))
    with pytest.raises(InvalidRequest, match="eval"):
        await system.execute(slug="inline", inline=bad)
    before = len(system.validator.asked)
    for _ in range(3):
        await system.execute(slug="inline", inline=good)
    assert system.validator.asked[before:] == [good]


async def test_a_call_that_meets_a_version_not_yet_current_waits_for_it(system: FakeDaemon) -> None:
    """It is not pushed out again by the version that goes; the call runs the new one, and its record says so."""
    first = (await system.execute()).version
    with system.store.held("put_version"):
        putting = asyncio.create_task(system.put(code=CODE + "//2"))
        await until(lambda: system.runtime().plugins[ECHO].version != first)
        pushes = [method for method, _ in system.channel.asked].count("put")
        call = asyncio.create_task(system.execute(id="e-1"))
        await asyncio.sleep(1)
        assert not call.done()
    second = await putting
    record = await call
    assert (record.version, system.runtime().calls[-1].context["version"]) == (second, second)
    stored = await system.store.execution(record.id)
    assert stored is not None
    assert stored.version == second
    # The one push more finds the version there.
    assert [method for method, _ in system.channel.asked].count("put") == pushes + 1


async def test_a_version_that_was_asked_for_is_never_another(system: FakeDaemon) -> None:
    """Who names a version gets it, whatever is current."""
    first = (await system.execute()).version
    second = await system.put(code=CODE + "//2")
    assert (await system.execute(version=first)).version == first
    assert (await system.execute()).version == second


async def test_many_changes_under_many_calls_lose_none(system: FakeDaemon) -> None:
    """Each call has one version that was current between its begin and its end."""
    versions = [(await system.execute()).version]
    results: list[tuple[int, int, str]] = []

    async def caller() -> None:
        for _ in range(20):
            begun = len(versions) - 1
            record = await system.execute()
            results.append((begun, len(versions), record.version))
            await asyncio.sleep(0.01)

    async def author() -> None:
        for number in range(50):
            versions.append(await system.put(code=f"{CODE}//{number}"))
            await asyncio.sleep(0.005)

    await asyncio.gather(author(), *(caller() for _ in range(50)))
    assert len(results) == 1000
    assert all(version in versions[begun : ended + 1] for begun, ended, version in results)
