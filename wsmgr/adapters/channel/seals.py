"""The seal of each runtime: its key is made and sent before its first plugin, and found again by a later daemon."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from wsmgr.adapters.channel import reach
from wsmgr.adapters.channel.keeping import NO_KEY
from wsmgr.adapters.channel.sealing import Seal, new_key
from wsmgr.core.workspace import Endpoint

Send = Callable[[Endpoint, bytes], Awaitable[bool]]
"""Sends a key to a runtime; False when it takes none."""


class Keys(Protocol):
    """Where keys are kept. Both raise ChannelClosed and ProtocolViolation."""

    def of(self, at: Endpoint) -> bytes | None:
        """The runtime's key, NO_KEY when it takes none, None when nobody has kept anything."""
        ...

    def keep(self, at: Endpoint, key: bytes) -> None:
        """For as long as the instance is there."""
        ...


class KeysInside:
    """Beside the runtime's socket, in the daemon's own folder. NO_KEY where nothing keeps plugins from such a one."""

    def of(self, at: Endpoint) -> bytes | None:
        """Look there."""
        return reach.key_of(at)

    def keep(self, at: Endpoint, key: bytes) -> None:
        """Put it there."""
        reach.keep_key_of(at, key)


class Seals:
    """Many pushes to one runtime share one look for its key."""

    def __init__(self, keys: Keys, send: Send) -> None:
        self._keys = keys
        self._send = send
        self._known: dict[Endpoint, asyncio.Future[Seal | None]] = {}

    async def of(self, at: Endpoint) -> Seal | None:
        """What secrets for the runtime are sealed with; None where it takes no key. Raises what `Send` and `Keys` do:
        then nothing may be pushed, and it is tried again with the next push."""
        known = self._known.get(at)
        if known is None:
            known = self._known[at] = asyncio.ensure_future(self._made(at))
            known.add_done_callback(partial(self._drop_failed, at))
        return await asyncio.shield(known)

    def forget(self, at: Endpoint) -> None:
        """It is looked for again with the next push."""
        self._known.pop(at, None)

    def _drop_failed(self, at: Endpoint, future: asyncio.Future[Seal | None]) -> None:
        if (future.cancelled() or future.exception() is not None) and self._known.get(at) is future:
            del self._known[at]

    async def _made(self, at: Endpoint) -> Seal | None:
        key = self._keys.of(at)
        if key is None:
            # Kept only once the runtime has it, and before anything is pushed: a daemon that dies in between leaves a
            # runtime that takes no other key, and has no plugin. That one is replaced.
            key = new_key()
            if not await self._send(at, key):
                key = NO_KEY
            self._keys.keep(at, key)
        return Seal(key) if key else None
