"""The processes of a soak, found in /proc: podman is not asked, since podman is what is being broken."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from tests.podman.daemon.rig import RealDaemon
from wsmgr.adapters.podman.names import container_name
from wsmgr.core.ids import WorkspaceId

INIT = "catatonit"
"""The first process in a workspace (containerfiles)."""


def name_of(daemon: RealDaemon, workspace: str) -> str:
    """The name of a workspace's container, whether there is one or not."""
    return container_name((daemon.state / "instance").read_text().strip(), WorkspaceId(workspace))


def main_of(name: str) -> psutil.Process | None:
    """The first process of the container of that name, the child of its monitor; None when it does not run.

    While a container is being started the monitor's child is the OCI runtime. It is left alone: one that is frozen has
    podman wait for it with the container's lock held, and every list of containers with it.
    """
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == "conmon" and name in process.cmdline():
                return next((child for child in process.children() if child.name() == INIT), None)
    return None


def runtime_of(name: str) -> psutil.Process | None:
    """The runtime behind the init of a container."""
    main = main_of(name)
    with suppress(psutil.Error):
        return None if main is None else next(iter(main.children()), None)
    return None


def service_of(daemon: RealDaemon) -> psutil.Process | None:
    """The podman service that serves on the daemon's socket, whoever started it."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if f"unix://{daemon.podman_socket}" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                return process
    return None


def hit(process: psutil.Process | None, number: signal.Signals) -> bool:
    """Send a signal; whether there was anybody to get it."""
    if process is None:
        return False
    # The uid of a workspace is not the daemon's, so it is the namespace that gives the right to do this.
    with suppress(psutil.Error, ProcessLookupError):
        os.kill(process.pid, number)
        return True
    return False


def open_files(pid: int) -> int:
    """How many descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
