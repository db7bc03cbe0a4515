"""The files of bundles: written below the runtime's own folder, `<slug>/<version>/`, and removed with the last process
that may read them. The daemon has checked their paths; here they are checked again."""

from __future__ import annotations

import os
import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Mapping

from workspace_runtime.http_error import HttpError
from workspace_runtime.outcomes import LoadFailure

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PATH_MOST = 1024


class Bundle:
    """A checked bundle."""

    def __init__(self, entry: str, files: Mapping[str, bytes]) -> None:
        self.entry = entry
        self.files = files

    @classmethod
    def parse(cls, value: object) -> Bundle:
        """From `{entry, files: [{path, data}]}`. Raises HttpError."""
        listed = value.get("files") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(listed, list) or not listed:
            raise _invalid('"bundle" must be {entry, files: [{path, data}, ...]}, with one file at least.')
        files: dict[str, bytes] = {}
        for one in listed:
            path = checked(one.get("path") if isinstance(one, dict) else None)
            if path in files:
                raise _invalid(f"The bundle has the file {path} twice.")
            files[path] = _decoded(path, one.get("data"))
        entry = checked(value.get("entry"))
        if entry not in files:
            raise _invalid(f"The bundle has no file {entry}, which is its entry.")
        return cls(entry, files)

    def write(self, folder: str) -> None:
        """Into a folder that is made anew. Raises LoadFailure when there is no room for it."""
        remove(folder)
        try:
            for path, data in self.files.items():
                place = f"{folder}/{path}"
                os.makedirs(os.path.dirname(place), mode=0o755, exist_ok=True)
                fd = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
                with os.fdopen(fd, "wb") as file:
                    file.write(data)
        except OSError as error:
            remove(folder)
            raise LoadFailure(f"The files of the plugin cannot be stored in the workspace: {error.strerror}.") from None


def folder_of(root: str, slug: str, version: str) -> str:
    """Where the files of a version are."""
    name = version if _PLAIN.fullmatch(version) else version.encode(errors="replace").hex()[:200]
    return f"{root}/{slug}/{name}"


def remove(folder: str) -> None:
    """Idempotent. (shutil alone takes 6 ms to import.)"""
    for parent, folders, names in os.walk(folder, topdown=False):
        for name in names:
            os.unlink(f"{parent}/{name}")
        for name in folders:
            place = f"{parent}/{name}"
            if os.path.islink(place):
                os.unlink(place)
            else:
                os.rmdir(place)
    if os.path.isdir(folder):
        os.rmdir(folder)


def checked(path: object) -> str:
    """A relative, normalised path. Raises HttpError."""
    if not isinstance(path, str) or not 0 < len(path) <= _PATH_MOST:
        raise _invalid(f'A "path" in a bundle must be a string of 1 to {_PATH_MOST} characters.')
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or any(ord(sign) < 32 or sign == "\\" for sign in path):
        raise _invalid(f"The path {path[:100]!r} in the bundle is not a relative, normalised one.")
    try:
        path.encode()
    except UnicodeEncodeError:
        raise _invalid(f"The path {path[:100]!a} in the bundle is not valid text.") from None
    return path


def _decoded(path: str, data: object) -> bytes:
    try:
        if isinstance(data, str):
            return a2b_base64(data, strict_mode=True)
    except (Base64Error, ValueError):
        pass
    raise _invalid(f'The "data" of {path[:100]} in the bundle is not base64.')


def _invalid(message: str) -> HttpError:
    return HttpError(422, "invalid", message)
