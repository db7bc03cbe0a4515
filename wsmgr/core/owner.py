"""Owners: users and organisations, with what was chosen for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wsmgr.core.ids import OwnerKey
from wsmgr.core.isolation import Isolation
from wsmgr.core.limit_table import LimitValue


@dataclass(frozen=True, slots=True)
class Owner:
    """`plan`, `isolation` None: the daemon's own choice. `fallback`: a worker may stand in
    for a container while the engine is away (None: the daemon's own choice). `overrides` are limits that differ from
    the plan's, by the names and in the units of `core.limit_table`."""

    key: OwnerKey
    plan: str | None = None
    isolation: Isolation | None = None
    fallback: bool | None = None
    overrides: Mapping[str, LimitValue] = field(default_factory=dict)
