"""Plugins of an owner: which version is current, storing new ones, and bringing them to live workspaces."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

import structlog

from wsmgr.control.arrivals import Arrivals
from wsmgr.control.audit import Audit
from wsmgr.control.changes import Changes
from wsmgr.control.configuration import Configuration
from wsmgr.control.fleet import Fleet
from wsmgr.control.puts import NOT_TRIED, Put, Upload
from wsmgr.control.terms import Terms
from wsmgr.control.unit import Unit
from wsmgr.control.validation import Validation
from wsmgr.core.admission import OneVersion, Usage, admit
from wsmgr.core.errors import InvalidRequest, NotFound, StoreUnavailable, WsmgrError
from wsmgr.core.ids import OwnerKey, Slug, Version, WorkspaceId, owner_of
from wsmgr.core.limits import Limits
from wsmgr.core.outcome import Failure
from wsmgr.core.plugin import Language, PluginSource, PluginVersion, source_of_bundle, source_of_code
from wsmgr.core.plugin_settings import PluginSettings
from wsmgr.core.runtime import speaks
from wsmgr.ports.bundles import Room, Unpacker
from wsmgr.ports.channel import Channel, ChannelClosed, ChannelTimeout, ProtocolViolation
from wsmgr.ports.clock import Clock
from wsmgr.ports.store import PluginStore

log = structlog.get_logger(__name__)


class Plugins:
    """The only writer of plugins, so the current versions it has seen stay true without asking the store."""

    def __init__(
        self,
        store: PluginStore,
        fleet: Fleet,
        terms: Terms,
        channel: Channel,
        clock: Clock,
        audit: Audit,
        configuration: Configuration,
        validation: Validation,
        unpacker: Unpacker,
        *,
        load_s: float = 30.0,
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._terms = terms
        self._channel = channel
        self._clock = clock
        self._audit = audit
        self._configuration = configuration
        self._validation = validation
        self._unpacker = unpacker
        self._load_s = load_s
        self._current: OrderedDict[tuple[OwnerKey, Slug], tuple[Version, Language]] = OrderedDict()
        self._owned: OrderedDict[OwnerKey, tuple[PluginVersion, ...]] = OrderedDict()
        self._known = 10_000
        self._stores = 0
        self._changes = Changes()
        self._arrivals = Arrivals[Slug]()
        self._pushes: dict[tuple[Unit, Slug, Version, str], asyncio.Task[Failure | None]] = {}

    async def current(self, owner: OwnerKey, slug: Slug) -> tuple[Version, Language]:
        """The current version, and what it is written in. Raises NotFound."""
        known = self._current.get((owner, slug))
        if known is not None:
            return known
        source = await self._store.current_source(owner, slug)
        if source is None:
            raise NotFound(f"{owner!r} has no plugin {slug!r}. Put it with PUT /api/workspaces/{owner}/plugins/{slug}.")
        self._remember(owner, source)
        return source.version, source.language

    async def source(self, owner: OwnerKey, slug: Slug, version: Version) -> PluginSource:
        """A version with its code. Raises NotFound."""
        source = await self._store.source(owner, slug, version)
        if source is None:
            raise NotFound(f"The plugin {slug!r} of {owner!r} has no version {version}.")
        return source

    async def versions(self, owner: OwnerKey, slug: Slug) -> Sequence[PluginVersion]:
        """All versions, newest first. Raises NotFound when there is no such plugin."""
        versions = await self._store.versions(owner, slug)
        if not versions:
            raise NotFound(f"{owner!r} has no plugin {slug!r}.")
        return versions

    async def all(self, owner: OwnerKey) -> Sequence[PluginVersion]:
        """The current version of each of the owner's plugins."""
        while (owned := self._owned.get(owner)) is None:
            stores = self._stores
            found = tuple(await self._store.current_plugins(owner))
            if stores == self._stores:
                # What was stored meanwhile may be missing in it.
                self._owned[owner] = found
        while len(self._owned) > self._known:
            self._owned.popitem(last=False)
        return owned

    def known(self, owner: OwnerKey) -> Sequence[PluginVersion] | None:
        """What `all` would return, if it need not ask the store; the same object until something changes."""
        return self._owned.get(owner)

    async def put(self, workspace: WorkspaceId, slug: Slug, language: Language, code: str, actor: str) -> Put:
        """Check the code, load it in the live workspaces if there are any, and store it as the current version.

        Raises InvalidRequest when it is refused or does not load (the old version stays current), TooLarge, and
        QuotaExceeded for one plugin too many. Of each plugin the newest versions are kept, as many as the plan says.
        """
        return await self._put(workspace, source_of_code(slug, language, code), actor)

    async def put_bundle(self, workspace: WorkspaceId, slug: Slug, upload: Upload, actor: str) -> Put:
        """The same for an archive of several files. Raises InvalidRequest for one that is not safe to unpack."""
        limits = await self._terms.limits(owner_of(workspace))
        room = Room(limits.plugin_bytes, limits.plugin_files)
        language, bundle = await self._unpacker.unpack(upload.archive, upload.form, room, upload.wishes)
        return await self._put(workspace, source_of_bundle(slug, language, bundle), actor)

    async def _put(self, workspace: WorkspaceId, source: PluginSource, actor: str) -> Put:
        owner, slug = owner_of(workspace), source.slug
        limits = await self._terms.limits(owner)
        names = {plugin.slug for plugin in await self.all(owner)} | self._arrivals.of(owner)
        admit(limits, OneVersion(source.size, slug not in names), Usage(plugins=len(names)))
        with self._arrivals.coming(owner, slug):
            warnings = await self._validation.check(owner, source)
            before = self._clock.monotonic()
            with self._changes.under_way(owner, slug):
                reloaded = await self._load_everywhere(owner, source)
                reload_ms = (self._clock.monotonic() - before) * 1000
                stored = await self._stored(owner, source, actor)
        await self._trim(owner, slug, limits)
        await self._audit.say(actor, "plugin.put", f"{slug} {source.version[:12]}", workspace)
        if not reloaded:
            return Put(stored, reloaded, (*warnings, NOT_TRIED[source.language]))
        return Put(stored, reloaded, warnings, round(reload_ms, 3))

    async def rollback(self, workspace: WorkspaceId, slug: Slug, to: Version | None, actor: str) -> Put:
        """Make an older version current: the one named, else the one stored before the current. Raises NotFound."""
        owner = owner_of(workspace)
        versions = await self.versions(owner, slug)
        if to is None:
            older = [v for v in versions if not v.current]
            if not older:
                raise NotFound(f"The plugin {slug!r} has no other version to go back to.")
            to = older[0].version
        source = await self.source(owner, slug, to)
        with self._changes.under_way(owner, slug):
            reloaded = await self._load_everywhere(owner, source)
            stored = await self._stored(owner, source, actor)
        await self._audit.say(actor, "plugin.rollback", f"{slug} {to[:12]}", workspace)
        return Put(stored, reloaded, ())

    async def delete(self, workspace: WorkspaceId, slug: Slug, actor: str) -> None:
        """Forget a plugin and its versions, here and in live workspaces. Idempotent."""
        owner = owner_of(workspace)
        try:
            existed = await self._store.delete_plugin(owner, slug)
        finally:
            # Also when nobody knows whether it is gone: a plugin of that name that comes later has none of its secrets.
            self._configuration.forget(owner, slug)
        self._current.pop((owner, slug), None)
        self._changed(owner)
        for unit in self._live(owner):
            if unit.endpoint is not None:
                try:
                    await self._channel.delete(unit.endpoint, slug, self._load_s)
                except (ChannelClosed, ChannelTimeout, ProtocolViolation):
                    # Nothing calls it any more: the next start of the workspace comes without it.
                    continue
        if existed:
            await self._audit.say(actor, "plugin.delete", str(slug), workspace)

    async def refresh(self, owner: OwnerKey, slug: Slug) -> None:
        """Bring changed settings to live workspaces, together with the current version. One that does not take them
        now gets them with its next call."""
        live = self._live(owner)
        try:
            source = await self._store.current_source(owner, slug) if live else None
            if source is None:
                return
            settings = await self._configuration.of(owner, slug)
        except WsmgrError as error:
            log.warning("settings not brought yet", owner=owner, plugin=slug, why=error.sentence)
            return
        pushes = (self.push(unit, source, settings) for unit in self._live(owner, source.language))
        for failure in await asyncio.gather(*pushes, return_exceptions=True):
            if isinstance(failure, BaseException):
                log.info("settings not brought yet", owner=owner, plugin=slug, why=str(failure))

    async def settled(self, owner: OwnerKey, slug: Slug) -> tuple[Version, Language]:
        """What is current, once no change of it is under way. Raises NotFound."""
        await self._changes.over(owner, slug)
        return await self.current(owner, slug)

    async def vet(self, owner: OwnerKey, source: PluginSource) -> None:
        """Look at code that is run without being put. Raises InvalidRequest when it is refused."""
        await self._validation.check(owner, source)

    async def push(self, unit: Unit, source: PluginSource, settings: PluginSettings) -> Failure | None:
        """Bring one version with its settings to one unit; many callers share one push. Raises what Channel.put
        raises."""
        key = (unit, source.slug, source.version, settings.revision)
        task = self._pushes.get(key)
        if task is None:
            task = asyncio.create_task(self._push(unit, source, settings))
            self._pushes[key] = task
            task.add_done_callback(lambda _: self._pushes.pop(key, None))
        return await asyncio.shield(task)

    async def _push(self, unit: Unit, source: PluginSource, settings: PluginSettings) -> Failure | None:
        endpoint = unit.endpoint
        if endpoint is None:
            raise ChannelClosed("The workspace does not run.", sent=False)
        return await self._channel.put(endpoint, source, self._load_s, settings)

    async def _load_everywhere(self, owner: OwnerKey, source: PluginSource) -> bool:
        """Load it in all live workspaces at once; whether one has it now. Raises InvalidRequest when one refuses it."""
        settings = await self._configuration.of(owner, source.slug)
        live = self._live(owner, source.language)
        return any(await asyncio.gather(*(self._load(unit, source, settings) for unit in live)))

    async def _load(self, unit: Unit, source: PluginSource, settings: PluginSettings) -> bool:
        endpoint = unit.endpoint
        try:
            failure = await self.push(unit, source, settings)
        except (ChannelClosed, ChannelTimeout, ProtocolViolation):
            # It gets the version with its next call.
            return False
        if failure is not None and unit.endpoint == endpoint:
            # One that is being ended breaks loads off, which says nothing of the code.
            raise InvalidRequest(
                f"The code does not load: {failure.message}",
                details={"failure": failure.type.value, "stack": failure.stack},
            )
        return failure is None

    async def _stored(self, owner: OwnerKey, source: PluginSource, actor: str) -> PluginVersion:
        stored = await self._store.put_version(owner, source, self._clock.now(), actor)
        self._changed(owner)
        self._remember(owner, source)
        return stored

    async def _trim(self, owner: OwnerKey, slug: Slug, limits: Limits) -> None:
        """Drop the oldest versions. What the store does not take now it takes after the next put."""
        try:
            await self._store.trim_versions(owner, slug, limits.plugin_versions_kept)
        except StoreUnavailable as error:
            log.warning("old versions stay", owner=owner, plugin=slug, why=error.sentence)

    def _changed(self, owner: OwnerKey) -> None:
        self._stores += 1
        self._owned.pop(owner, None)

    def _live(self, owner: OwnerKey, language: Language | None = None) -> list[Unit]:
        """The owner's units that answer; only those whose runtime runs `language`, where one is named."""
        entries = self._fleet.of_owner(owner)
        units = [entry.serving for entry in entries if language is None or speaks(entry.record.id, language)]
        return [unit for unit in units if unit.endpoint is not None]

    def _remember(self, owner: OwnerKey, source: PluginSource) -> None:
        name = (owner, source.slug)
        self._current[name] = source.version, source.language
        self._current.move_to_end(name)
        if len(self._current) > self._known:
            self._current.popitem(last=False)
