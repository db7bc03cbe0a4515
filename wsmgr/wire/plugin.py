"""Plugins and their versions."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from wsmgr.wire.base import Request, Response
from wsmgr.wire.names import Language, Version
from wsmgr.wire.page import Page


class PutPlugin(Request):
    """One version of a single-file plugin."""

    language: Language
    code: Annotated[str, Field(min_length=1)]


class PluginWarning(Response):
    """What looks wrong in code that was taken; `line` and `column` count from 1, null where unknown."""

    message: str
    line: int | None = None
    column: int | None = None


class PluginResult(Response):
    """`reloaded`: a running workspace serves this version now; false: the next call brings it there."""

    slug: str
    version: str
    reloaded: bool
    warnings: list[PluginWarning] = Field(default_factory=list)


class PluginVersion(Response):
    """A stored version, without its code. `size` in bytes."""

    slug: str
    version: str
    language: Language
    size: int
    created_at: AwareDatetime
    created_by: str
    current: bool


class PluginVersionPage(Page[PluginVersion]):
    """Of all plugins the current version each, by slug; or all versions of one plugin, newest first."""


class Rollback(Request):
    """The version to go back to; null: the one before the current."""

    version: Version | None = None
