"""A plugin of several files: which names they may have, and the content that its version is the digest of."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wsmgr.core.errors import InvalidRequest
from wsmgr.core.ids import Version

PATH_BYTES_MOST = 512
SEGMENT_BYTES_MOST = 200
"""Room is left below the 255 of file systems."""
DEPTH_MOST = 32
_VENDORED = frozenset({"node_modules", "site-packages", "vendor", "dist-info"})
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
"""Kinds of characters that people cannot see, or take for a plain space."""
_MARK = b"wsmgr-bundle 1\n"


@dataclass(frozen=True, slots=True)
class BundleFile:
    """One file; `path` is relative, with slashes, and passed `checked_path`."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """Files by path, and which of them is loaded. Made by `bundle_of`, which checks what is promised here."""

    entry: str
    files: tuple[BundleFile, ...]

    @property
    def size(self) -> int:
        """Bytes of names and contents."""
        return sum(len(file.data) + len(file.path.encode()) for file in self.files)


def bundle_of(entry: str, files: Iterable[BundleFile]) -> Bundle:
    """A bundle in canonical order. Raises InvalidRequest for names that collide and an entry that is not there."""
    ordered = tuple(sorted(files, key=lambda file: file.path))
    seen: dict[str, str] = {}
    for file in ordered:
        _claim(file.path, seen)
    folders = {parent.casefold(): parent for file in ordered for parent in parents(file.path)}
    for file in ordered:
        if file.path.casefold() in folders:
            raise refused(file.path, f"it is a file, and a folder to others ({folders[file.path.casefold()]}/…)")
        for parent in parents(file.path):
            if folders[parent.casefold()] != parent:
                raise refused(file.path, f"its folder differs from {folders[parent.casefold()]}/ in case alone")
    if all(file.path != entry for file in ordered):
        raise InvalidRequest(f"The entry point {entry!r} is not among the bundle's files.", details={"entry": entry})
    return Bundle(entry, ordered)


def checked_path(name: str) -> str:
    """The name of an archive's file as a relative path. Raises InvalidRequest, with the name, for any other kind."""
    path = name.removeprefix("./")
    if not path or path.startswith("/") or name.startswith("//"):
        raise refused(name, "its name is empty or absolute")
    if "\\" in path or any(unicodedata.category(sign) in _UNSEEN for sign in path.replace(" ", "")):
        raise refused(name, "its name has a backslash, a control character or bytes that are no text")
    if unicodedata.normalize("NFC", path) != path:
        raise refused(name, "its name is not in Unicode's composed form (NFC)")
    segments = path.split("/")
    if any(segment in {"", ".", ".."} for segment in segments) or segments[0][1:2] == ":":
        raise refused(name, "its name climbs, has an empty part or a drive letter")
    if len(segments) > DEPTH_MOST:
        raise refused(name, f"it lies deeper than {DEPTH_MOST} folders")
    if len(path.encode()) > PATH_BYTES_MOST or any(len(part.encode()) > SEGMENT_BYTES_MOST for part in segments):
        raise refused(
            name, f"its name is longer than {PATH_BYTES_MOST} bytes, or a part of it than {SEGMENT_BYTES_MOST}"
        )
    return path


def refused(name: str, why: str) -> InvalidRequest:
    """The error for one entry of an archive."""
    shown = ascii(name[:200])
    return InvalidRequest(f"The bundle's entry {shown} is refused: {why}.", details={"entry": shown[1:-1]})


def parents(path: str) -> Iterator[str]:
    """The folders that a path lies in, the outermost first."""
    parts = path.split("/")
    for depth in range(1, len(parts)):
        yield "/".join(parts[:depth])


def is_vendored(path: str) -> bool:
    """Whether a file is somebody else's package, brought along."""
    return any(part in _VENDORED or part.endswith(".dist-info") for part in path.split("/")[:-1])


def packed(bundle: Bundle) -> bytes:
    """The canonical content: equal bundles give equal bytes, however their archives were written."""
    parts = [_MARK, _framed(bundle.entry.encode())]
    for file in bundle.files:
        parts += [_framed(file.path.encode()), _framed(file.data)]
    return b"".join(parts)


def unpacked(content: bytes) -> Bundle:
    """The bundle of what `packed` returned. Raises ValueError for anything else."""
    if not content.startswith(_MARK):
        raise ValueError("this is no bundle")
    fields = list(_frames(content, len(_MARK)))
    pairs = zip(fields[1::2], fields[2::2], strict=True)
    return Bundle(fields[0].decode(), tuple(BundleFile(path.decode(), data) for path, data in pairs))


def version_of_bundle(language: str, bundle: Bundle) -> Version:
    """The content address."""
    digest = hashlib.sha256(language.encode() + b"\0")
    digest.update(packed(bundle))
    return Version(digest.hexdigest())


def _claim(path: str, seen: dict[str, str]) -> None:
    other = seen.setdefault(path.casefold(), path)
    if other is not path:
        what = "it is there twice" if other == path else f"its name differs from {other} in case alone"
        raise refused(path, what)


def _framed(data: bytes) -> bytes:
    return b"%d:" % len(data) + data


def _frames(content: bytes, at: int) -> Iterator[bytes]:
    while at < len(content):
        colon = content.index(b":", at, at + 20)
        end = colon + 1 + int(content[at:colon])
        if end > len(content):
            raise ValueError("this bundle is cut short")
        yield content[colon + 1 : end]
        at = end
