"""Takes a runtime's socket out of the reach of its plugins.

A plugin has the uid of its runtime: what that may connect to, so may the plugin, and no mode of the socket tells them
apart. But the folder belongs to root of the workspace's user namespace, which is the daemon's own user. So before the
first byte is sent, and with that before any plugin is there, the daemon moves the socket into a folder that nobody else
enters. It has no other name, and a later daemon finds it in the same place.
"""

from __future__ import annotations

import contextlib
import os
import stat

from wsmgr.ports.channel import ProtocolViolation

PRIVATE = "daemon"
"""The name of the folder, beside which the runtime has bound its socket."""
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SOCKET = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def claim(folder: int, name: str) -> int:
    """An O_PATH descriptor of what is called `name` in the private folder, moved there if it was not there yet.

    Once something is there, what a plugin puts in the old place is not looked at. Raises ProtocolViolation when the
    private folder is not this user's alone, FileNotFoundError when nothing is in either place.
    """
    private = private_in(folder)
    try:
        with contextlib.suppress(FileNotFoundError):
            return os.open(name, _SOCKET, dir_fd=private)
        with contextlib.suppress(FileNotFoundError):  # another connection may have moved it meanwhile
            os.rename(name, name, src_dir_fd=folder, dst_dir_fd=private)
        return os.open(name, _SOCKET, dir_fd=private)
    finally:
        os.close(private)


def private_in(folder: int) -> int:
    """An O_PATH descriptor of the private folder, made where there is none. Raises ProtocolViolation, OSError."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(PRIVATE, 0o700, dir_fd=folder)
    private = os.open(PRIVATE, _FOLDER, dir_fd=folder)
    found = os.fstat(private)
    if found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077:
        return private
    os.close(private)
    raise ProtocolViolation(f"The folder `{PRIVATE}` beside the runtime's socket is not the daemon's own.")
