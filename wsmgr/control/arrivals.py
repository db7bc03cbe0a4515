"""What an owner is about to have: it counts before it is stored, so that many at once never get more than there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Generic, TypeVar

from wsmgr.core.ids import OwnerKey

T = TypeVar("T")


class Arrivals(Generic[T]):
    """Names on their way, by owner; one name may be on its way several times."""

    def __init__(self) -> None:
        self._coming: dict[OwnerKey, Counter[T]] = {}

    def of(self, owner: OwnerKey) -> AbstractSet[T]:
        """The owner's."""
        return self._coming.get(owner, Counter[T]()).keys()

    @contextmanager
    def coming(self, owner: OwnerKey, name: T) -> Iterator[None]:
        """Count `name` inside the block."""
        names = self._coming.setdefault(owner, Counter())
        names[name] += 1
        try:
            yield
        finally:
            names[name] -= 1
            if not names[name]:
                del names[name]
            if not names:
                del self._coming[owner]
