"""How wsmgr's containers are named and labelled. Labels, not names, say whose a container is."""

from __future__ import annotations

import hashlib
import re

from wsmgr.core.ids import WorkspaceId

INSTANCE = "wsmgr.instance"
"""Which daemon's it is: daemons that share one podman never touch each other's containers."""
WORKSPACE = "wsmgr.workspace"
DIGEST = "wsmgr.digest"
GENERATION = "wsmgr.generation"
UID = "wsmgr.uid"
PROBE = "wsmgr.probe"
"""Marks a probe container, by instance; it never carries INSTANCE, so no list of workspaces shows it."""
PROBER = "wsmgr.prober"
"""Which process made a probe container."""

_UNSAFE = re.compile(r"[^a-z0-9]+")


def container_name(instance: str, workspace: WorkspaceId) -> str:
    """A name of at most 63 characters that is unique by its hash, and readable in `podman ps` by the rest."""
    mark = hashlib.sha256(f"{instance}\0{workspace}".encode()).hexdigest()[:16]
    readable = _UNSAFE.sub("-", workspace.lower())[:36].strip("-")
    return f"wsmgr-{readable}-{mark}"
