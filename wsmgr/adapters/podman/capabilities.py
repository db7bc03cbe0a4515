"""Proves what containers are held to on this host: a probe container is looked at from outside, another one tries to
break its limits; both are removed."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from wsmgr.adapters.podman import names
from wsmgr.adapters.podman.body import create_body
from wsmgr.adapters.podman.breaker import SCRIPT, breaker_body
from wsmgr.adapters.podman.breaking import watch_breaker
from wsmgr.adapters.podman.calls import Answer, PodmanCalls
from wsmgr.adapters.podman.errors import message_of
from wsmgr.adapters.podman.facts import EngineFacts, facts_of
from wsmgr.adapters.podman.groups import own_groups, try_freeze
from wsmgr.adapters.podman.matrix import matrix, not_probed
from wsmgr.adapters.podman.mends import delegation, missing_controller
from wsmgr.adapters.podman.process import start_ticks
from wsmgr.adapters.podman.readings import Readings, read_process
from wsmgr.adapters.podman.removing import remove_container
from wsmgr.adapters.podman.starting import start_container
from wsmgr.adapters.podman.trial import Trial, attempt_on
from wsmgr.core.capability import Capability
from wsmgr.core.errors import EngineUnavailable, WsmgrError
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import FIRST_UID, Spec

T = TypeVar("T")

_STALE_S = 300
_REMOVE_AGAIN_S = (0.5, 1.0, 2.0, 4.0)
_LEAVE_S = 5.0
_BREAKER_UIDS = 4096

PROBE_SPEC = Spec(
    workspace=WorkspaceId("probe"),
    isolation=Isolation.CONTAINER,
    image="",
    # The uid before the first slot's: no workspace has it.
    uid=FIRST_UID - 1,
    generation=0,
    memory_mb=96,
    cpus=0.5,
    pids=48,
    nofile=256,
    scratch_mb=8,
    concurrency=1,
    input_bytes=65536,
    output_bytes=65536,
    log_bytes=65536,
)
"""What a probe is held to; its image is the one to be probed."""


class _NotStarted(Exception):
    """A container that podman refused. `mend` is what the operator can do."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(reason)
        self.mend = mend


@dataclass(frozen=True, slots=True)
class _Started:
    """What podman's inspection says of a container that runs, and what it said at its creation."""

    pid: int
    handle: str
    monitor: int
    warnings: Sequence[str]


class CapabilityProbe:
    """One probe on an open engine. Its containers carry a label of their own and are never taken for workspaces.

    `starts` bounds how many containers start at a time; `script` is what tries to break limits, for `break_s` at most:
    half of what podman may take for its slowest answers, since a host that starts many workspaces is slow in both.
    """

    def __init__(
        self,
        calls: PodmanCalls,
        instance: str,
        spec: Spec,
        *,
        starts: asyncio.Semaphore,
        long_timeout_s: float,
        break_s: float | None = None,
        script: str = SCRIPT,
        seccomp: Path | None = None,
        by_group: bool = False,
    ) -> None:
        self._calls = calls
        self._instance = instance
        self._spec = spec
        self._starts = starts
        self._long_timeout_s = long_timeout_s
        self._break_s = long_timeout_s / 2 if break_s is None else break_s
        self._script = script
        self._seccomp = seccomp
        self._by_group = by_group
        self._made: list[str] = []
        self.facts: EngineFacts | None = None
        """What podman said of itself, once `run` has asked."""

    async def run(self) -> list[Capability]:
        """The matrix. Raises EngineUnavailable; whatever else goes wrong is evidence."""
        await self._remove_stale()
        # Podman runs several programs for this answer: it takes longer than all the rest together.
        info = asyncio.create_task(self._calls.get("/info"), name="podman-info")
        try:
            return await self._probe(info)
        except _NotStarted as refusal:
            return not_probed(str(refusal), await self._mend(refusal, info))
        finally:
            info.cancel()
            # One that stays is removed before the next probe: no reason to lose what was seen.
            await asyncio.gather(info, *(self._remove_surely(name) for name in self._made), return_exceptions=True)

    async def _probe(self, info: asyncio.Task[Answer]) -> list[Capability]:
        started = await self._start(self._spec, self._body(self._spec))
        try:
            seen = read_process(started.pid, started.handle, started.monitor)
            groups = own_groups(started.pid, started.handle)
        except OSError as error:
            mend = "Build the workspace image again."
            raise _NotStarted(f"its main process was gone at once: {error}", mend) from error
        trial = replace(await self._broken(seen), freezable=bool(groups), freeze=await _frozen(groups))
        described = await info
        if not described.ok:
            raise EngineUnavailable(f"Podman does not describe itself: {message_of(described.body)}")
        self.facts = facts_of(described.json())
        return matrix(seen, self._spec, self.facts, started.warnings, trial)

    async def _mend(self, refusal: _NotStarted, info: asyncio.Task[Answer]) -> str:
        """A runtime that misses a file of the control group was not given its controller, whatever podman makes of
        that. Raises EngineUnavailable."""
        controller = missing_controller(str(refusal))
        described = await info
        if described.ok:
            self.facts = facts_of(described.json())
        return refusal.mend if controller is None or self.facts is None else delegation(self.facts, controller)

    async def _broken(self, seen: Readings) -> Trial:
        """What came of trying to break limits. Raises nothing."""
        attempt = attempt_on(self._spec, seen.cgroup_files)
        # RLIMIT_NPROC counts per uid: neither the other probe's processes nor those of another breaker may count.
        spec = replace(self._spec, uid=self._spec.uid - 1 - secrets.randbelow(_BREAKER_UIDS))
        by_group = not seen.cgroup_files.get("pids.max", "max").startswith("max")
        body = breaker_body(self._body(spec), attempt, by_group=by_group, script=self._script)
        try:
            started = await self._start(spec, body)
            return await watch_breaker(started.pid, started.handle, self._break_s)
        except (_NotStarted, WsmgrError) as error:
            return Trial(unfinished=str(error).rstrip("."))

    def _body(self, spec: Spec) -> dict[str, object]:
        labels = {names.PROBE: self._instance, names.PROBER: _this_process(), names.UID: str(spec.uid)}
        name = f"wsmgr-probe-{secrets.token_hex(8)}"
        return create_body(spec, name=name, labels=labels, seccomp=self._seccomp, by_group=self._by_group)

    async def _start(self, spec: Spec, body: dict[str, object]) -> _Started:
        """Create and start. Raises _NotStarted and EngineUnavailable."""
        name = str(body["name"])
        self._made.append(name)
        async with self._starts:
            created = await _whole(self._calls.post("/containers/create", body=body, timeout_s=self._long_timeout_s))
            if not created.ok:
                mend = f"Make the image {spec.image} with `wsmgr image build`."
                raise _NotStarted(f"podman refused to create it: {message_of(created.body)}", mend)
            answer = await start_container(self._calls, name, self._long_timeout_s)
        if not answer.ok:
            mend = "Mend what podman names; `podman run` of the image as the daemon's user shows the same."
            raise _NotStarted(f"podman refused to start it: {message_of(answer.body)}", mend)
        inspected = await self._calls.get(f"/containers/{name}/json")
        if not inspected.ok:
            raise _NotStarted(f"podman lost sight of it: {message_of(inspected.body)}", "Look into podman's own log.")
        raw = inspected.json()
        state = raw["State"]
        return _Started(state["Pid"], raw["Id"], state.get("ConmonPid", 0), created.json().get("Warnings") or [])

    async def _remove(self, name: str) -> None:
        await remove_container(self._calls, name, self._long_timeout_s)

    async def _remove_surely(self, name: str) -> None:
        """Also when podman's service has died under the probe: it comes back within seconds. Raises EngineUnavailable
        when it does not; then the probe is removed before the next one."""
        for pause in _REMOVE_AGAIN_S:
            try:
                return await self._remove(name)
            except EngineUnavailable:
                await asyncio.sleep(pause)
        return await self._remove(name)

    async def _remove_stale(self) -> None:
        """Probes that a killed daemon of any instance left behind; others may be at work for another process."""
        filters = json.dumps({"label": [names.PROBE]})
        answer = await self._calls.get("/containers/json", {"all": "true", "filters": filters})
        for row in answer.json() if answer.ok else []:
            age = time.time() - datetime.fromisoformat(row["Created"][:19] + "+00:00").timestamp()
            if age > _STALE_S or not _lives((row.get("Labels") or {}).get(names.PROBER, "")):
                await self._remove(row["Id"])


async def _frozen(groups: Sequence[Path]) -> str | None:
    """Why freezing the topmost of these groups did not work; in a thread, because the kernel may let a write wait."""
    return await asyncio.to_thread(try_freeze, groups[0]) if groups else None


async def _whole(call: Coroutine[Any, Any, T]) -> T:
    """A call that is cancelled is waited for: what podman is about to make could not be removed yet."""
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=_LEAVE_S)
        raise


def _this_process() -> str:
    """Its pid and start time: pids are given again."""
    return f"{os.getpid()}.{start_ticks(os.getpid())}"


def _lives(prober: str) -> bool:
    pid, _, ticks = prober.partition(".")
    return pid.isdecimal() and str(start_ticks(int(pid))) == ticks
