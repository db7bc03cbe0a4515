"""Unpacks archives in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from wsmgr.adapters.bundles import tar, zips
from wsmgr.adapters.bundles.entries import Tally
from wsmgr.adapters.bundles.manifest import choose
from wsmgr.core.bundle import Bundle, BundleFile, bundle_of
from wsmgr.core.errors import InvalidRequest
from wsmgr.core.plugin import Language
from wsmgr.ports.bundles import Format, Room, Wishes


class ArchiveUnpacker:
    """Implements ports.bundles.Unpacker: one archive at a time, so that memory is bounded by one."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="unpacker")

    async def unpack(self, archive: bytes, form: Format, room: Room, wishes: Wishes) -> tuple[Language, Bundle]:
        """As Unpacker."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, unpack, archive, form, room, wishes)


def unpack(archive: bytes, form: Format, room: Room, wishes: Wishes) -> tuple[Language, Bundle]:
    """The same, here and now."""
    tally = Tally(room, len(archive))
    reader = tar.files_of if form is Format.TAR_GZ else zips.files_of
    files = _without_wrapping(list(reader(archive, tally)))
    if not files:
        raise InvalidRequest("The bundle has no files.")
    chosen = choose({file.path: file.data for file in files}, wishes)
    return chosen.language, bundle_of(chosen.entry, files)


def _without_wrapping(files: Sequence[BundleFile]) -> Sequence[BundleFile]:
    """Archives of a folder, as npm and most people make them, have it around everything: it is taken off."""
    tops = {file.path.partition("/")[0] for file in files}
    if len(tops) != 1 or any("/" not in file.path for file in files):
        return files
    top = tops.pop()
    if top in {"node_modules", "site-packages"}:
        return files
    return [BundleFile(file.path.removeprefix(f"{top}/"), file.data) for file in files]
