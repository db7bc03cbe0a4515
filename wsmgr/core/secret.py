"""Secrets of plugins. A value shows itself nowhere: it must be asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

from wsmgr.core.errors import InvalidRequest
from wsmgr.core.ids import OwnerKey, Slug

SecretName = NewType("SecretName", str)

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


class Secret:
    """A text that no repr, format or log line shows, and that no serialiser takes."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Whoever asks sees to it that it goes nowhere but to its plugin."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("A secret is not written down.")


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """Whose secret it is: what is sealed for one place opens at no other."""

    owner: OwnerKey
    slug: Slug
    name: SecretName


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """That there is a secret, when it was set and by whom; never its value."""

    name: SecretName
    set_at: datetime
    set_by: str


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret as it is stored."""

    info: SecretInfo
    sealed: bytes = field(repr=False)


def parse_secret_name(text: str) -> SecretName:
    """Check a name. Raises InvalidRequest, which does not repeat it: somebody may have taken the value for the name."""
    if not _NAME.fullmatch(text):
        raise InvalidRequest(
            f"This is not a valid name of a secret: it must match {_NAME.pattern} (capital letters, digits and "
            "underscores, a letter first)."
        )
    return SecretName(text)
