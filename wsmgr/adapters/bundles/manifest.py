"""Which file of a bundle is loaded, and in which language: what the sender says, then a manifest, then usual names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from wsmgr.core.bundle import checked_path
from wsmgr.core.errors import InvalidRequest
from wsmgr.core.plugin import Language
from wsmgr.ports.bundles import Wishes

MANIFEST = "wsmgr.yaml"
_MEMBERS = ("entry", "language", "slug")
_BYTES_MOST = 16 * 1024
_PACKAGE_BYTES_MOST = 256 * 1024
_USUAL = (
    ("index.js", Language.JAVASCRIPT),
    ("index.mjs", Language.JAVASCRIPT),
    ("index.cjs", Language.JAVASCRIPT),
    ("main.py", Language.PYTHON),
)
_SUFFIXES = {"js": Language.JAVASCRIPT, "mjs": Language.JAVASCRIPT, "cjs": Language.JAVASCRIPT, "py": Language.PYTHON}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The entry point and its language."""

    entry: str
    language: Language


def choose(files: Mapping[str, bytes], wishes: Wishes) -> Chosen:
    """Raises InvalidRequest when nothing says it, or two things say it differently."""
    manifest = read_manifest(files[MANIFEST]) if MANIFEST in files else {}
    entry = wishes.entry or manifest.get("entry") or _package_main(files)
    usual = next(((name, language) for name, language in _USUAL if name in files), None)
    if entry is None and usual is not None:
        entry = usual[0]
    if entry is None:
        names = ", ".join(name for name, _ in _USUAL)
        raise InvalidRequest(
            f"Nothing says which file of the bundle to load: name it as `entry` in {MANIFEST} or as `main` in "
            f"package.json, or call it one of {names}."
        )
    entry = checked_path(entry)
    language = wishes.language or _language(manifest.get("language"), entry)
    return Chosen(entry, language)


def read_manifest(data: bytes) -> dict[str, str]:
    """The members of a wsmgr.yaml. Raises InvalidRequest, with the place."""
    if len(data) > _BYTES_MOST:
        raise InvalidRequest(f"{MANIFEST} has {len(data)} bytes; it may have {_BYTES_MOST}.")
    try:
        root = yaml.compose(data.decode(), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _wrong(line, f"it is not YAML: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise _wrong(1, "it is not YAML") from None
    if not isinstance(root, yaml.MappingNode):
        raise _wrong(1, f"it must be a mapping with {', '.join(_MEMBERS)}")
    found: dict[str, str] = {}
    for key, value in root.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.value not in _MEMBERS:
            raise _wrong(line, f"only {', '.join(_MEMBERS)} are known here")
        if not isinstance(value, yaml.ScalarNode) or not value.value or key.value in found:
            raise _wrong(line, f"{key.value} must be one text, once")
        found[key.value] = value.value
    return found


def _wrong(line: int, why: str) -> InvalidRequest:
    details = {"file": MANIFEST, "line": line, "column": 1}
    return InvalidRequest(f"{MANIFEST}:{line}: {why}.", details=details)


def _package_main(files: Mapping[str, bytes]) -> str | None:
    """What Node itself would load of a package: `exports` is for those who import it by name."""
    data = files.get("package.json")
    if data is None or len(data) > _PACKAGE_BYTES_MOST:
        return None
    try:
        package = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"package.json is not JSON: {error}.", details={"file": "package.json"}) from None
    main = package.get("main") if isinstance(package, dict) else None
    if not isinstance(main, str) or not main:
        return None
    main = main.removeprefix("./").rstrip("/")
    candidates = (main, f"{main}.js", f"{main}.cjs", f"{main}/index.js")
    return next((name for name in candidates if name in files), main)


def _language(said: str | None, entry: str) -> Language:
    if said is not None:
        if said not in {language.value for language in Language}:
            raise _wrong(1, f"language is {said[:40]!r}: it must be one of {', '.join(Language)}")
        return Language(said)
    language = _SUFFIXES.get(entry.rpartition(".")[2].lower())
    if language is None:
        raise InvalidRequest(f"The language of {entry} is not known: say it as `language` in {MANIFEST}.")
    return language
