"""The second argument of `execute`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Context(dict[str, object]):
    """A dict whose members are attributes as well. `emit(value)` tells the caller something before the end."""

    def __init__(self, members: Mapping[str, object], emit: Callable[[object], None]) -> None:
        super().__init__(members)
        object.__setattr__(self, "emit", emit)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the context has no member {name!r}") from None
