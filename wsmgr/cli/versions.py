"""Versions as people name them: by what they begin with, by being current, by being the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wsmgr.cli.failure import Failure

if TYPE_CHECKING:
    from wsmgr.wire.plugin import PluginVersion

SHORT = 12
"""So many signs of a version are shown."""


def named(versions: Sequence[PluginVersion], slug: str, start: str) -> str:
    """The version that begins so. Raises Failure when there is none, or more than one."""
    found = [one.version for one in versions if one.version.startswith(start.lower())]
    if len(found) == 1:
        return found[0]
    many = "no version" if not found else f"{len(found)} versions"
    raise Failure(f"{slug} has {many} beginning with {start!r}; it has {_listed(versions)}.")


def current(versions: Sequence[PluginVersion], slug: str) -> str:
    """Raises Failure when none is."""
    return versions[_at_current(versions, slug)].version


def before_current(versions: Sequence[PluginVersion], slug: str) -> str:
    """The one that was stored before it. Raises Failure when there is none."""
    older = versions[_at_current(versions, slug) + 1 :]
    if not older:
        raise Failure(f"{slug} has no version before the current one; it has {_listed(versions)}.")
    return older[0].version


def _at_current(versions: Sequence[PluginVersion], slug: str) -> int:
    for at, one in enumerate(versions):
        if one.current:
            return at
    raise Failure(f"{slug} has no current version; it has {_listed(versions)}.")


def _listed(versions: Sequence[PluginVersion]) -> str:
    return ", ".join(one.version[:SHORT] for one in versions[:10]) or "none"
