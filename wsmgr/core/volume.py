"""Volumes: file systems of a fixed size that root has made for the persistent data of workspaces. Pure.

A volume belongs to nobody, or to one workspace until that is deleted. Its size is at least what the workspace's plan
allows; what is more is held in reserve, out of the workspace's reach, so that the plan's size is exact and can be
changed while it runs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from wsmgr.core.ids import WorkspaceId
from wsmgr.core.limits import MIB

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
"""What a volume may be called: its name becomes part of paths."""

NEARLY = 128 * 1024
"""So few bytes left are none: ext4 refuses data when there is still some room, which it needs for its own books."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose a volume's content is, as it is written on the volume itself. `instance` tells daemons apart, `uid` is the
    workspace's inside the user namespace."""

    instance: str
    workspace: WorkspaceId
    uid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One volume as it is now. `size_bytes` is what files can take in all; of these `used_bytes` are taken by the
    workspace's files and `reserved_bytes` are held in reserve. `inodes_left`: so many files can still be made.
    `mark` None: its content is nobody's. `trouble` says why it cannot be used now; the sizes are then 0."""

    name: str
    size_bytes: int = 0
    used_bytes: int = 0
    reserved_bytes: int = 0
    inodes_left: int = 0
    mark: Mark | None = None
    trouble: str | None = None

    @property
    def cap_bytes(self) -> int:
        """What the workspace's files can take."""
        return self.size_bytes - self.reserved_bytes

    @property
    def full(self) -> bool:
        """Whether the workspace gets ENOSPC now."""
        return self.trouble is None and (self.cap_bytes - self.used_bytes < NEARLY or self.inodes_left == 0)


def choose(volumes: Iterable[Volume], taken: Collection[str], size_mb: int) -> Volume | None:
    """The smallest volume of at least `size_mb` MiB that is nobody's, neither by `taken` nor by its own mark."""
    fit = [
        one
        for one in volumes
        if one.trouble is None and one.mark is None and one.name not in taken and one.size_bytes >= size_mb * MIB
    ]
    return min(fit, key=lambda one: (one.size_bytes, one.name), default=None)


def orphans(volumes: Iterable[Volume], holders: Collection[str]) -> list[Volume]:
    """Volumes with somebody's data which no workspace holds: of a database that was lost, or of another daemon."""
    return [one for one in volumes if one.mark is not None and one.name not in holders]
