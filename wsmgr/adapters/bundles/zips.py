"""The files of a .zip, by allow-list. Nothing is ever written to a disk."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator

from wsmgr.adapters.bundles.entries import Kind, Tally
from wsmgr.core.bundle import BundleFile, refused
from wsmgr.core.errors import InvalidRequest

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_LOCAL_HEADER_BYTES = 30
_END = struct.Struct("<4s4H2LH")
_UNIX = 3
_ODD = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, struct.error, NotImplementedError, IndexError)


def files_of(archive: bytes, tally: Tally) -> Iterator[BundleFile]:
    """Regular files, in the archive's order. Raises InvalidRequest, TooLarge."""
    _check_end(archive, tally)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = opened.infolist()
            _check_overlaps(entries)
            for info in entries:
                file = _file(opened, info, tally)
                if file is not None:
                    yield file
    except _ODD as error:
        why = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        raise InvalidRequest(f"The bundle is not a zip archive that can be read: {why}.") from None
    except RuntimeError:
        raise InvalidRequest("The bundle is not a zip archive that can be read: a part of it is encrypted.") from None


def _file(opened: zipfile.ZipFile, info: zipfile.ZipInfo, tally: Tally) -> BundleFile | None:
    name = info.orig_filename
    if info.flag_bits & _ENCRYPTED:
        raise refused(name, "it is encrypted")
    if info.compress_type not in _METHODS:
        raise refused(name, "it is packed by another method than deflate")
    kind = _kind(info, name)
    if kind is Kind.FOLDER:
        if info.file_size or info.compress_size > 2:
            raise refused(name, "it is a folder with a content")
        tally.enter(name, kind, 0)
        return None
    path = tally.enter(name, kind, info.file_size)
    with opened.open(info) as source:
        # What it says of its size may be a lie.
        data = source.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise refused(name, "its content is not as long as it says")
    return BundleFile(path, data)


def _kind(info: zipfile.ZipInfo, name: str) -> Kind:
    folder = name.endswith("/")
    form = stat.S_IFMT(info.external_attr >> 16) if info.create_system == _UNIX else 0
    # Zips made elsewhere carry marks of Unix as well, and who unpacks them may believe these.
    form = form or stat.S_IFMT(info.external_attr >> 16)
    if form not in (0, stat.S_IFREG, stat.S_IFDIR) or (form == stat.S_IFDIR) > folder:
        raise refused(name, "it is a link, a device or a pipe, not a file or a folder")
    if form == stat.S_IFREG and folder:
        raise refused(name, "it is a file with the name of a folder")
    return Kind.FOLDER if folder else Kind.FILE


def _check_end(archive: bytes, tally: Tally) -> None:
    """One disk, and no more entries than there is room for: each would be read into memory."""
    at = archive.rfind(b"PK\x05\x06", max(0, len(archive) - _END.size - 0xFFFF))
    if at < 0 or at + _END.size > len(archive):
        raise InvalidRequest("The bundle is not a zip archive: it has no end record.")
    _, disk, first_disk, here, entries, _, _, comment = _END.unpack_from(archive, at)
    if disk or first_disk or here != entries:
        raise InvalidRequest("The bundle is one part of a zip archive on several disks.")
    if at + _END.size + comment != len(archive):
        raise InvalidRequest("The bundle has something behind the end of its zip archive.")
    # 0xFFFF stands for "see the zip64 record"; plans allow fewer.
    if entries == 0xFFFF or entries > tally.room.files + tally.folders_most:
        raise tally.too_many()
    if archive.count(b"PK\x01\x02") > 2 * (tally.room.files + tally.folders_most):
        raise tally.too_many()


def _check_overlaps(entries: list[zipfile.ZipInfo]) -> None:
    """A bomb of small size has many entries that share the same bytes."""
    end = 0
    for info in sorted(entries, key=lambda one: one.header_offset):
        if info.volume:
            raise refused(info.orig_filename, "it is on another disk")
        if info.header_offset < end:
            raise refused(info.orig_filename, "it shares bytes with another entry")
        end = info.header_offset + _LOCAL_HEADER_BYTES + info.compress_size
