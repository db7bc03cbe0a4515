"""What every archive's entries have to pass, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from wsmgr.core.bundle import checked_path, refused
from wsmgr.core.errors import InvalidRequest, TooLarge
from wsmgr.ports.bundles import Room

RATIO_MOST = 200
"""Text packs to a tenth or a twentieth; nothing that people write packs to this part of itself."""
_SMALL_BYTES = 1024 * 1024


class Kind(Enum):
    """What an entry is."""

    FILE = "file"
    FOLDER = "folder"


@dataclass(slots=True)
class Tally:
    """Counts entries against the room that there is. `packed`: the bytes of the archive itself."""

    room: Room
    packed: int
    files: int = 0
    folders: int = 0
    size: int = 0
    seen: set[str] = field(default_factory=set)

    @property
    def folders_most(self) -> int:
        """Empty folders are nothing in a bundle; their number is bounded all the same."""
        return 2 * self.room.files + 64

    def enter(self, name: str, kind: Kind, size: int) -> str:
        """Count an entry of so many bytes and return its path. Raises InvalidRequest, TooLarge."""
        if kind is Kind.FOLDER:
            self.folders += 1
            if self.folders > self.folders_most:
                raise self.too_many()
            if name.rstrip("/") in {"", "."} and not name.startswith("/"):
                return ""
            return checked_path(name.removesuffix("/"))
        path = checked_path(name)
        if path in self.seen:
            raise refused(name, "it is there twice")
        self.seen.add(path)
        self.files += 1
        self.size += size + len(path.encode())
        if self.files > self.room.files:
            raise self.too_many()
        if size < 0 or self.size > self.room.size:
            raise self.too_large()
        if self.inflates(self.size):
            raise refused(name, f"with it the archive unpacks to more than {RATIO_MOST} times its own size")
        return path

    def inflates(self, size: int) -> bool:
        """Whether so many bytes are more than an honest archive of this size holds."""
        return size > _SMALL_BYTES + RATIO_MOST * self.packed

    def bomb(self) -> InvalidRequest:
        """The archive as a whole is one."""
        return InvalidRequest(f"The bundle is refused: it unpacks to more than {RATIO_MOST} times its own size.")

    def too_large(self) -> TooLarge:
        """The bundle has more bytes than there is room for."""
        most = self.room.size
        return TooLarge(
            f"The bundle unpacks to more than the {most} bytes that the owner's plan allows.",
            details={"limit": "pluginBytes", "allowed": most},
        )

    def too_many(self) -> TooLarge:
        """The bundle has more entries than there is room for."""
        most = self.room.files
        return TooLarge(
            f"The bundle has more than the {most} files that the owner's plan allows.",
            details={"limit": "pluginFiles", "allowed": most},
        )
