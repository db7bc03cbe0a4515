"""What podman says of itself, and the host of what it gives to the daemon's user."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SYSTEMD = Path("/run/systemd/system")
_LINGER = Path("/var/lib/systemd/linger")


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """`cgroups` is "v2" only where the host has no other; `manager` is who makes podman's groups.

    `systemd`: it runs on this host. `linger`: the daemon's user (`user`, `uid`) keeps a systemd of its own.
    """

    podman: str
    runtime: str
    cgroups: str
    controllers: tuple[str, ...]
    storage: str
    manager: str = "systemd"
    user: str = "wsmgr"
    uid: int = 999
    systemd: bool = True
    linger: bool = True

    def __str__(self) -> str:
        controllers = ", ".join(self.controllers) or "none"
        return (
            f"podman {self.podman}, {self.runtime}, {self.storage} storage, cgroups {self.cgroups}, "
            f"delegated controllers: {controllers}"
        )


def facts_of(info: Mapping[str, Any], *, systemd: Path = _SYSTEMD, linger: Path = _LINGER) -> EngineFacts:
    """From podman's answer to `info` and the host's files. Raises KeyError when it is not such an answer."""
    host = info["host"]
    version = str(host["ociRuntime"].get("version", "")).splitlines()
    user = _user()
    return EngineFacts(
        podman=str(info["version"]["Version"]),
        runtime=version[0] if version else str(host["ociRuntime"].get("name")),
        cgroups=str(host.get("cgroupVersion")),
        controllers=tuple(host.get("cgroupControllers") or ()),
        storage=str(info["store"]["graphDriverName"]),
        manager=str(host.get("cgroupManager")),
        user=user,
        uid=os.geteuid(),
        systemd=systemd.is_dir(),
        linger=(linger / user).exists(),
    )


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
