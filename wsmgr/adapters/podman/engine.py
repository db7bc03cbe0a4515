"""Workspaces as rootless Podman containers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wsmgr.adapters.podman import names
from wsmgr.adapters.podman.api_service import ApiService
from wsmgr.adapters.podman.body import create_body, workspace_labels
from wsmgr.adapters.podman.calls import Answer, PodmanCalls
from wsmgr.adapters.podman.capabilities import PROBE_SPEC, CapabilityProbe
from wsmgr.adapters.podman.containers import Container, from_inspect, from_list, leaving, observed, vanished
from wsmgr.adapters.podman.delegated import pids_are_delegated
from wsmgr.adapters.podman.ending import explained
from wsmgr.adapters.podman.errors import image_missing, message_of, refused
from wsmgr.adapters.podman.loglines import last_lines
from wsmgr.adapters.podman.pause import PauseProcess
from wsmgr.adapters.podman.process import main_process
from wsmgr.adapters.podman.program import Program
from wsmgr.adapters.podman.removing import is_gone, is_robbed, remove_container
from wsmgr.adapters.podman.seccomp import write_filter
from wsmgr.adapters.podman.starting import start_container
from wsmgr.core.capability import Capability
from wsmgr.core.errors import EngineFailure, EngineUnavailable
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.versions import EngineVersions
from wsmgr.core.workspace import Absent, Created, Exited, Found, Observed, Running, Spec

_LOOKS = 20
_LOOK_EVERY_S = 0.05


class PodmanEngine:
    """The engine of isolation `container`. See `wsmgr.ports.engine.Engine` for the contract of each method.

    `socket`: podman's API socket; with `service` None somebody else (systemd) answers on it, else it is kept alive.
    `instance`: the label value that keeps daemons on one podman apart. `probe_image`: what capability probes run.
    `timeout_s` bounds a look, `long_timeout_s` a create, a start or a removal. More than two starts at a time make
    podman slower, not faster. In `filter_dir` a filter of system calls is kept that is narrower than podman's own;
    None: podman's own is in force.
    """

    def __init__(
        self,
        socket: Path,
        instance: str,
        *,
        probe_image: str,
        service: ApiService | None = None,
        start_concurrency: int = 2,
        threads: int = 12,
        timeout_s: float = 10.0,
        long_timeout_s: float = 60.0,
        filter_dir: Path | None = None,
    ) -> None:
        self._socket = socket
        self._instance = instance
        self._probe_image = probe_image
        self._service = service
        self._threads = threads
        self._timeout_s = timeout_s
        self._long_timeout_s = long_timeout_s
        self._pause = PauseProcess(Program())
        self._filter_dir = filter_dir
        self._filter: Path | None = None
        self._starts = asyncio.Semaphore(start_concurrency)
        # Stops wait in a thread for the whole grace; some threads always remain for the rest.
        self._ends = asyncio.Semaphore(max(1, threads - start_concurrency - 2))
        self._opening = asyncio.Lock()
        self._calls: PodmanCalls | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._versions: EngineVersions | None = None

    @property
    def isolation(self) -> Isolation:
        """Container."""
        return Isolation.CONTAINER

    async def open(self) -> None:
        """Have a service answer. Refuses to run as root, where containers would not be rootless."""
        if os.geteuid() == 0:
            raise EngineUnavailable("Containers are made by an unprivileged user, never by root: run wsmgr as one.")
        async with self._opening:
            if self._filter is None and self._filter_dir is not None:
                try:
                    self._filter = await asyncio.to_thread(write_filter, self._filter_dir)
                except OSError as error:
                    raise EngineUnavailable(f"The filter of system calls cannot be written: {error}.") from error
            if self._calls is None:
                self._calls = PodmanCalls(self._socket, threads=self._threads, timeout_s=self._timeout_s)
            if self._service is not None:
                if self._watcher is None:
                    # Also when the first start fails: the watcher goes on trying.
                    self._watcher = asyncio.create_task(self._service.watch(), name="podman-service")
                await self._service.ensure()
        try:
            await self.ping()
        except EngineUnavailable:
            # A service that systemd starts for each connection dies of a lost pause process each time.
            if not await self._pause.mend():
                raise
            await self.ping()

    @property
    def sandboxed(self) -> bool:
        """Always."""
        return True

    @property
    def versions(self) -> EngineVersions | None:
        """Of podman and its runtime."""
        return self._versions

    async def close(self) -> None:
        """Stop watching and hang up; the service and the containers stay."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
        calls, self._calls = self._calls, None
        if calls is not None:
            calls.close()

    async def ping(self) -> None:
        """List one container: unlike `_ping` that takes podman's locks."""
        answer = await self._api.get("/containers/json", {"all": "true", "limit": "1"})
        if not answer.ok:
            raise EngineUnavailable(f"Podman cannot list containers: {message_of(answer.body)}")

    async def list(self) -> Sequence[Found]:
        """One call for all, one more for each that has ended."""
        filters = json.dumps({"label": [f"{names.INSTANCE}={self._instance}"]})
        answer = await self._api.get("/containers/json", {"all": "true", "filters": filters})
        if not answer.ok:
            raise refused(answer.status, answer.body, "list containers")
        found = await asyncio.gather(*(self._found(from_list(row)) for row in answer.json()))
        return [one for one in found if one is not None]

    async def observe(self, workspace: WorkspaceId) -> Observed:
        """Inspect by name."""
        container = await self._inspect(self._name(workspace))
        if container is None or not self._is_ours(container, workspace):
            return Absent()
        return await self._settled(container)

    async def create(self, spec: Spec) -> str:
        """Post the raw body."""
        name = self._name(spec.workspace)
        labels = workspace_labels(self._instance, spec)
        # Asked each time, since delegation can be taken away: then the rlimit is what is left.
        body = create_body(spec, name=name, labels=labels, seccomp=self._filter, by_group=pids_are_delegated())
        answer = await self._post_create(body)
        if _name_in_use(answer):
            existing = await self._inspect(name)
            if existing is not None and not existing.leaves:
                return self._same(existing, spec)
            # A create or a removal that died left a part of it, which has the name.
            await self._delete(name)
            answer = await self._post_create(body)
        if not answer.ok:
            image = await self._api.get(f"/images/{spec.image}/exists")
            if image.status == 404:
                raise image_missing(spec.image)
            if "image not known" in message_of(answer.body):
                # It came between the two.
                answer = await self._post_create(body)
        if answer.ok:
            return str(answer.json()["Id"])
        raise refused(answer.status, answer.body, f"create {name}")

    async def start(self, handle: str) -> None:
        """Start, a few at a time; what cannot be started is removed."""
        async with self._starts:
            answer = await start_container(self._api, handle, self._long_timeout_s)
        if is_gone(answer):
            raise EngineFailure(f"The container {handle[:12]} is not there any more; it has to be made again.")
        if answer.ok:
            return
        # Some it would refuse for ever (its monitor died in the middle of a start): the next try has a fresh one.
        with contextlib.suppress(EngineFailure, EngineUnavailable):
            await self.remove(handle)
        raise refused(answer.status, answer.body, f"start {handle[:12]}")

    async def stop(self, handle: str, grace_s: float) -> None:
        """Podman counts the grace in whole seconds, rounded up here."""
        grace = math.ceil(grace_s)
        async with self._ends:
            answer = await self._api.post(
                f"/containers/{handle}/stop", {"timeout": str(grace)}, timeout_s=grace + self._long_timeout_s
            )
        if answer.ok or is_gone(answer):
            return
        # It may have ended by itself while podman was about to stop it, which podman calls an error.
        container = await self._inspect(handle)
        if container is not None and container.runs:
            raise refused(answer.status, answer.body, f"stop {handle[:12]}")

    async def remove(self, handle: str) -> None:
        """Kill and remove."""
        async with self._ends:
            await self._delete(handle)

    async def logs(self, workspace: WorkspaceId, lines: int) -> Sequence[str]:
        """Read from the capped log file."""
        container = await self._inspect(self._name(workspace))
        if container is None or container.log is None or not self._is_ours(container, workspace):
            return []
        try:
            return await asyncio.to_thread(last_lines, container.log, lines)
        except OSError as error:
            raise EngineFailure(f"The log of {workspace} cannot be read: {error}.") from error

    async def capabilities(self) -> Sequence[Capability]:
        """Start a probe container and look at it from the host; start another one that tries to break its limits."""
        spec = replace(PROBE_SPEC, image=self._probe_image)
        probe = CapabilityProbe(
            self._api,
            self._instance,
            spec,
            starts=self._starts,
            long_timeout_s=self._long_timeout_s,
            seccomp=self._filter,
            by_group=pids_are_delegated(),
        )
        found = await probe.run()
        if probe.facts is not None:
            self._versions = EngineVersions(f"podman {probe.facts.podman}", probe.facts.runtime)
        return found

    @property
    def _api(self) -> PodmanCalls:
        if self._calls is None:
            raise EngineUnavailable("The container engine is not open.")
        return self._calls

    def _name(self, workspace: WorkspaceId) -> str:
        return names.container_name(self._instance, workspace)

    def _is_ours(self, container: Container, workspace: WorkspaceId) -> bool:
        return container.instance == self._instance and container.workspace == workspace

    def _same(self, existing: Container, spec: Spec) -> str:
        if not self._is_ours(existing, spec.workspace):
            raise EngineFailure(
                f"The name {self._name(spec.workspace)} is taken by a container that is not wsmgr's; remove that one."
            )
        if existing.digest != spec.digest:
            raise EngineFailure(f"{spec.workspace} exists with another specification and has to be removed first.")
        return existing.handle

    async def _post_create(self, body: dict[str, object]) -> Answer:
        async with self._starts:
            return await self._api.post("/containers/create", body=body, timeout_s=self._long_timeout_s)

    async def _delete(self, handle_or_name: str) -> None:
        answer = await remove_container(self._api, handle_or_name, self._long_timeout_s, volumes=True)
        if answer.ok or is_gone(answer):
            return
        # Two removals at once: the second one fails on what the first one has taken away.
        if await self._inspect(handle_or_name) is not None:
            raise refused(answer.status, answer.body, f"remove {handle_or_name[:12]}")

    async def _inspect(self, handle_or_name: str) -> Container | None:
        answer = await self._api.get(f"/containers/{handle_or_name}/json")
        if is_gone(answer):
            return None
        if answer.ok:
            return from_inspect(answer.json())
        remnant = await self._leaving(handle_or_name, robbed=is_robbed(answer))
        if remnant is None:
            raise refused(answer.status, answer.body, f"inspect {handle_or_name}")
        return remnant

    async def _leaving(self, handle_or_name: str, *, robbed: bool) -> Container | None:
        """One whose removal was cut short (a service that was killed): only lists still show it, in any state when its
        storage was the first to go (`robbed`)."""
        wanted = {"label": [f"{names.INSTANCE}={self._instance}"], **({} if robbed else {"status": ["removing"]})}
        answer = await self._api.get("/containers/json", {"all": "true", "filters": json.dumps(wanted)})
        for row in answer.json() if answer.ok else []:
            if handle_or_name in (row["Id"], *(row.get("Names") or ())):
                return leaving(from_list(row))
        return None

    async def _found(self, row: Container) -> Found | None:
        """A row of the list; one that has ended is inspected, because lists do not tell of OOM kills."""
        container = await self._inspect(row.handle) if row.ended and not row.leaves else row
        if container is None:
            return None
        state = await self._settled(container)
        return None if isinstance(state, Absent) else Found(container.workspace, state)

    async def _settled(self, container: Container) -> Absent | Created | Running | Exited:
        """The state, once podman and /proc agree: right after an exit podman still says `running` for a moment."""
        seen: Container | None = container
        for _ in range(_LOOKS):
            if seen is None:
                return Absent()
            state = observed(seen, main_process)
            if isinstance(state, Exited):
                return await explained(state, seen.log)
            if state is not None:
                return state
            await asyncio.sleep(_LOOK_EVERY_S)
            seen = await self._inspect(container.handle)
        return vanished(container)


def _name_in_use(answer: Answer) -> bool:
    # 409 by the book, 500 in podman 4.3.
    return answer.status in (409, 500) and "already in use" in message_of(answer.body)
