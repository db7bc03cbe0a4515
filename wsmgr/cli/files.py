"""Plugins and inputs that a command reads from files."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wsmgr.cli.failure import USAGE, Failure

if TYPE_CHECKING:
    from wsmgr.wire.names import Language

_LANGUAGES: Mapping[str, Language] = {
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".py": "python",
}


@dataclass(frozen=True, slots=True)
class PluginText:
    """A single-file plugin as it stood on disk."""

    slug: str
    language: Language
    code: str


def is_plugin_file(text: str) -> bool:
    """Whether an argument means a file: a slug has neither a slash nor a dot."""
    return "/" in text or "." in text


def read_plugin(path: Path, slug: str | None = None) -> PluginText:
    """Read a plugin. Raises Failure when the file cannot be read, or is of no known language."""
    language = _LANGUAGES.get(path.suffix.lower())
    if language is None:
        raise Failure(f"{path}: a plugin is a .js, .mjs, .cjs or .py file.", USAGE)
    return PluginText(slug or slug_of(path), language, read_text(path))


def slug_of(path: Path) -> str:
    """The file's name as a slug. Raises Failure when nothing of it can be one."""
    slug = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:64].strip("-")
    if not slug:
        raise Failure(f"{path}: no plugin name can be made of this file's name; pass --slug.", USAGE)
    return slug


def read_text(path: Path) -> str:
    """A file's text. Raises Failure."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Failure(f"{path} is not UTF-8 text.") from None
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror or error}.") from None


def read_input(file: str | None, text: str | None) -> object:
    """The input of a call: a JSON file, standard input (`-`), or a text; null when neither is given. Raises Failure."""
    if file is not None and text is not None:
        raise Failure("--input and --json-input exclude each other.", USAGE)
    if text is not None:
        return _parsed(text, "--json-input")
    if file is None:
        return None
    return _parsed(standard_input() if file == "-" else read_text(Path(file)), file)


def standard_input() -> str:
    """All of it. Raises Failure when it is not text."""
    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise Failure("Standard input is not UTF-8 text.") from None


def _parsed(text: str, origin: str) -> object:
    try:
        return json.loads(text)
    except RecursionError:
        raise Failure(f"{origin} is nested too deeply.", USAGE) from None
    except json.JSONDecodeError as error:
        raise Failure(
            f"{origin} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.", USAGE
        ) from None
    except ValueError as error:
        raise Failure(f"{origin} is not JSON that can be sent: {error}.", USAGE) from None
