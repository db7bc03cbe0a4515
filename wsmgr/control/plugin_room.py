"""Room for an owner's plugins: those that are stored and those that are on their way count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from wsmgr.core.admission import OneVersion, Usage, admit
from wsmgr.core.ids import OwnerKey, Slug
from wsmgr.core.limits import Limits


class PluginRoom:
    """A name that is on its way is counted until it is stored, so that many at once never get more than there is."""

    def __init__(self) -> None:
        self._arriving: dict[OwnerKey, Counter[Slug]] = {}

    @contextmanager
    def take(self, owner: OwnerKey, limits: Limits, stored: Iterable[Slug], slug: Slug, size: int) -> Iterator[None]:
        """Room for a version of `size` bytes while it is being stored. Raises QuotaExceeded, TooLarge."""
        arriving = self._arriving.get(owner, Counter[Slug]())
        names = {*stored, *arriving}
        admit(limits, OneVersion(size, slug not in names), Usage(plugins=len(names)))
        self._arriving[owner] = arriving
        arriving[slug] += 1
        try:
            yield
        finally:
            arriving[slug] -= 1
            if not arriving[slug]:
                del arriving[slug]
            if not arriving:
                del self._arriving[owner]
