"""From podman's JSON to what the port speaks of. Pure but for the look at /proc, which is passed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wsmgr.adapters.podman import names
from wsmgr.adapters.podman.body import SOCKET
from wsmgr.adapters.podman.process import MainProcess
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.workspace import Created, Endpoint, Exited, Running

UNKNOWN_EXIT = 255
"""Reported when a main process is gone and podman cannot say how it ended."""

FindProcess = Callable[[int, int], MainProcess | None]
"""(pid, uid inside) to the live process, or None."""

_MADE = frozenset({"configured", "created", "initialized"})
_RUNS = frozenset({"running", "paused", "stopping"})
_LEAVES = "removing"


@dataclass(frozen=True, slots=True)
class Container:
    """One of wsmgr's containers as podman describes it. `started_at` is in whole seconds, as lists give it.

    `log` is the file of its output, which only an inspection tells.
    """

    handle: str
    workspace: WorkspaceId
    instance: str
    digest: str
    uid: int
    status: str
    pid: int
    exit_code: int
    oom_killed: bool
    started_at: datetime
    log: Path | None = None

    @property
    def runs(self) -> bool:
        """Whether podman takes its main process to be alive."""
        return self.status in _RUNS

    @property
    def leaves(self) -> bool:
        """Whether its removal was begun, and perhaps cut short: podman lists it, and can no longer inspect it."""
        return self.status == _LEAVES

    @property
    def ended(self) -> bool:
        """Whether it ran, or is in a state in which nothing but removal helps."""
        return not self.runs and self.status not in _MADE


def from_inspect(raw: Mapping[str, Any]) -> Container:
    """One answer of `containers/<name>/json`."""
    state = raw["State"]
    labels = raw["Config"].get("Labels") or {}
    started = _whole_seconds(state.get("StartedAt") or "")
    log = (raw["HostConfig"].get("LogConfig") or {}).get("Path")
    container = _container(raw["Id"], labels, state, started, bool(state.get("OOMKilled")))
    return replace(container, log=Path(log) if log else None)


def from_list(raw: Mapping[str, Any]) -> Container:
    """One row of `containers/json`. It does not tell of OOM kills: inspect what has ended."""
    state = {"Status": raw["State"], "Pid": raw["Pid"], "ExitCode": raw["ExitCode"]}
    started = datetime.fromtimestamp(max(0, raw.get("StartedAt") or 0), UTC)
    return _container(raw["Id"], raw.get("Labels") or {}, state, started, oom_killed=False)


def _container(
    handle: str, labels: Mapping[str, str], state: Mapping[str, Any], started: datetime, oom_killed: bool
) -> Container:
    uid = labels.get(names.UID, "")
    return Container(
        handle=handle,
        workspace=WorkspaceId(labels.get(names.WORKSPACE, "")),
        instance=labels.get(names.INSTANCE, ""),
        digest=labels.get(names.DIGEST, ""),
        uid=int(uid) if uid.isdecimal() else -1,
        status=str(state.get("Status") or "unknown").lower(),
        pid=int(state.get("Pid") or 0),
        exit_code=int(state.get("ExitCode") or 0),
        oom_killed=oom_killed,
        started_at=started,
    )


def _whole_seconds(text: str) -> datetime:
    # RFC 3339 with up to nine digits of a second and a zone other than UTC where the service's zone is another.
    zone = next((mark for mark in ("Z", "+", "-") if mark in text[19:]), "Z")
    offset = "+00:00" if zone == "Z" else zone + text[19:].partition(zone)[2]
    try:
        return max(datetime.fromisoformat(text[:19] + offset), datetime.fromtimestamp(0, UTC)).astimezone(UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def leaving(container: Container) -> Container:
    """The same as one whose removal was begun, whatever podman calls it."""
    return replace(container, status=_LEAVES)


def observed(container: Container, find: FindProcess) -> Created | Running | Exited | None:
    """The state of a container; None when podman says that it runs and its process is not there: look again."""
    if container.status in _MADE:
        return Created(container.handle, container.digest)
    if container.leaves:
        # Of no specification, so that it is removed whatever is wanted.
        return Created(container.handle, "")
    if not container.runs:
        return Exited(container.handle, container.digest, container.exit_code, container.oom_killed)
    process = find(container.pid, container.uid)
    if process is None:
        return None
    instance = f"{container.handle}@{process.start_ticks}"
    endpoint = Endpoint(process.pid, SOCKET, process.uid, instance)
    paused = container.status == "paused"
    return Running(container.handle, container.digest, endpoint, container.started_at, paused)


def vanished(container: Container) -> Exited:
    """What is reported when the main process stays away although podman goes on saying that it runs."""
    return Exited(container.handle, container.digest, UNKNOWN_EXIT, oom_killed=False)
