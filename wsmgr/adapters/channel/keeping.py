"""Keeps a runtime's key where its plugins do not come: in the daemon's folder beside the socket.

It is there for exactly as long as the instance, and a later daemon finds it: the key is sent once, before the first
plugin, and must never be sent again, since by then a plugin may read what is sent.
"""

from __future__ import annotations

import contextlib
import os

from wsmgr.adapters.channel.sealing import KEY_BYTES
from wsmgr.ports.channel import ProtocolViolation

NO_KEY = b""
"""What is kept for a runtime that takes none."""
_NAME = "key"
_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC


def key_in(private: int) -> bytes | None:
    """What is kept in the daemon's folder; None when nothing is: then there is no plugin either. Raises OSError,
    ProtocolViolation."""
    try:
        opened = os.open(_NAME, os.O_RDONLY | _FLAGS, dir_fd=private)
    except FileNotFoundError:
        return None
    try:
        found = os.read(opened, KEY_BYTES + 1)
    finally:
        os.close(opened)
    if len(found) not in (len(NO_KEY), KEY_BYTES):
        raise ProtocolViolation("The key in the daemon's folder is not whole.")
    return found


def keep_key(private: int, key: bytes) -> None:
    """As a whole or not at all. Raises OSError."""
    draft = f"{_NAME}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(draft, dir_fd=private)
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600, dir_fd=private)
    try:
        os.write(opened, key)
    finally:
        os.close(opened)
    os.rename(draft, _NAME, src_dir_fd=private, dst_dir_fd=private)
