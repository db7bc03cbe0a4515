"""The names of a plugin's files, as its author knows them."""

from __future__ import annotations

_folders: dict[str, str] = {}


def virtual(slug: str, path: str) -> str:
    """What a file is called in stacks."""
    return f"plugin:{slug}/{path}"


def remember(folder: str, slug: str) -> None:
    """Files below this folder are the plugin's."""
    _folders[folder.rstrip("/") + "/"] = slug


def shown(filename: str) -> str | None:
    """The name of a file of the plugin's; None for any other."""
    if filename.startswith("plugin:"):
        return filename
    for folder, slug in _folders.items():
        if filename.startswith(folder):
            return virtual(slug, filename[len(folder) :])
    return None
