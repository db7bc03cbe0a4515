"""Archives that people send, unpacked into bundles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from wsmgr.core.bundle import Bundle
from wsmgr.core.plugin import Language


class Format(StrEnum):
    """Archives that are taken, by their media type."""

    TAR_GZ = "application/gzip"
    ZIP = "application/zip"


@dataclass(frozen=True, slots=True)
class Room:
    """How much a bundle may hold: bytes of all contents and names, and files."""

    size: int
    files: int


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the sender says besides the archive; None: the manifest, or the usual names, decide."""

    language: Language | None = None
    entry: str | None = None


class Unpacker(Protocol):
    """Everything in an archive is untrusted."""

    async def unpack(self, archive: bytes, form: Format, room: Room, wishes: Wishes) -> tuple[Language, Bundle]:
        """The bundle in an archive, and its language. Never writes a file. Takes memory of about the room and the
        archive, and time that the two bound; the loop is not held up.

        Raises InvalidRequest, with the entry's name, for whatever is not a regular file or a folder with an ordinary
        name, and TooLarge.
        """
        ...
