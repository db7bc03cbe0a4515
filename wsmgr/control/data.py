"""Persistent data: which volume each workspace holds, and how much of it its plan gives it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.core.errors import Conflict, NotFound
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.limits import MIB
from wsmgr.core.volume import Mark, Volume, choose, orphans
from wsmgr.core.workspace import FIRST_UID
from wsmgr.ports.store import WorkspaceStore
from wsmgr.ports.volumes import Volumes

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Holding:
    """What a workspace has of its data. `volume` None: nothing, or it cannot be read; `sentence` says how it is."""

    volume: Volume | None
    sentence: str


class Data:
    """A volume is held from the first container that wants one until the workspace is deleted. `instance` tells this
    daemon's marks from another's."""

    def __init__(self, volumes: Volumes, fleet: Fleet, store: WorkspaceStore, audit: Audit, instance: str) -> None:
        self._volumes = volumes
        self._fleet = fleet
        self._store = store
        self._audit = audit
        self._instance = instance
        self._known: dict[str, Volume] = {}
        self._sizes: dict[str, int] = {}
        self._refused: dict[WorkspaceId, str] = {}
        self._told: set[str] = set()
        self._choosing = asyncio.Lock()

    def unsettled(self, entry: Entry, isolation: Isolation) -> bool:
        """Whether `settle` has something to do: a plan has changed, or nothing was tried yet."""
        if not _wanted(entry, isolation):
            return False
        volume = entry.record.volume
        if volume is None:
            return entry.record.id not in self._refused
        return self._sizes.get(volume) != entry.limits.data_mb

    async def settle(self, entry: Entry, isolation: Isolation) -> None:
        """Have it hold a volume of its plan's size, if this host has one. Raises EngineFailure when its data is out of
        reach: it must not run on other data, or on none."""
        if not _wanted(entry, isolation):
            return
        if entry.record.volume is None:
            async with self._choosing:
                name = await self._choose(entry)
        else:
            name = entry.record.volume
        if name is None:
            return
        before = self._sizes.get(name)
        mark = Mark(self._instance, entry.record.id, FIRST_UID + entry.record.slot)
        self._keep(await self._volumes.claim(name, mark, entry.limits.data_mb))
        self._refused.pop(entry.record.id, None)
        self._sizes[name] = entry.limits.data_mb
        if before is not None and before != entry.limits.data_mb:
            sentence = (
                f"The size of /data was changed from {before} to {entry.limits.data_mb} MiB. {self.of(entry).sentence}"
            )
            await self._audit.say(DAEMON, "workspace.data_resized", sentence, entry.record.id)

    async def release(self, entry: Entry) -> None:
        """Its workspace is being deleted and its containers are gone: delete its data, for ever. Raises
        EngineFailure, StoreUnavailable; then nothing is forgotten, and it is tried again."""
        name = entry.record.volume
        if name is None:
            return
        volume = next((one for one in await self._volumes.list() if one.name == name), Volume(name=name))
        mark = volume.mark
        if mark is not None and (mark.instance, mark.workspace) != (self._instance, entry.record.id):
            log.error("volume not wiped: it has another's data", volume=name, mark=mark.workspace)
        else:
            await self._volumes.wipe(name)
        await self._store.hold_volume(entry.record.id, None)
        entry.record = replace(entry.record, volume=None)
        self._sizes.pop(name, None)
        self._known.pop(name, None)
        self._refused.pop(entry.record.id, None)
        await self._audit.say(DAEMON, "workspace.data_deleted", f"The volume {name} is free again.", entry.record.id)

    async def look(self) -> Sequence[Volume]:
        """All volumes as they are now; orphans that are new are told of, and never deleted."""
        self._known = {one.name: one for one in await self._volumes.list()}
        self._refused.clear()
        found = orphans(self._known.values(), self.holders)
        for one in found:
            if one.name not in self._told and one.mark is not None:
                sentence = f"The volume {one.name} has data of {one.mark.workspace}, and no workspace here holds it."
                await self._audit.say(DAEMON, "volume.orphan", f"{sentence} It is kept: `wsmgr volume list` shows it.")
        self._told = {one.name for one in found}
        return list(self._known.values())

    async def tighten(self, entry: Entry) -> None:
        """Where files took more than a plan that has shrunk allows, take back what was deleted since."""
        name, size_mb = entry.record.volume, entry.limits.data_mb
        known = self._known.get(name or "")
        if known is None or known.trouble is not None or self._sizes.get(known.name) != size_mb:
            return
        if min(size_mb * MIB, known.size_bytes) + MIB <= known.cap_bytes:
            self._keep(await self._volumes.hold(known.name, size_mb))

    async def delete_orphan(self, name: str, actor: str) -> None:
        """Delete the data of a volume that no workspace holds. Raises NotFound, Conflict, EngineFailure."""
        async with self._choosing:
            holder = self.holders.get(name)
            if holder is not None:
                raise Conflict(f"The volume {name} has the data of {holder}: that goes when the workspace is deleted.")
            found = {one.name: one for one in await self._volumes.list()}.get(name)
            if found is None:
                raise NotFound(f"There is no volume {name!r}.")
            await self._volumes.wipe(name)
        of = "nobody" if found.mark is None else found.mark.workspace
        await self._audit.say(actor, "volume.deleted", f"The data of {of} on the volume {name} was deleted.")

    @property
    def holders(self) -> dict[str, WorkspaceId]:
        """Which workspace holds which volume."""
        return {entry.record.volume: entry.record.id for entry in self._fleet if entry.record.volume is not None}

    def enforced(self, entry: Entry) -> dict[str, bool]:
        """`data`, where its plan gives it some: whether it has it, with a hard size."""
        if not entry.limits.data_mb:
            return {}
        volume = self.of(entry).volume
        return {"data": volume is not None and entry.serving.isolation is Isolation.CONTAINER}

    def of(self, entry: Entry) -> Holding:
        """What it has, as far as was last seen."""
        name, wanted = entry.record.volume, entry.limits.data_mb
        volume = None if name is None else self._known.get(name)
        if name is not None and (volume is None or volume.trouble is not None):
            why = "it has not been looked at yet." if volume is None else volume.trouble
            return Holding(None, f"Its data is on the volume {name}, which cannot be used: {why}")
        if not wanted:
            kept = (
                ""
                if volume is None
                else f" {_mib(volume.used_bytes)} are kept on the volume {name} until it is deleted."
            )
            return Holding(None, f"Its plan has no persistent data.{kept}")
        if entry.serving.isolation is not Isolation.CONTAINER:
            return Holding(None, f"The isolation {entry.serving.isolation.value} has no persistent data.")
        if volume is None:
            return Holding(None, self._refused.get(entry.record.id) or "It gets its /data with its next container.")
        return Holding(volume, _measure(volume, wanted))

    async def _choose(self, entry: Entry) -> str | None:
        """A free volume, which is its own from here on; None: there is none."""
        volumes = await self._volumes.list()
        chosen = choose(volumes, self.holders, entry.limits.data_mb)
        if chosen is None:
            self._refused[entry.record.id] = _none_free(volumes, entry.limits.data_mb)
            return None
        # Stored first: what a crash leaves behind is a volume with an owner, and never data without one.
        await self._store.hold_volume(entry.record.id, chosen.name)
        entry.record = replace(entry.record, volume=chosen.name)
        return chosen.name

    def _keep(self, volume: Volume) -> None:
        self._known[volume.name] = volume


def _wanted(entry: Entry, isolation: Isolation) -> bool:
    return isolation is Isolation.CONTAINER and entry.limits.data_mb > 0


def _mib(size: int) -> str:
    return f"{size / MIB:.1f} MiB"


def _measure(volume: Volume, wanted_mb: int) -> str:
    used = f"{_mib(volume.used_bytes)} of {wanted_mb} MiB are used."
    if volume.cap_bytes + MIB < wanted_mb * MIB:
        return f"{used} The volume {volume.name} has no more than {volume.cap_bytes // MIB} MiB."
    if volume.cap_bytes >= (wanted_mb + 1) * MIB:
        return f"{used} What is over stays, and nothing more can be written until some of it is deleted."
    return used


def _none_free(volumes: Sequence[Volume], size_mb: int) -> str:
    if not volumes:
        return "This host has no volumes, so that it has no /data; `wsmgr doctor` says how to mend that."
    return (
        f"No volume of at least {size_mb} MiB is free, so that it has no /data; `wsmgr volume list` shows who has them."
    )
