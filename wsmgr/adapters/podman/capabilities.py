"""Proves what containers are held to on this host: a probe container is started, looked at from outside, removed."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
from datetime import datetime
from typing import Any

from wsmgr.adapters.podman import names
from wsmgr.adapters.podman.body import create_body
from wsmgr.adapters.podman.calls import PodmanCalls
from wsmgr.adapters.podman.errors import message_of
from wsmgr.adapters.podman.matrix import EngineFacts, matrix, not_probed
from wsmgr.adapters.podman.process import start_ticks
from wsmgr.adapters.podman.readings import read_process
from wsmgr.adapters.podman.removing import remove_container
from wsmgr.adapters.podman.starting import start_container
from wsmgr.core.capability import Capability
from wsmgr.core.errors import EngineUnavailable
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import FIRST_UID, Spec

_STALE_S = 300
_REMOVE_AGAIN_S = (0.5, 1.0, 2.0, 4.0)


class CapabilityProbe:
    """One probe on an open engine. Its container carries a label of its own and is never taken for a workspace."""

    def __init__(self, calls: PodmanCalls, instance: str, image: str, *, long_timeout_s: float) -> None:
        self._calls = calls
        self._instance = instance
        self._long_timeout_s = long_timeout_s
        self._name = f"wsmgr-probe-{secrets.token_hex(8)}"
        self._spec = Spec(
            workspace=WorkspaceId("probe"),
            isolation=Isolation.CONTAINER,
            image=image,
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

    async def run(self) -> list[Capability]:
        """The matrix. Raises EngineUnavailable; whatever else goes wrong is evidence."""
        await self._remove_stale()
        labels = {names.PROBE: self._instance, names.PROBER: _this_process(), names.UID: str(self._spec.uid)}
        try:
            return await self._probe(create_body(self._spec, name=self._name, labels=labels))
        finally:
            await self._remove_surely(self._name)

    async def _probe(self, body: dict[str, object]) -> list[Capability]:
        created = await self._calls.post("/containers/create", body=body, timeout_s=self._long_timeout_s)
        if not created.ok:
            mend = f"Make the image {self._spec.image} with `wsmgr image build`."
            return not_probed(f"podman refused to create it: {message_of(created.body)}", mend)
        started = await start_container(self._calls, self._name, self._long_timeout_s)
        if not started.ok:
            mend = "Mend what podman names; `podman run` of the image as the daemon's user shows the same."
            return not_probed(f"podman refused to start it: {message_of(started.body)}", mend)
        raw = (await self._calls.get(f"/containers/{self._name}/json")).json()
        state = raw["State"]
        try:
            seen = read_process(state["Pid"], raw["Id"], state.get("ConmonPid", 0))
        except OSError as error:
            return not_probed(f"its main process was gone at once: {error}", "Build the workspace image again.")
        warnings = created.json().get("Warnings") or []
        return matrix(seen, self._spec, await self._facts(raw), warnings)

    async def _facts(self, raw: dict[str, Any]) -> EngineFacts:
        info = (await self._calls.get("/info")).json()
        host = info["host"]
        version = str(host["ociRuntime"].get("version", "")).splitlines()
        return EngineFacts(
            podman=str(info["version"]["Version"]),
            runtime=version[0] if version else str(raw.get("OCIRuntime")),
            cgroups=str(host.get("cgroupVersion")),
            controllers=tuple(host.get("cgroupControllers") or ()),
            storage=str(info["store"]["graphDriverName"]),
        )

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


def _this_process() -> str:
    """Its pid and start time: pids are given again."""
    return f"{os.getpid()}.{start_ticks(os.getpid())}"


def _lives(prober: str) -> bool:
    pid, _, ticks = prober.partition(".")
    return pid.isdecimal() and str(start_ticks(int(pid))) == ticks
