"""Configuration and secrets: given to one plugin, never stale, masked in what comes back, and sealed anew."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import structlog

from tests.fakes.daemon import FakeDaemon, request, until
from wsmgr.core.errors import InvalidRequest, NotFound, QuotaExceeded, SecretsUnavailable, StoreUnavailable
from wsmgr.core.ids import Slug, WorkspaceId
from wsmgr.core.outcome import Emitted, Failure, FailureType, LogEntry, Outcome
from wsmgr.core.plugin import Language, PluginSource, version_of
from wsmgr.core.plugin_settings import PluginSettings
from wsmgr.core.secret import Secret, SecretName
from wsmgr.ports.channel import Call

ALICE = WorkspaceId("user:alice")
ECHO = Slug("echo")
KEY = SecretName("KEY")
VALUE = "canary-0123456789"


def given(system: FakeDaemon, slug: Slug = ECHO) -> PluginSettings:
    """What the runtime of alice was given for a plugin."""
    return system.runtime().settings[slug]


async def set_secret(system: FakeDaemon, value: str = VALUE, name: str = "KEY", slug: Slug = ECHO) -> None:
    """As the API does."""
    await system.daemon.configuring.put_secret(ALICE, slug, SecretName(name), Secret(value), "uid:0")


async def test_a_call_brings_code_and_settings(system: FakeDaemon) -> None:
    """The record names the plain version."""
    await system.daemon.configuring.put_config(ALICE, ECHO, {"a": [1]}, "uid:0")
    await set_secret(system)
    record = await system.execute()
    assert dict(given(system).config) == {"a": [1]}
    assert dict(given(system).secrets) == {KEY: Secret(VALUE)}
    assert record.version == system.runtime().plugins[ECHO].version
    health = await system.daemon.channel.health(system.channel.asked[-1][1], 1.0)
    assert health.plugins == {"echo": record.version}


async def test_a_change_reaches_a_live_workspace_before_it_is_answered(system: FakeDaemon) -> None:
    """Of a secret, of the configuration, and when one is removed."""
    await system.execute()
    await set_secret(system)
    assert given(system).secrets[KEY] == Secret(VALUE)
    await set_secret(system, "another-value")
    assert given(system).secrets[KEY] == Secret("another-value")
    await system.daemon.configuring.put_config(ALICE, ECHO, {"x": 1}, "uid:0")
    assert dict(given(system).config) == {"x": 1}
    await system.daemon.configuring.delete_secret(ALICE, ECHO, KEY, "uid:0")
    assert dict(given(system).secrets) == {}
    pushes = [method for method, _ in system.channel.asked].count("put")
    await system.execute()
    assert [method for method, _ in system.channel.asked].count("put") == pushes


async def test_no_call_gets_a_stale_secret_even_when_the_push_failed(system: FakeDaemon) -> None:
    """The next call is told that the runtime has not got that version, and brings it."""
    await set_secret(system, "first-value")
    await system.execute()
    system.channel.fail("put", OSError("broken"))
    await set_secret(system, "second-value")
    assert given(system).secrets[KEY] == Secret("first-value")
    seen: list[PluginSettings] = []

    def look(call: Call) -> Outcome:
        seen.append(given(system))
        return Outcome(call.input, None, (), logs_truncated=False, duration_ms=1.0)

    system.runtime().does["echo"] = look
    await system.execute()
    assert [settings.secrets[KEY] for settings in seen] == [Secret("second-value")]


async def test_a_call_that_waited_for_its_turn_gets_what_is_newest(system: FakeDaemon) -> None:
    """It was admitted before the change, and starts after it."""
    await set_secret(system, "first-value")
    await system.execute()
    entry = system.daemon.fleet.get(ALICE)
    turns = entry.limits.concurrent_executions
    seen: list[Secret] = []

    def look(call: Call) -> Outcome:
        seen.append(given(system).secrets[KEY])
        return Outcome(call.input, None, (), logs_truncated=False, duration_ms=1.0)

    with system.channel.held("execute"):
        running = [asyncio.create_task(system.execute()) for _ in range(turns)]
        await until(lambda: system.runtime().inflight == turns)
        waiting = asyncio.create_task(system.execute())
        await asyncio.sleep(0.1)
        await set_secret(system, "second-value")
        system.runtime().does["echo"] = look
    await asyncio.gather(*running, waiting)
    assert seen[-1] == Secret("second-value")


async def test_settings_are_of_one_plugin_of_one_owner(system: FakeDaemon) -> None:
    """Another plugin of the owner, one of the same name of another owner, and code under its name get nothing."""
    await system.put(slug="other")
    await system.put("user:bob")
    await set_secret(system)
    for workspace, slug in (("user:alice", "other"), ("user:bob", "echo")):
        await system.execute(workspace, slug)
        assert dict(system.runtime(workspace).settings[Slug(slug)].secrets) == {}
    code = "export default () => 7"
    inline = PluginSource(ECHO, version_of(Language.JAVASCRIPT, code), Language.JAVASCRIPT, code)
    await system.daemon.executions.run(request(inline=inline))
    assert dict(given(system).secrets) == {}
    await system.execute()
    assert dict(given(system).secrets) == {KEY: Secret(VALUE)}


async def test_what_comes_back_is_masked(system: FakeDaemon) -> None:
    """In the answer and in the record; the output is the plugin's own. The control: without the secret it stays."""

    def leak(call: Call) -> Outcome:
        del call
        logs = (LogEntry(0.1, "log", f"key={VALUE}"),)
        failure = Failure(FailureType.EXCEPTION, f"Error: {VALUE}", f"Error: {VALUE}\n at x")
        return Outcome(None, failure, logs, logs_truncated=False, duration_ms=1.0)

    await system.execute()
    system.runtime().does["echo"] = leak
    assert VALUE in repr((await system.execute(id="before")).outcome)
    await set_secret(system)
    answered = await system.execute(id="after")
    kept = await system.store.execution(answered.id)
    assert kept is not None
    assert VALUE not in repr(answered.outcome) + repr(kept.outcome)
    assert answered.outcome is not None
    assert answered.outcome.logs[0].message == "key=***"


async def test_what_is_heard_meanwhile_is_masked(system: FakeDaemon) -> None:
    """What is printed; what is given is the plugin's own."""
    await set_secret(system)
    await system.execute()
    system.runtime().says["echo"] = (LogEntry(0.1, "log", f"key={VALUE}"), Emitted(f"given={VALUE}"))
    heard: list[LogEntry | Emitted] = []

    async def hear(piece: LogEntry | Emitted) -> None:
        heard.append(piece)

    await system.daemon.executions.fly(system.daemon.executions.flight(request(), hear))
    assert heard == [LogEntry(0.1, "log", "key=***"), Emitted(f"given={VALUE}")]


async def test_the_trail_says_who_set_which_name(system: FakeDaemon) -> None:
    """And neither it nor the log has a value."""
    with structlog.testing.capture_logs() as logged:
        await set_secret(system)
        await system.daemon.configuring.put_config(ALICE, ECHO, {"password": "swordfish"}, "token:main")
        await system.daemon.configuring.delete_secret(ALICE, ECHO, KEY, "uid:0")
        await system.daemon.configuring.delete_secret(ALICE, ECHO, KEY, "uid:0")
    events = [
        (one.actor, one.action, one.reason) for one in system.store.all_events if one.action.startswith("plugin.")
    ]
    assert events[-3:] == [
        ("uid:0", "plugin.secret_set", "echo: KEY"),
        ("token:main", "plugin.config", "echo: configuration replaced"),
        ("uid:0", "plugin.secret_removed", "echo: KEY"),
    ]
    told = repr(system.store.all_events) + repr(logged)
    assert "echo: KEY" in repr(logged)
    assert VALUE not in told
    assert "swordfish" not in told


async def test_the_store_never_sees_a_value(system: FakeDaemon) -> None:
    """What it gets is sealed (the fake's seal is readable; a real one's is not) and bound to its place."""
    await set_secret(system)
    [(place, sealed)] = await system.store.settings.sealed_secrets(None, 10)
    assert (place.owner, place.slug, place.name) == ("user:alice", "echo", "KEY")
    assert system.vault.unseal(place, sealed) == Secret(VALUE)
    listed = await system.daemon.configuring.secrets(ALICE, ECHO)
    assert [(info.name, info.set_by) for info in listed] == [("KEY", "uid:0")]
    assert VALUE not in repr(listed)


async def test_caps_are_held(tmp_path: Path) -> None:
    """Each with its typed error and its figures; what is at the cap is taken, and replacing is not one more."""
    system = await FakeDaemon(tmp_path, secrets_per_plugin=2, secret_bytes=10, plugin_config_bytes=9).start()
    await system.put()
    for name in ("A", "B", "A"):
        await set_secret(system, "x" * 10, name)
    with pytest.raises(QuotaExceeded) as many:
        await set_secret(system, "x", "C")
    assert many.value.details == {"limit": "secretsPerPlugin", "allowed": 2, "used": 2}
    assert many.value.retryable is False
    for value in ("x" * 11, "ä" * 6, ""):
        with pytest.raises(InvalidRequest) as large:
            await set_secret(system, value, "A")
        assert large.value.details == {"limit": 10, "size": len(value.encode())}
    await system.daemon.configuring.put_config(ALICE, ECHO, {"a": "b"}, "uid:0")
    with pytest.raises(InvalidRequest, match="10 bytes as JSON; 9 are allowed"):
        await system.daemon.configuring.put_config(ALICE, ECHO, {"a": "bc"}, "uid:0")
    await system.stop()


async def test_a_plugin_must_be_there(system: FakeDaemon) -> None:
    """NotFound for each verb but the idempotent one."""
    none = Slug("none")
    with pytest.raises(NotFound):
        await set_secret(system, slug=none)
    with pytest.raises(NotFound):
        await system.daemon.configuring.put_config(ALICE, none, {}, "uid:0")
    with pytest.raises(NotFound):
        await system.daemon.configuring.config(ALICE, none)
    with pytest.raises(NotFound):
        await system.daemon.configuring.secrets(ALICE, none)
    await system.daemon.configuring.delete_secret(ALICE, none, KEY, "uid:0")


async def test_a_plugin_that_comes_again_has_nothing_of_the_old_one(system: FakeDaemon) -> None:
    """Deleted with the plugin, in the store and in memory."""
    await set_secret(system)
    await system.execute()
    await system.daemon.plugins.delete(ALICE, ECHO, "uid:0")
    await system.put()
    await system.execute()
    assert given(system).revision == ""


async def test_a_write_that_was_not_confirmed_is_looked_up(system: FakeDaemon) -> None:
    """It may have been made: what is remembered is not trusted."""
    await set_secret(system)
    await system.execute()
    system.store.fail_next("put_secret", StoreUnavailable("no confirmation"))
    with pytest.raises(StoreUnavailable):
        await set_secret(system, "another-value")
    before = system.store.calls.count("of_plugin")
    await system.execute()
    assert system.store.calls.count("of_plugin") == before + 1


async def test_a_warm_call_asks_neither_store_nor_vault(system: FakeDaemon) -> None:
    """What is known is remembered, also that there is nothing."""
    await system.execute()
    before = list(system.store.calls)
    system.vault.break_off("unseal", SecretsUnavailable("not asked"))
    await system.execute()
    assert [name for name in system.store.calls[len(before) :] if name != "note"] == []


async def test_secrets_that_do_not_open_refuse_the_call_alone(system: FakeDaemon) -> None:
    """With the vault's sentence; other plugins run, and set again it runs too."""
    await system.put(slug="other")
    await set_secret(system)
    system.vault.break_off("unseal", SecretsUnavailable("The row was changed."))
    with pytest.raises(SecretsUnavailable, match="changed"):
        await system.execute(id="e1")
    assert (await system.execute(slug="other")).outcome is not None
    assert (await system.execute(id="e1")).outcome is not None
