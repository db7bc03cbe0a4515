"""The socket on which a sandboxed runtime listens: bound outside of the sandbox and handed in as a descriptor.

A plugin has the uid of its runtime, so that whatever is in the sandbox it may connect to. This socket has a name on the
host alone, where the sandbox sees nothing of it.
"""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from wsmgr.core.errors import EngineFailure

_BACKLOG = 511


@dataclass(frozen=True, slots=True)
class Listening:
    """`path` is the host's; `close` lets go of the descriptor, `tidy` of the path."""

    sock: socket.socket
    path: Path

    @classmethod
    def at(cls, path: Path) -> Listening:
        """Bind and listen. Raises EngineFailure."""
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                # Any length of path, and a name of the socket by which whoever holds it learns nothing of the host.
                made.bind(f"/proc/self/fd/{folder}/{path.name}")
            finally:
                os.close(folder)
            made.listen(_BACKLOG)
        except OSError as error:
            made.close()
            raise EngineFailure(f"The socket {path} cannot be made: {error.strerror or error}.") from error
        return cls(made, path)

    def close(self) -> None:
        """The runtime has it now, and its end is the end of the socket."""
        self.sock.close()

    def tidy(self) -> None:
        """Remove the name."""
        self.path.unlink(missing_ok=True)


def empty_folder(folder: Path) -> None:
    """Make a folder for such sockets, or empty it of those that an earlier daemon left. Raises EngineFailure."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise EngineFailure(f"The folder {folder} cannot be made: {error.strerror}.") from error
