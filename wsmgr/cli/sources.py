"""What `plugin put` and its like are given: a file, a folder, or an archive."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wsmgr.cli.failure import USAGE, Failure
from wsmgr.cli.files import PluginText, read_plugin, slug_of

GZIP = "application/gzip"
ZIP = "application/zip"
_ARCHIVES = {".tgz": GZIP, ".tar.gz": GZIP, ".zip": ZIP}
_MOST_BYTES = 64 * 1024 * 1024
_SLUG_LINE = re.compile(r"^slug:\s*[\"']?([a-z0-9][a-z0-9-]{0,63})[\"']?\s*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Archive:
    """A plugin of several files."""

    slug: str
    media: str
    data: bytes


def read_source(
    path: Path, slug: str | None = None, packing: Callable[[int, int], None] | None = None
) -> PluginText | Archive:
    """Read it; `packing` is told how many files of a folder are packed, of how many. Raises Failure when it is none of
    the three, or cannot be read."""
    if path.is_dir():
        from wsmgr.cli.packing import pack  # noqa: PLC0415  # tarfile only where something is packed

        packed = pack(path, packing)
        return Archive(slug or _slug_in(path) or slug_of(path.resolve()), GZIP, packed.archive)
    end = next((end for end in _ARCHIVES if path.name.lower().endswith(end)), None)
    if end is None:
        return read_plugin(path, slug)
    return Archive(slug or slug_of(path.with_name(path.name[: -len(end)])), _ARCHIVES[end], _bytes(path))


def _slug_in(folder: Path) -> str | None:
    manifest = folder / "wsmgr.yaml"
    if not manifest.is_file():
        return None
    found = _SLUG_LINE.search(_bytes(manifest).decode("utf-8", "replace"))
    return found[1] if found else None


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror or error}.") from None
    if len(data) > _MOST_BYTES:
        raise Failure(f"{path} has {len(data)} bytes; no plugin may have more than {_MOST_BYTES}.", USAGE)
    return data
