"""What an engine says of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineVersions:
    """`engine` with its name, as `podman 4.3.1`; `runtime`: what makes its containers, in that one's own words."""

    engine: str
    runtime: str
