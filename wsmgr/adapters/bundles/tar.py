"""The files of a .tar.gz, by allow-list. Nothing is ever written to a disk."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator

from wsmgr.adapters.bundles.entries import Kind, Tally
from wsmgr.core.bundle import BundleFile, refused
from wsmgr.core.errors import InvalidRequest

_CHUNK = 64 * 1024
_HEADERS_BYTES = 4096
"""What an entry may cost beside its content: its header, padding, and extended headers."""
_ODD = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, OverflowError, IndexError, RecursionError)


def files_of(archive: bytes, tally: Tally) -> Iterator[BundleFile]:
    """Regular files, in the archive's order. Raises InvalidRequest, TooLarge."""
    most = tally.room.size + (tally.room.files + tally.folders_most) * _HEADERS_BYTES + _CHUNK
    plain = io.BytesIO(_inflated(archive, most, tally))
    try:
        with tarfile.open(fileobj=plain, mode="r:", errorlevel=2, encoding="utf-8") as tar:
            while (info := tar.next()) is not None:
                file = _file(tar, info, tally)
                if file is not None:
                    yield file
                # tarfile keeps every header that it has read.
                tar.members = []  # type: ignore[attr-defined]  # missing in the stubs
    except _ODD as error:
        raise InvalidRequest(f"The bundle is not a tar archive that can be read: {_why(error)}.") from None


def _file(tar: tarfile.TarFile, info: tarfile.TarInfo, tally: Tally) -> BundleFile | None:
    # Sparse files say one size and store another, in four dialects.
    if info.issparse() or any(key.startswith("GNU.sparse") for key in info.pax_headers):
        raise refused(info.name, "it is a sparse file")
    if info.type == tarfile.DIRTYPE:
        tally.enter(info.name, Kind.FOLDER, 0)
        return None
    if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        raise refused(info.name, f"it is {_KINDS.get(info.type, 'of an unknown kind')}, not a file or a folder")
    path = tally.enter(info.name, Kind.FILE, info.size)
    source = tar.extractfile(info)
    data = b"" if source is None else source.read(info.size + 1)
    if len(data) != info.size:
        raise refused(info.name, "the archive ends before its content does")
    return BundleFile(path, data)


_KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.CONTTYPE: "a contiguous file",
}


def _inflated(archive: bytes, most: int, tally: Tally) -> bytes:
    """The tar within, or a refusal as soon as it is larger than what may be in it."""
    parts: list[bytes] = []
    size = 0
    rest = archive
    while rest:
        stream = zlib.decompressobj(wbits=31)
        try:
            while rest and not stream.eof:
                part = stream.decompress(rest, _CHUNK)
                rest = stream.unconsumed_tail
                size += len(part)
                if tally.inflates(size):
                    raise tally.bomb()
                if size > most:
                    raise tally.too_large()
                parts.append(part)
        except zlib.error as error:
            raise InvalidRequest(f"The bundle is not gzip: {error}.") from None
        if not stream.eof:
            raise InvalidRequest("The bundle is cut short: its gzip data has no end.")
        # Another member may follow; padding of zeros is no more than padding.
        rest = stream.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _why(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
