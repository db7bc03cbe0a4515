"""Plugins and their versions. A version is named by the sha256 of its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wsmgr.core.ids import OwnerKey, Slug, Version


class Language(StrEnum):
    """Languages a plugin can be written in."""

    JAVASCRIPT = "javascript"
    PYTHON = "python"


@dataclass(frozen=True, slots=True)
class PluginSource:
    """What is pushed to a workspace: one version of one plugin with its code."""

    slug: Slug
    version: Version
    language: Language
    code: str


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


def version_of(language: Language, code: str) -> Version:
    """The content address of a single-file plugin."""
    digest = hashlib.sha256()
    digest.update(language.encode())
    digest.update(b"\0")
    digest.update(code.encode())
    return Version(digest.hexdigest())
