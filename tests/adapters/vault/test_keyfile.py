"""The file of the keys: who may read it, what it may hold, and that a crash leaves one whole file."""

from __future__ import annotations

import asyncio
import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from wsmgr.adapters.vault import FileVault, keyfile
from wsmgr.adapters.vault.key import Key
from wsmgr.core.errors import SecretsUnavailable
from wsmgr.core.ids import OwnerKey, Slug
from wsmgr.core.secret import Secret, SecretName, SecretPlace

HERE = SecretPlace(OwnerKey("user:alice"), Slug("mailer"), SecretName("KEY"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "secrets.keys"


def opened(path: Path, *, needed: bool = False) -> FileVault:
    """A vault with its keys read."""
    vault = FileVault(path)
    asyncio.run(vault.open(needed=needed))
    return vault


def refusal(path: Path) -> str:
    """Why a file is refused."""
    with pytest.raises(SecretsUnavailable) as refused:
        opened(path, needed=True)
    assert refused.value.details == {"file": str(path)}
    return refused.value.sentence


def test_the_first_use_makes_it_for_this_user_alone(path: Path) -> None:
    """Whatever the umask, with one key of 256 bits, and a line that says what it is."""
    before = os.umask(0)
    try:
        opened(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    about, _, key = path.read_text().rstrip("\n").rpartition("\n")
    assert "keep a copy" in about
    assert len(base64.b64decode(key)) == 32
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622, 0o700 | 0o001])
def test_a_file_that_others_can_get_at_is_refused(path: Path, mode: int) -> None:
    """With what to do; made 0600 it is taken, and its keys are those of before."""
    vault = opened(path)
    sealed = vault.seal(HERE, Secret("x"))
    path.chmod(mode)
    sentence = refusal(path)
    assert "chmod 600" in sentence
    assert f"{mode:04o}" in sentence
    path.chmod(0o600)
    again = opened(path, needed=True)
    assert again.unseal(HERE, sealed) == Secret("x")


def test_a_missing_file_is_told_with_both_ways_out(path: Path) -> None:
    """The copy, or to forget."""
    sentence = refusal(path)
    assert "Put back" in sentence
    assert "wsmgr secrets forget" in sentence
    assert not path.exists()


def _link(path: Path) -> None:
    other = path.with_name("other")
    keyfile.create(other, [Key.new()])
    path.symlink_to(other)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.write_text(""), "has no key"),
        (lambda path: path.write_text("# only words\n"), "has no key"),
        (lambda path: path.write_text("# words\nnot a key\n"), "line 2"),
        (lambda path: path.write_text(base64.b64encode(b"short").decode()), "line 1"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "not a text"),
        (lambda path: path.write_text("#" * 70_000), "more than"),
        (Path.mkdir, "cannot be read"),
        (os.mkfifo, "not a regular file"),
        (_link, "cannot be read"),
    ],
    ids=["empty", "comments", "words", "short", "binary", "huge", "folder", "pipe", "link"],
)
def test_what_is_no_key_file_is_refused(path: Path, spoil: Callable[[Path], None], says: str) -> None:
    """With the reason, without waiting, and without what it holds."""
    spoil(path)
    if path.is_file() and not path.is_symlink():
        path.chmod(0o600)
    sentence = refusal(path)
    assert says in sentence
    assert "not a key" not in sentence


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """At the first use."""
    with pytest.raises(SecretsUnavailable, match="cannot be written"):
        opened(tmp_path / "none" / "secrets.keys")


def test_a_draft_of_a_crash_is_in_nobodys_way(path: Path) -> None:
    """One that was left by the same process number is replaced."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text("half")
    vault = opened(path)
    asyncio.run(vault.add_key())
    assert list(path.parent.iterdir()) == [path]
    assert len(keyfile.read(path) or []) == 2


def test_two_who_make_it_at_once_have_the_same_keys(path: Path) -> None:
    """The second one takes what the first one made."""
    assert keyfile.create(path, [Key.new()])
    first = keyfile.read(path)
    assert not keyfile.create(path, [Key.new()])
    assert [key.id for key in keyfile.read(path) or []] == [key.id for key in first or []]


def test_every_changed_byte_of_a_sealed_secret_is_seen(path: Path) -> None:
    """Authenticated as a whole: format, key's name, nonce, text."""
    vault = opened(path)
    sealed = vault.seal(HERE, Secret("hunter2"))
    assert b"hunter2" not in sealed
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(SecretsUnavailable):
            vault.unseal(HERE, changed)
    assert vault.unseal(HERE, sealed) == Secret("hunter2")


def test_no_repr_shows_a_key(path: Path) -> None:
    """Of the vault and of a key."""
    vault = opened(path)
    master = vault._held[0].master()
    shown = repr(vault) + repr(vault._held)
    assert base64.b64encode(master).decode() not in shown
    assert master.hex() not in shown
