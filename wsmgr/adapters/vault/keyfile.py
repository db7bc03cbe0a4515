"""The file of the keys: one a line in base64, the current one first. Blocking; small."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from wsmgr.adapters.vault.key import KEY_BYTES, Key
from wsmgr.core.errors import SecretsUnavailable

_MOST_BYTES = 64 * 1024
_OPEN_TO_OTHERS = 0o077
_HEAD = """\
# The keys of wsmgr's secrets, the current one first. Without this file no secret in the database can be read again:
# keep a copy of it, and not beside the copies of the database. `wsmgr secrets rotate` puts a new key here.
"""


def read(path: Path) -> list[Key] | None:
    """The keys of a file, None where there is none. Raises SecretsUnavailable for one that cannot be trusted or
    understood; never waits for a pipe."""
    try:
        text = _text(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise _refused(path, "is not a text") from None
    lines = [line.strip() for line in text.splitlines()]
    keys = [_key(path, number, line) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]
    if not keys:
        raise _refused(path, "has no key in it. Put back its copy")
    return keys


def create(path: Path, keys: Sequence[Key]) -> bool:
    """Write a new file, for this user alone; False when there is one already. Durable."""
    draft = _draft(path, keys)
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    except OSError as error:
        raise _refused(path, f"cannot be made: {error.strerror or error}") from None
    finally:
        draft.unlink()
    _sync_folder(path)
    return True


def replace(path: Path, keys: Sequence[Key]) -> None:
    """Put these keys in the place of the others, all or nothing. Durable."""
    draft = _draft(path, keys)
    try:
        draft.replace(path)
        _sync_folder(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise _refused(path, f"cannot be replaced: {error.strerror or error}") from None


def _text(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(None, "it is not a regular file")
        if status.st_uid != os.geteuid():
            raise OSError(None, f"it belongs to uid {status.st_uid}, and this is uid {os.geteuid()}")
        mode = stat.S_IMODE(status.st_mode)
        if mode & _OPEN_TO_OTHERS:
            raise OSError(None, f"its mode {mode:04o} lets others at it. Make it 0600 (chmod 600), and rotate the key")
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise OSError(None, f"it has more than {_MOST_BYTES} bytes")
    return content.decode()


def _key(path: Path, number: int, line: str) -> Key:
    try:
        master = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        master = b""
    if len(master) != KEY_BYTES:
        raise _refused(path, f"has no key in line {number}: {KEY_BYTES} bytes in base64 are one")
    return Key(master)


def _draft(path: Path, keys: Sequence[Key]) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    text = _HEAD + "".join(f"{base64.b64encode(key.master()).decode()}\n" for key in keys)
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise _refused(path, f"cannot be written: {error.strerror or error}") from None
    return draft


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refused(path: Path, why: str) -> SecretsUnavailable:
    return SecretsUnavailable(f"The key file {path} {why}.", details={"file": str(path)})
