"""Changes of current versions that are under way: from the first workspace that loads one to its being stored."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from wsmgr.core.ids import OwnerKey, Slug


class Changes:
    """A workspace may have a version already that is not yet current. Who meets that waits here."""

    def __init__(self) -> None:
        self._under_way: dict[tuple[OwnerKey, Slug], set[asyncio.Future[None]]] = {}

    @contextmanager
    def under_way(self, owner: OwnerKey, slug: Slug) -> Iterator[None]:
        """While the block runs."""
        done = asyncio.get_running_loop().create_future()
        pending = self._under_way.setdefault((owner, slug), set())
        pending.add(done)
        try:
            yield
        finally:
            pending.discard(done)
            done.set_result(None)
            if not pending:
                self._under_way.pop((owner, slug), None)

    async def over(self, owner: OwnerKey, slug: Slug) -> None:
        """Wait for the end of those that are under way now; later ones are not waited for."""
        pending = self._under_way.get((owner, slug))
        if pending:
            await asyncio.wait(tuple(pending))
