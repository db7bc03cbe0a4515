"""The groups of one container: from the topmost that is its own down to the one that its main process is in.

Podman with crun 1.8 (Debian 12) makes `libpod-<id>.scope`, which systemd knows, and in it `container`, with the limits
and the processes. Others have the limits, and some the processes too, on the scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsmgr.adapters.cgroup.folder import Folder
from wsmgr.ports.cgroup import Group

_ID = re.compile(r"[0-9a-f]{64}")
"""A container's id as engines give it. Anything shorter might be found in a path by chance."""


@dataclass(frozen=True, slots=True)
class Chain:
    """`folders` from the top down, never empty."""

    folders: Sequence[Folder]

    @property
    def top(self) -> Folder:
        """Holds every process of the container: what is done to it is done to all."""
        return self.folders[0]

    @property
    def above(self) -> Folder:
        """Holds the groups of all containers, and stays when they go."""
        return Folder(self.top.path.parent)

    @property
    def own(self) -> Folder:
        """Holds the main process."""
        return self.folders[-1]

    def values(self, name: str) -> Iterator[tuple[Folder, str]]:
        """The file of that name in each group that has it. Raises GroupGone."""
        for folder in self.folders:
            text = folder.read(name)
            if text is not None:
                yield folder, text


def topmost(path: str, handle: str) -> int | None:
    """How many components of an absolute path lead to the topmost group that is the container's own.

    None when there is none, or the path is not a plain one.
    """
    if _ID.fullmatch(handle) is None or not path.startswith("/"):
        return None
    parts = path.split("/")[1:]
    if any(part in ("", ".", "..") for part in parts):
        return None
    own = {f"libpod-{handle}.scope", f"libpod-{handle}"}
    return next((count for count, part in enumerate(parts, start=1) if part in own), None)


def chain_of(group: Group, cgroups: Path) -> Chain:
    """The chain of a group that was found: its path is that of the main process' group below the mount."""
    parts = group.path.split("/")[1:]
    first = topmost(group.path, group.handle) or len(parts)
    return Chain([Folder(cgroups.joinpath(*parts[:count])) for count in range(first, len(parts) + 1)])
