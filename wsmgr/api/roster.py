"""All workspaces as clients were told of them: what is different is found and encoded, once for everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import fields, is_dataclass

import orjson

from wsmgr.api import mapping
from wsmgr.api.host import Counts, line
from wsmgr.control.daemon import Daemon
from wsmgr.control.entry import Entry
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.isolation import Isolation
from wsmgr.core.journal import Journal
from wsmgr.core.plugin import PluginVersion
from wsmgr.core.usage import Current
from wsmgr.wire.fleet import FleetHost

SCANNED_AT_ONCE = 250
ENCODED_AT_ONCE = 20
LOADED_AT_ONCE = 32
"""So many are done before others get their turn: about a millisecond each."""

# Left out is what only time changes, and what shows in other fields.
_FIELDS = tuple(f.name for f in fields(Entry) if f.name not in {"active_mono", "unused_before_s", "units", "turns"})
_HOST = ""
"""The host's key among those of workspaces."""

Told = tuple[object, ...]


class Roster:
    """`number` grows with each change; `encoded` counts the rows that were encoded."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._journal: Journal[str, bytes] = Journal()
        self._told: dict[str, Told] = {}
        self._host: FleetHost | None = None
        self._enforced: dict[Isolation, Told] = {}
        self._inside: dict[type, tuple[str, ...]] = {}
        self._frames: dict[int | None, bytes] = {}
        self._framed = 0
        self.encoded = 0

    @property
    def number(self) -> int:
        """How far it is."""
        return self._journal.number

    async def look(self) -> None:
        """Compare everything, and encode what is different."""
        entries = list(self._daemon.fleet)
        await self._load_plugins(entries)
        self._enforced = {}
        counts, encoded = Counts(), self.encoded
        for number, entry in enumerate(entries, start=1):
            self._compare(entry, counts)
            if number % SCANNED_AT_ONCE == 0 or self.encoded >= encoded + ENCODED_AT_ONCE:
                encoded = self.encoded
                await asyncio.sleep(0)
        for gone in self._told.keys() - {entry.record.id for entry in entries}:
            del self._told[gone]
            self._journal.drop(gone)
        self._compare_host(counts)

    def frame(self, since: int | None) -> bytes:
        """An event: what is new to one who knows everything up to `since`, else (None, or too long ago) everything."""
        if self._framed != self.number:
            self._frames.clear()
            self._framed = self.number
        if since not in self._frames:
            self._frames[since] = self._frame(since)
        return self._frames[since]

    def _frame(self, since: int | None) -> bytes:
        news = None if since is None else self._journal.since(since)
        if news is None:
            rows = dict(sorted(self._journal.all()))
            host = rows.pop(_HOST)
            return b'event: snapshot\ndata: {"workspaces":[%b],"host":%b}\n\n' % (b",".join(rows.values()), host)
        rows = dict(news.rows)
        host = rows.pop(_HOST, b"null")
        members = (b",".join(rows.values()), orjson.dumps(news.gone), host)
        return b'event: changes\ndata: {"workspaces":[%b],"gone":%b,"host":%b}\n\n' % members

    async def _load_plugins(self, entries: Sequence[Entry]) -> None:
        """Have the plugins of all owners in memory, as far as the store answers."""
        plugins = self._daemon.plugins
        missing = list({entry.record.owner for entry in entries if plugins.known(entry.record.owner) is None})
        for start in range(0, len(missing), LOADED_AT_ONCE):
            some = missing[start : start + LOADED_AT_ONCE]
            loaded = await asyncio.gather(*(plugins.all(owner) for owner in some), return_exceptions=True)
            for failure in loaded:
                if isinstance(failure, StoreUnavailable):
                    # Those rows are told without plugins, and again when the store answers.
                    return
                if isinstance(failure, BaseException):
                    raise failure

    def _compare(self, entry: Entry, counts: Counts) -> None:
        current = self._daemon.usage.current(entry.record.id)
        counts.add(entry, current)
        plugins = self._daemon.plugins.known(entry.record.owner)
        told = self._state(entry, current, plugins)
        if self._told.get(entry.record.id) == told:
            return
        self._told[entry.record.id] = told
        self._journal.put(entry.record.id, _encode(self._daemon, entry, plugins or ()))
        self.encoded += 1

    def _state(self, entry: Entry, current: Current, plugins: Sequence[PluginVersion] | None) -> Told:
        """All that a row is made of, but for the time. Most are values that are replaced and never changed, so that
        comparing the same one with itself costs nothing."""
        units = tuple(tuple(map(self._still, vars(unit).values())) for unit in entry.units.values())
        own = tuple(getattr(entry, name) for name in _FIELDS)
        return own, units, current, plugins, self._enforced_by(entry.serving.isolation)

    def _still(self, value: object) -> object:
        """The value; of one that may change in place, what is in it now."""
        kind = type(value)
        names = self._inside.get(kind)
        if names is None:
            names = self._inside[kind] = _changing(kind)
        return tuple(getattr(value, name) for name in names) if names else value

    def _enforced_by(self, isolation: Isolation) -> Told:
        found = self._enforced.get(isolation)
        if found is None:
            found = self._enforced[isolation] = tuple(self._daemon.capabilities.enforced(isolation).items())
        return found

    def _compare_host(self, counts: Counts) -> None:
        host = line(self._daemon, counts)
        if self._host is None or self._host.model_copy(update={"at": host.at}) != host:
            self._host = host
            self._journal.put(_HOST, host.model_dump_json().encode())


def _changing(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass that is not frozen; none of any other type."""
    if not is_dataclass(kind) or kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]  # not in the stubs
        return ()
    return tuple(f.name for f in fields(kind))


def _encode(daemon: Daemon, entry: Entry, plugins: Sequence[PluginVersion]) -> bytes:
    return mapping.workspace(daemon, entry, plugins).model_dump_json().encode()
