"""The newest state of many things, and what of it is new to a reader, however far behind that is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class News(Generic[Key, Value]):
    """`rows` that changed or came, with their keys; `gone` the keys of those that left."""

    rows: list[tuple[Key, Value]]
    gone: list[Key]


class Journal(Generic[Key, Value]):
    """Each change has the next number. To catch up costs what has changed since, not what there is. Of what left the
    last `memory` keys are remembered."""

    def __init__(self, memory: int = 4096) -> None:
        self._memory = memory
        # Both in the order of their last change.
        self._rows: OrderedDict[Key, tuple[int, Value]] = OrderedDict()
        self._gone: OrderedDict[Key, int] = OrderedDict()
        self._forgotten = 0
        self.number = 0

    def __contains__(self, key: Key) -> bool:
        return key in self._rows

    def keys(self) -> Iterator[Key]:
        """All that is there."""
        return iter(list(self._rows))

    def put(self, key: Key, value: Value) -> None:
        """It is so from now on."""
        self.number += 1
        self._gone.pop(key, None)
        self._rows[key] = (self.number, value)
        self._rows.move_to_end(key)

    def drop(self, key: Key) -> None:
        """It is gone. Idempotent."""
        if self._rows.pop(key, None) is None:
            return
        self.number += 1
        self._gone[key] = self.number
        if len(self._gone) > self._memory:
            _, self._forgotten = self._gone.popitem(last=False)

    def all(self) -> list[tuple[Key, Value]]:
        """Everything, in no order."""
        return [(key, value) for key, (_, value) in self._rows.items()]

    def since(self, number: int) -> News[Key, Value] | None:
        """What is new to a reader who knows everything up to `number`; None: it has to begin anew."""
        if number < self._forgotten:
            return None
        rows: list[tuple[Key, Value]] = []
        for key, (at, value) in reversed(self._rows.items()):
            if at <= number:
                break
            rows.append((key, value))
        gone: list[Key] = []
        for key in reversed(self._gone):
            if self._gone[key] <= number:
                break
            gone.append(key)
        return News(rows, gone)
