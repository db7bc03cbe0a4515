"""The build context of the workspace image: which files it holds, a digest of them, and writing them down.

Modes are fixed here and times by `podman build --timestamp`, so equal inputs make equal layers, whoever builds.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1024 * 1024
FOLDER_MODE, FILE_MODE = 0o755, 0o644
PLUGIN_UID = 10_000
"""The user that the image names; every workspace overrides it with a uid of its own."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file (from `source`, or holding `content`) or, with neither, one directory; `path` is relative."""

    path: str
    mode: int
    source: Path | None = None
    content: bytes | None = None

    @property
    def is_directory(self) -> bool:
        """Whether this is a directory."""
        return self.source is None and self.content is None

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the file."""
        if self.source is None:
            yield self.content or b""
            return
        with self.source.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


def skeleton(*, whole: bool) -> list[Entry]:
    """What every image gets below rootfs/; `whole` also makes the directories that a base would bring."""
    users = f"root:x:0:0:root:/:/sbin/nologin\nplugin:x:{PLUGIN_UID}:{PLUGIN_UID}:plugin:/tmp:/sbin/nologin\n"
    groups = f"root:x:0:\nplugin:x:{PLUGIN_UID}:\n"
    entries = [
        Entry("rootfs/etc/passwd", 0o644, content=users.encode()),
        Entry("rootfs/etc/group", 0o644, content=groups.encode()),
        Entry("rootfs/run/wsmgr", 0o1777),
        Entry("rootfs/plugins", 0o1777),
        Entry("rootfs/tmp", 0o1777),
    ]
    if whole:
        entries += [Entry(f"rootfs/{name}", 0o755) for name in ("dev", "proc", "sys")]
    return entries


def program(path: str, source: Path, mode: int = 0o755) -> Entry:
    """An executable below rootfs/."""
    return Entry(f"rootfs/{path.lstrip('/')}", mode, source=source)


def tree(folder: Path, under: str) -> list[Entry]:
    """All regular files below a folder, without hidden ones and bytecode; links and oddities are left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    files = [path for path in files if path.suffix != ".pyc"]
    shown = [path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return [Entry(f"{under}/{path.relative_to(folder).as_posix()}", 0o644, source=path) for path in shown]


def digest(entries: Iterable[Entry], extra: Iterable[str]) -> str:
    """A sha256 over every path, mode and content, and over `extra` (build arguments)."""
    total = hashlib.sha256()
    for text in extra:
        total.update(f"arg {len(text)} {text}\n".encode())
    for entry in sorted(entries, key=lambda one: one.path):
        content = hashlib.sha256()
        for chunk in entry.chunks():
            content.update(chunk)
        kind = "dir" if entry.is_directory else content.hexdigest()
        total.update(f"{len(entry.path)} {entry.path} {entry.mode:o} {kind}\n".encode())
    return total.hexdigest()


def write(entries: Iterable[Entry], folder: Path) -> None:
    """Write the context into an empty folder, every mode set whatever the umask. Raises OSError."""
    folder.chmod(0o755)
    made: dict[Path, int] = {}
    for entry in sorted(entries, key=lambda one: one.path):
        target = folder / entry.path
        parent = target if entry.is_directory else target.parent
        parent.mkdir(parents=True, exist_ok=True)
        for directory in [parent, *parent.parents]:
            if directory == folder:
                break
            made.setdefault(directory, 0o755)
        if entry.is_directory:
            made[target] = entry.mode
            continue
        if entry.source is not None:
            shutil.copyfile(entry.source, target)
        else:
            target.write_bytes(entry.content or b"")
        target.chmod(entry.mode)
    for directory, mode in made.items():
        directory.chmod(mode)
