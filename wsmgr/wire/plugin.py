"""Plugins and their versions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from wsmgr.wire.base import Request, Response
from wsmgr.wire.names import Language, Version
from wsmgr.wire.page import Page


class PutPlugin(Request):
    """One version of a single-file plugin."""

    language: Language
    code: Annotated[str, Field(min_length=1)]


class PluginWarning(Response):
    """What looks wrong in code that was taken; `line` and `column` count from 1, null where unknown. `file` is empty
    where it is about no file; `rule` is an id of the policy."""

    message: str
    file: str = ""
    line: int | None = None
    column: int | None = None
    rule: str = ""
    severity: Literal["error", "warning"] = "warning"


class PluginResult(Response):
    """`reloaded`: a running workspace serves this version now, which took `reloadMs`; false: the next call brings it
    there."""

    slug: str
    version: str
    reloaded: bool
    reload_ms: float | None = None
    warnings: list[PluginWarning] = Field(default_factory=list)


class PluginFile(Response):
    """One file of a version: its `text`, or `base64` where it is not UTF-8."""

    path: str
    text: str | None
    base64: str | None


class PluginSource(Response):
    """One version with its files, by path. `bundled`: it was put as an archive."""

    slug: str
    version: str
    language: Language
    bundled: bool
    entry: str
    files: list[PluginFile]


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
