"""What a plugin is given beside its code: configuration and secrets."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field, JsonValue, SecretStr

from wsmgr.wire.base import Request, Response
from wsmgr.wire.names import SecretName
from wsmgr.wire.page import Page


class PutPluginConfig(Request):
    """The whole configuration; what was there before is gone."""

    config: dict[str, JsonValue]


class PluginConfig(Response):
    """`changedAt` and `changedBy` are null when none was ever put."""

    config: dict[str, JsonValue]
    changed_at: AwareDatetime | None = None
    changed_by: str | None = None


class PutSecret(Request):
    """The value of a secret, a text that is not empty. No answer ever has it."""

    value: Annotated[SecretStr, Field(min_length=1)]


class SecretInfo(Response):
    """That there is a secret; its value cannot be read back."""

    name: SecretName
    set_at: AwareDatetime
    set_by: str


class SecretPage(Page[SecretInfo]):
    """The secrets of a plugin, by name."""


class SecretsRotated(Response):
    """`resealed`: how many secrets were sealed with the new key."""

    resealed: int
