"""The files of a .tar.gz, by allow-list. Nothing is ever written to a disk."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from typing import Self

from wsmgr.adapters.bundles.entries import Kind, Tally
from wsmgr.core.bundle import BundleFile, refused
from wsmgr.core.errors import InvalidRequest

_CHUNK = 64 * 1024
_HEADERS_BYTES = 4096
"""What an entry may cost beside its content: its header, padding, and extended headers."""
_EXTENDED_BYTES = 8192
"""One extended header. It says a long name, or a time to the nanosecond; tarfile searches it in square time."""
_EXTENDED = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}
_PIECE_BYTES = 16 * 1024
_MEMBERS_MOST = 4096
"""Parts that a gzip file is put together of; those who pack in parallel make one for each 64 KiB or more."""
_ODD = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, OverflowError, IndexError, RecursionError)


def files_of(archive: bytes, tally: Tally) -> Iterator[BundleFile]:
    """Regular files, in the archive's order. Raises InvalidRequest, TooLarge."""
    most = tally.room.size + (tally.room.files + tally.folders_most) * _HEADERS_BYTES + _CHUNK
    plain = io.BytesIO(_inflated(archive, most, tally))
    try:
        with tarfile.open(fileobj=plain, mode="r:", errorlevel=2, encoding="utf-8", tarinfo=_Header) as tar:
            while (info := tar.next()) is not None:
                file = _file(tar, info, tally)
                if file is not None:
                    yield file
                # tarfile keeps every header that it has read.
                tar.members = []  # type: ignore[attr-defined]  # missing in the stubs
    except _ODD as error:
        raise InvalidRequest(f"The bundle is not a tar archive that can be read: {_why(error)}.") from None


class _Header(tarfile.TarInfo):
    """A header that tarfile may act upon: it reads extended ones before anybody sees them, and with a size below zero
    would go back to what it has read."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """As TarInfo. Raises InvalidRequest, which tarfile does not take for the end of the archive."""
        header = super().frombuf(buf, encoding, errors)
        if header.size < 0:
            raise refused(header.name, "it says a size below zero")
        if header.type in _EXTENDED and header.size > _EXTENDED_BYTES:
            raise refused(header.name, f"it is an extended header of more than {_EXTENDED_BYTES} bytes")
        return header


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
    for part in _members(archive):
        size += len(part)
        if tally.inflates(size):
            raise tally.bomb()
        if size > most:
            raise tally.too_large()
        parts.append(part)
    return b"".join(parts)


def _members(archive: bytes) -> Iterator[bytes]:
    """What a gzip file holds, in chunks. It is fed in small pieces: zlib copies what of a piece it has not used."""
    at = members = 0
    while at < len(archive):
        members += 1
        if members > _MEMBERS_MOST:
            raise InvalidRequest(f"The bundle is gzip of more than {_MEMBERS_MOST} parts.")
        stream = zlib.decompressobj(wbits=31)
        try:
            while at < len(archive) and not stream.eof:
                piece = archive[at : at + _PIECE_BYTES]
                at += len(piece)
                while piece and not stream.eof:
                    yield stream.decompress(piece, _CHUNK)
                    piece = stream.unconsumed_tail
        except zlib.error as error:
            raise InvalidRequest(f"The bundle is not gzip: {error}.") from None
        if not stream.eof:
            raise InvalidRequest("The bundle is cut short: its gzip data has no end.")
        # Another member may follow; padding of zeros is no more than padding.
        at -= len(stream.unused_data)
        while at < len(archive) and archive[at] == 0:
            at += 1


def _why(error: BaseException) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
