"""Owners: users and organisations, with what was chosen for them."""

from __future__ import annotations

from dataclasses import dataclass

from wsmgr.core.ids import OwnerKey
from wsmgr.core.isolation import Isolation


@dataclass(frozen=True, slots=True)
class Owner:
    """`plan`, `isolation` None: the daemon's own choice. `fallback`: a worker may stand in
    for a container while the engine is away (None: the daemon's own choice)."""

    key: OwnerKey
    plan: str | None = None
    isolation: Isolation | None = None
    fallback: bool | None = None
