"""What every store promises of configuration and secrets."""

from __future__ import annotations

import pytest

from tests.contract.store.records import ALICE, NOON, at, source
from wsmgr.core.errors import NotFound
from wsmgr.core.ids import OwnerKey, Slug
from wsmgr.core.plugin_settings import StoredConfig, StoredSettings
from wsmgr.core.secret import SealedSecret, SecretInfo, SecretName, SecretPlace
from wsmgr.ports.store import Store

MAILER = Slug("mailer")
BOB = OwnerKey("user:bob")


def sealed(name: str, content: bytes = b"\x00\x01sealed\xff", *, seconds: float = 0) -> SealedSecret:
    """A secret as the vault gives it: any bytes."""
    return SealedSecret(SecretInfo(SecretName(name), at(seconds), "uid:0"), content)


def place(owner: OwnerKey, slug: str, name: str) -> SecretPlace:
    """Whose it is."""
    return SecretPlace(owner, Slug(slug), SecretName(name))


async def plugin(store: Store, owner: OwnerKey = ALICE, slug: str = "mailer") -> None:
    """One to give something to."""
    await store.put_version(owner, source("x", slug), NOON, "uid:0")


async def test_a_plugin_has_nothing_until_it_is_given(store: Store) -> None:
    """And what does not exist is told from what has nothing."""
    assert await store.settings.of_plugin(ALICE, MAILER) is None
    await plugin(store)
    assert await store.settings.of_plugin(ALICE, MAILER) == StoredSettings(None, ())


async def test_what_is_put_comes_back(store: Store) -> None:
    """The newest of each, secrets by name, bytes as they were."""
    await plugin(store)
    first = StoredConfig({"a": 1}, NOON, "uid:0")
    second = StoredConfig({"deep": [{"ключ": "\u0000\ud800", "n": None}], "x": 1.5}, at(1), "token:main")
    for config in (first, second):
        await store.settings.put_config(ALICE, MAILER, config)
    for secret in (sealed("B"), sealed("A", b""), sealed("B", b"newer", seconds=2)):
        await store.settings.put_secret(ALICE, MAILER, secret)
    found = await store.settings.of_plugin(ALICE, MAILER)
    assert found == StoredSettings(second, (sealed("A", b""), sealed("B", b"newer", seconds=2)))


async def test_each_plugin_has_its_own(store: Store) -> None:
    """Of another owner, and of the same."""
    await plugin(store)
    await plugin(store, BOB)
    await plugin(store, ALICE, "other")
    await store.settings.put_secret(ALICE, MAILER, sealed("KEY"))
    await store.settings.put_config(ALICE, MAILER, StoredConfig({}, NOON, "uid:0"))
    assert await store.settings.of_plugin(BOB, MAILER) == StoredSettings(None, ())
    assert await store.settings.of_plugin(ALICE, Slug("other")) == StoredSettings(None, ())


async def test_without_a_plugin_nothing_is_kept(store: Store) -> None:
    """NotFound, and nothing of it shows when the plugin comes."""
    with pytest.raises(NotFound):
        await store.settings.put_config(ALICE, MAILER, StoredConfig({}, NOON, "uid:0"))
    with pytest.raises(NotFound):
        await store.settings.put_secret(ALICE, MAILER, sealed("KEY"))
    await plugin(store)
    assert await store.settings.of_plugin(ALICE, MAILER) == StoredSettings(None, ())


async def test_they_go_with_their_plugin(store: Store) -> None:
    """A plugin of the same name that comes later gets nothing of it; a new version of the same one keeps it."""
    await plugin(store)
    await store.settings.put_config(ALICE, MAILER, StoredConfig({"a": 1}, NOON, "uid:0"))
    await store.settings.put_secret(ALICE, MAILER, sealed("KEY"))
    await store.put_version(ALICE, source("y", "mailer"), NOON, "uid:0")
    await store.trim_versions(ALICE, MAILER, 1)
    kept = await store.settings.of_plugin(ALICE, MAILER)
    assert kept == StoredSettings(StoredConfig({"a": 1}, NOON, "uid:0"), (sealed("KEY"),))
    assert await store.delete_plugin(ALICE, MAILER)
    assert await store.settings.of_plugin(ALICE, MAILER) is None
    assert await store.settings.sealed_secrets(None, 10) == []
    await plugin(store)
    assert await store.settings.of_plugin(ALICE, MAILER) == StoredSettings(None, ())


async def test_one_secret_can_be_removed(store: Store) -> None:
    """Once."""
    await plugin(store)
    await store.settings.put_secret(ALICE, MAILER, sealed("A"))
    await store.settings.put_secret(ALICE, MAILER, sealed("B"))
    assert await store.settings.delete_secret(ALICE, MAILER, SecretName("A"))
    assert not await store.settings.delete_secret(ALICE, MAILER, SecretName("A"))
    assert await store.settings.of_plugin(ALICE, MAILER) == StoredSettings(None, (sealed("B"),))


async def everything(store: Store) -> list[tuple[SecretPlace, bytes]]:
    """All secrets, three at a time."""
    found: list[tuple[SecretPlace, bytes]] = []
    while page := await store.settings.sealed_secrets(found[-1][0] if found else None, 3):
        found += page
    return found


async def test_all_secrets_are_walked_in_order(store: Store) -> None:
    """By owner, plugin and name, compared byte by byte, whatever the page."""
    places = [
        place(OwnerKey(owner), slug, name)
        for owner in ("org:z", "user:Alice", "user:alice")
        for slug in ("a", "a-b", "b")
        for name in ("A", "A1", "A_")
    ]
    for one in reversed(places):
        await plugin(store, one.owner, one.slug)
        await store.settings.put_secret(one.owner, one.slug, sealed(one.name, f"{one}".encode()))
    assert await everything(store) == [(one, f"{one}".encode()) for one in places]


async def test_what_is_sealed_is_replaced_where_it_is_still_the_same(store: Store) -> None:
    """A secret that was set, or removed, in between stays as it is; who set it and when does not change."""
    await plugin(store)
    for name in ("A", "B", "C"):
        await store.settings.put_secret(ALICE, MAILER, sealed(name, b"old"))
    await store.settings.put_secret(ALICE, MAILER, sealed("B", b"set again"))
    await store.settings.delete_secret(ALICE, MAILER, SecretName("C"))
    resealed = [(place(ALICE, "mailer", name), b"old", b"new") for name in ("A", "B", "C")]
    assert await store.settings.reseal(resealed) == 1
    found = await store.settings.of_plugin(ALICE, MAILER)
    assert found == StoredSettings(None, (sealed("A", b"new"), sealed("B", b"set again")))
    assert await store.settings.reseal([]) == 0


async def test_all_secrets_can_be_forgotten(store: Store) -> None:
    """Configurations stay."""
    for owner in (ALICE, BOB):
        await plugin(store, owner)
        await store.settings.put_secret(owner, MAILER, sealed("KEY"))
    await store.settings.put_config(ALICE, MAILER, StoredConfig({"a": 1}, NOON, "uid:0"))
    assert await store.settings.forget_secrets() == 2
    assert await everything(store) == []
    assert await store.settings.of_plugin(ALICE, MAILER) == StoredSettings(StoredConfig({"a": 1}, NOON, "uid:0"), ())
