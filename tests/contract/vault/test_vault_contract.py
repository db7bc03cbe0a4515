"""What every vault promises."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.vault.conftest import Rig
from wsmgr.core.errors import SecretsUnavailable
from wsmgr.core.ids import OwnerKey, Slug
from wsmgr.core.secret import Secret, SecretName, SecretPlace

ALICE = OwnerKey("user:alice")
MAILER = Slug("mailer")
KEY = SecretName("KEY")
HERE = SecretPlace(ALICE, MAILER, KEY)
VALUE = Secret("hunter2 hunter2 ключ")


async def test_what_was_sealed_opens_at_its_place(rig: Rig) -> None:
    """Also in another process; the same secret again looks different."""
    await rig.vault.open(needed=False)
    sealed = rig.vault.seal(HERE, VALUE)
    assert rig.vault.seal(HERE, VALUE) != sealed
    other = rig.again()
    await other.open(needed=True)
    assert other.unseal(HERE, sealed) == VALUE
    assert other.is_current(sealed)
    assert other.keys == 1


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(HERE, owner=OwnerKey("user:bob")),
        replace(HERE, slug=Slug("other")),
        replace(HERE, name=SecretName("OTHER")),
        SecretPlace(ALICE, Slug("mailerk"), SecretName("EY")),
    ],
)
async def test_it_opens_at_no_other_place(rig: Rig, elsewhere: SecretPlace) -> None:
    """A row that somebody moved or copied is of no use to him."""
    await rig.vault.open(needed=False)
    sealed = rig.vault.seal(HERE, VALUE)
    with pytest.raises(SecretsUnavailable) as refused:
        rig.vault.unseal(elsewhere, sealed)
    assert "hunter2" not in refused.value.sentence
    assert rig.vault.unseal(HERE, sealed) == VALUE


@pytest.mark.parametrize("spoilt", [b"", b"\x01", b"garbage", b"\x02" * 60])
async def test_what_is_not_sealed_is_refused(rig: Rig, spoilt: bytes) -> None:
    """With the vault's own error."""
    await rig.vault.open(needed=False)
    with pytest.raises(SecretsUnavailable):
        rig.vault.unseal(HERE, spoilt)


async def test_keys_that_are_needed_are_not_made_anew(rig: Rig) -> None:
    """A new key beside sealed secrets would hide that they are lost."""
    await rig.vault.open(needed=False)
    rig.lose()
    other = rig.again()
    with pytest.raises(SecretsUnavailable):
        await other.open(needed=True)
    await other.open(needed=False)
    assert other.keys == 1


async def test_a_new_key_seals_and_the_old_one_still_opens(rig: Rig) -> None:
    """Until it is retired: then what it sealed is gone, also for other processes."""
    await rig.vault.open(needed=False)
    old = rig.vault.seal(HERE, VALUE)
    await rig.vault.add_key()
    new = rig.vault.seal(HERE, VALUE)
    assert (rig.vault.keys, rig.vault.is_current(old), rig.vault.is_current(new)) == (2, False, True)
    half = rig.again()
    await half.open(needed=True)
    assert half.keys == 2
    assert half.unseal(HERE, old) == half.unseal(HERE, new) == VALUE
    await half.retire_keys()
    after = rig.again()
    await after.open(needed=True)
    assert after.keys == 1
    assert after.unseal(HERE, new) == VALUE
    with pytest.raises(SecretsUnavailable):
        after.unseal(HERE, old)


async def test_a_revision_is_of_the_settings_and_of_the_plugin(rig: Rig) -> None:
    """Equal for equal ones, whatever order their members stand in; other for others, and for another plugin."""
    await rig.vault.open(needed=False)
    of = rig.vault.revision
    secrets = {KEY: VALUE, SecretName("B"): Secret("b")}
    one = of(ALICE, MAILER, {"a": 1, "b": [2]}, secrets)
    assert one == of(ALICE, MAILER, {"b": [2], "a": 1}, dict(reversed(secrets.items())))
    others = {
        of(ALICE, MAILER, {"a": 1, "b": [3]}, secrets),
        of(ALICE, MAILER, {"a": 1, "b": [2]}, {**secrets, KEY: Secret("other")}),
        of(ALICE, MAILER, {"a": 1, "b": [2]}, {SecretName("C"): VALUE}),
        of(ALICE, Slug("other"), {"a": 1, "b": [2]}, secrets),
        of(OwnerKey("user:bob"), MAILER, {"a": 1, "b": [2]}, secrets),
    }
    assert len(others | {one}) == 6
    assert all(revision.isalnum() and len(revision) <= 64 for revision in others | {one})


async def test_a_vault_that_is_not_open_says_so(rig: Rig) -> None:
    """With its own error."""
    for work in (
        lambda: rig.vault.seal(HERE, VALUE),
        lambda: rig.vault.unseal(HERE, b"x" * 40),
        lambda: rig.vault.revision(ALICE, MAILER, {}, {}),
    ):
        with pytest.raises(SecretsUnavailable):
            work()
