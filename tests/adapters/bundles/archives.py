"""Archives as people, and their enemies, make them."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping

from wsmgr.adapters.bundles.unpacker import unpack
from wsmgr.core.bundle import Bundle
from wsmgr.ports.bundles import Format, Room, Wishes

ROOM = Room(1_000_000, 50)
ENTRY = "index.js"


def opened(archive: bytes, form: Format = Format.TAR_GZ, room: Room = ROOM, wishes: Wishes | None = None) -> Bundle:
    """What is in it."""
    return unpack(archive, form, room, wishes or Wishes())[1]


def tar_gz(files: Mapping[str, bytes], *more: tarfile.TarInfo, order: Callable[[str], object] = str) -> bytes:
    """A .tar.gz of files, and of further headers without content."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(files, key=order):  # type: ignore[arg-type]  # whatever the test sorts by
            info = tarfile.TarInfo(name)
            info.size = len(files[name])
            tar.addfile(info, io.BytesIO(files[name]))
        for info in more:
            tar.addfile(info)
    return gzip.compress(plain.getvalue())


def header(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """One header of another kind than a file."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def raw_header(kind: bytes, size: int, content: bytes = b"") -> bytes:
    """A header as no program writes it, with what follows it: `size` may be below zero."""
    block = bytearray(tarfile.TarInfo("odd").tobuf(tarfile.GNU_FORMAT))
    block[124:136] = size.to_bytes(12, "big", signed=True) if size < 0 else b"%011o\0" % size
    block[156:157] = kind
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def zipped(files: Mapping[str, bytes], *more: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    """A .zip of files, and of further entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
        for info, data in more:
            made.writestr(info, data)
    return buffer.getvalue()


def unix_entry(name: str, kind: int) -> zipfile.ZipInfo:
    """A zip entry that says it is of this kind."""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    return info


def symlink_zip() -> bytes:
    """The classic one."""
    return zipped({ENTRY: b"1"}, (unix_entry("link", stat.S_IFLNK), b"/etc/passwd"))


def overlapping_zip() -> bytes:
    """Two directory entries that point at the same bytes, as in the quoted-overlap bombs."""
    archive = zipped({"a.js": b"x" * 1000, "b.js": b"y" * 1000})
    first = archive.index(b"PK\x01\x02")
    second = archive.index(b"PK\x01\x02", first + 4)
    return archive[: second + 42] + archive[first + 42 : first + 46] + archive[second + 46 :]


def lying_zip(size: int) -> bytes:
    """Its directory says another size than the content has."""
    archive = bytearray(zipped({ENTRY: b"x" * 1000}))
    at = archive.index(b"PK\x01\x02")
    archive[at + 24 : at + 28] = struct.pack("<L", size)
    return bytes(archive)


def two_names_zip() -> bytes:
    """Its entry has one name in the directory and another one before the content."""
    archive = zipped({ENTRY: b"x", "second.js": b"y"})
    return archive.replace(b"second.js", b"../up.js!", 1)


def zip64_that_lies() -> bytes:
    """A zip64 record says that there are four thousand million entries, and that they begin elsewhere."""
    archive = zipped({ENTRY: b"x"})
    at = archive.rindex(b"PK\x05\x06")
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2**32, 2**32, 2**40, 2**50)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    return archive[:at] + record + locator + archive[at:]


def many_disks_zip() -> bytes:
    """The end record says that this is the second of two disks."""
    archive = bytearray(zipped({ENTRY: b"x"}))
    at = archive.rindex(b"PK\x05\x06")
    archive[at + 4 : at + 8] = struct.pack("<HH", 1, 1)
    return bytes(archive)


def encrypted_zip() -> bytes:
    """Its entry has the flag of encryption."""
    archive = bytearray(zipped({ENTRY: b"x"}))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = archive.index(mark)
        archive[at + flags] |= 1
    return bytes(archive)
