"""Plugins and their versions. A version is named by the sha256 of its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wsmgr.core.bundle import Bundle, version_of_bundle
from wsmgr.core.ids import OwnerKey, Slug, Version


class Language(StrEnum):
    """Languages a plugin can be written in."""

    JAVASCRIPT = "javascript"
    PYTHON = "python"


@dataclass(frozen=True, slots=True)
class PluginSource:
    """What is pushed to a workspace: one version of one plugin with its code, or with a bundle and no code."""

    slug: Slug
    version: Version
    language: Language
    code: str
    bundle: Bundle | None = None

    @property
    def size(self) -> int:
        """Bytes of what people wrote, without what carries it."""
        return len(self.code.encode()) if self.bundle is None else self.bundle.size


@dataclass(frozen=True, slots=True)
class PluginVersion:
    """A stored version, without its code."""

    owner: OwnerKey
    slug: Slug
    version: Version
    language: Language
    size: int
    created_at: datetime
    created_by: str
    current: bool


def source_of_code(slug: Slug, language: Language, code: str) -> PluginSource:
    """A single file with its version."""
    return PluginSource(slug, version_of(language, code), language, code)


def source_of_bundle(slug: Slug, language: Language, bundle: Bundle) -> PluginSource:
    """A bundle with its version."""
    return PluginSource(slug, version_of_bundle(language, bundle), language, "", bundle)


def version_of(language: Language, code: str) -> Version:
    """The content address of a single-file plugin."""
    digest = hashlib.sha256()
    digest.update(language.encode())
    digest.update(b"\0")
    digest.update(code.encode())
    return Version(digest.hexdigest())
