"""What a plugin is given beside its code, as it sees it: `context.config` and `context.secrets`. It changes neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_MASK = "***"


class Frozen(dict[str, object]):
    """A JSON object that stays as it is; its lists are tuples."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("the configuration of a plugin cannot be changed by it")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


def frozen(value: object) -> object:
    """A JSON value through and through."""
    if isinstance(value, dict):
        return Frozen({key: frozen(member) for key, member in value.items()})
    return tuple(map(frozen, value)) if isinstance(value, list) else value


class Secrets(Mapping[str, str]):
    """Secrets by name, as members and as attributes. Printed, or returned as part of an output, they show their names
    alone: that is against accidents, the plugin may do with each value what it likes."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        object.__setattr__(self, "_values", dict(values))

    def __getitem__(self, name: str) -> str:
        value: str = object.__getattribute__(self, "_values")[name]
        return value

    def __getattr__(self, name: str) -> str:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the plugin has no secret {name!r}") from None

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise TypeError("the secrets of a plugin cannot be changed by it")

    def __iter__(self) -> Iterator[str]:
        return iter(object.__getattribute__(self, "_values"))

    def __len__(self) -> int:
        return len(object.__getattribute__(self, "_values"))

    def __repr__(self) -> str:
        return repr(masked(self))


def masked(secrets: Mapping[str, str]) -> dict[str, str]:
    """Their names."""
    return dict.fromkeys(secrets, _MASK)


def members(given: Mapping[str, Any]) -> dict[str, object]:
    """Members of every context."""
    return {"config": frozen(given.get("config", {})), "secrets": Secrets(given.get("secrets", {}))}


def encodable(value: object) -> object:
    """For json: what it cannot encode by itself."""
    if isinstance(value, Secrets):
        return masked(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
