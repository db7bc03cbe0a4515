"""A folder as an archive: what of it goes in, and the bytes."""

from __future__ import annotations

import fnmatch
import gzip
import io
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsmgr.cli.failure import Failure
from wsmgr.cli.files import read_text

IGNORE_FILE = ".wsmgrignore"
ALWAYS_IGNORED = (
    *(".git", ".hg", ".svn", ".DS_Store", ".env", ".env.*", IGNORE_FILE, ".npmrc", ".pypirc"),
    *("__pycache__", "*.pyc", ".venv", "venv", ".mypy_cache", ".ruff_cache", ".pytest_cache"),
    *("node_modules/.bin", "node_modules/.cache", ".idea", ".vscode", "*.swp", "*~", "npm-debug.log*"),
)
_FILES_MOST = 50_000
_BYTES_MOST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive (.tar.gz), with how many files and bytes are in it."""

    archive: bytes
    files: int
    size: int


def pack(folder: Path, told: Callable[[int, int], None] | None = None) -> Packed:
    """Equal files give equal bytes; `told` hears how many files are packed, of how many. Raises Failure for links and
    for folders that are too large to be plugins."""
    paths = list(files_of(folder))
    buffer = io.BytesIO()
    count = size = 0
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, compresslevel=6, filename="") as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in paths:
            try:
                data = path.read_bytes()
            except OSError as error:
                raise Failure(f"{path} cannot be read: {error.strerror or error}.") from None
            count, size = count + 1, size + len(data)
            if count > _FILES_MOST or size > _BYTES_MOST:
                raise Failure(
                    f"{folder} has more than a plugin may have ({_FILES_MOST} files, {_BYTES_MOST >> 20} MiB); name "
                    f"what does not belong to it in {IGNORE_FILE}."
                )
            info = tarfile.TarInfo(path.relative_to(folder).as_posix())
            info.size = len(data)
            info.mode = 0o644
            tar.addfile(info, io.BytesIO(data))
            if told is not None:
                told(count, len(paths))
    if not count:
        raise Failure(f"{folder} has no files to pack.")
    return Packed(buffer.getvalue(), count, size)


def files_of(folder: Path) -> Iterator[Path]:
    """The files that are packed, by name. Raises Failure."""
    own = read_text(folder / IGNORE_FILE).splitlines() if (folder / IGNORE_FILE).is_file() else []
    patterns = [line.strip() for line in own if line.strip() and not line.lstrip().startswith("#")]
    yield from _walk(folder, folder, _Ignored((*ALWAYS_IGNORED, *patterns)))


def _walk(folder: Path, root: Path, ignored: _Ignored) -> Iterator[Path]:
    try:
        found = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        raise Failure(f"{folder} cannot be read: {error.strerror or error}.") from None
    for path in found:
        name = path.relative_to(root).as_posix()
        if ignored(name, folder=path.is_dir()):
            continue
        if path.is_symlink():
            raise Failure(
                f"{path} is a link, which bundles have none of: put the file there, or name it in {IGNORE_FILE}."
            )
        if path.is_dir():
            yield from _walk(path, root, ignored)
        elif path.is_file():
            yield path


class _Ignored:
    """Patterns as people know them from .gitignore: a name anywhere, a path from the top, a folder with a slash."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._rules = [self._rule(pattern) for pattern in patterns]

    def __call__(self, name: str, *, folder: bool) -> bool:
        return any(rule.fullmatch(name) and (folder or not folders) for rule, folders in self._rules)

    @staticmethod
    def _rule(pattern: str) -> tuple[re.Pattern[str], bool]:
        folders = pattern.endswith("/")
        body = pattern.rstrip("/")
        anchored = "/" in body
        body = body.lstrip("/").replace("**/", "*/")
        text = fnmatch.translate(body)
        return re.compile(text if anchored and not body.startswith("*/") else f"(?:.*/)?{text}", re.DOTALL), folders
