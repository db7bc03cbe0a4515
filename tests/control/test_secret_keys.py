"""The keys of the secrets: a daemon without them, and their rotation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon
from wsmgr.core.errors import SecretsUnavailable, StoreUnavailable
from wsmgr.core.ids import Slug, WorkspaceId
from wsmgr.core.secret import Secret, SecretName

ALICE = WorkspaceId("user:alice")
ECHO = Slug("echo")
KEY = SecretName("KEY")
VALUE = Secret("canary-0123456789")


async def set_secret(system: FakeDaemon, value: Secret = VALUE, name: SecretName = KEY, slug: Slug = ECHO) -> None:
    """As the API does."""
    await system.daemon.configuring.put_secret(ALICE, slug, name, value, "uid:0")


async def successor_of(system: FakeDaemon, folder: Path) -> FakeDaemon:
    """Another daemon on the same world, not started."""
    await system.stop()
    successor = FakeDaemon(folder)
    successor.adopt_world_of(system)
    successor.channel.closed = False
    return successor


async def test_a_daemon_without_the_keys_does_not_start(system: FakeDaemon, tmp_path: Path) -> None:
    """While there are secrets; without them it starts."""
    await set_secret(system)
    successor = await successor_of(system, tmp_path)
    successor.vault.lose()
    with pytest.raises(SecretsUnavailable):
        await successor.start()
    await successor.store.settings.forget_secrets()
    await successor.start()
    await successor.stop()


async def test_rotation_seals_everything_anew(system: FakeDaemon) -> None:
    """Over several pages; nothing is lost, and one key is left."""
    for number in range(450):
        if number % 50 == 0:
            await system.put(slug=f"p{number}")
        secret = Secret(f"value-of-{number}")
        await set_secret(system, secret, SecretName(f"K{number}"), Slug(f"p{number - number % 50}"))
    old = system.vault.made[0]
    assert await system.daemon.configuring.rotate("uid:0") == 450
    assert system.vault.keys == 1
    assert system.vault.made[0] != old
    page = await system.store.settings.sealed_secrets(None, 1000)
    assert all(system.vault.is_current(sealed) for _, sealed in page)
    await system.execute(slug="p400")
    assert system.runtime().settings[Slug("p400")].secrets[SecretName("K449")] == Secret("value-of-449")
    assert "secrets.rotated" in system.actions()


async def test_a_rotation_that_was_cut_short_is_finished_by_the_next_daemon(system: FakeDaemon, tmp_path: Path) -> None:
    """Both keys are there until then, so every secret opens at every moment."""
    await set_secret(system)
    system.store.fail_next("reseal", StoreUnavailable("the disk is gone"))
    with pytest.raises(StoreUnavailable):
        await system.daemon.configuring.rotate("uid:0")
    assert system.vault.keys == 2
    await system.execute()
    successor = await successor_of(system, tmp_path)
    await successor.start()
    assert successor.vault.keys == 1
    await successor.execute()
    assert successor.runtime().settings[ECHO].secrets[KEY] == VALUE
    await successor.stop()
