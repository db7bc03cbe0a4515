"""What a plugin is given beside its code: configuration and secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from wsmgr.core.ids import Version
from wsmgr.core.masking import Mask
from wsmgr.core.secret import SealedSecret, Secret, SecretName


@dataclass(frozen=True, slots=True)
class PluginSettings:
    """`config` is a JSON object. `revision` is empty when there is neither config nor secrets; else it changes with
    every change of them, and tells nothing of them. `mask` is made of the secrets."""

    config: Mapping[str, object] = field(repr=False)
    secrets: Mapping[SecretName, Secret] = field(repr=False)
    revision: str
    mask: Mask


NO_SETTINGS = PluginSettings({}, {}, "", Mask(()))


@dataclass(frozen=True, slots=True)
class StoredConfig:
    """A configuration, and who put it there when. `config` is a JSON object."""

    config: Mapping[str, object]
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """As they are kept: the secrets are sealed, and stand by name. `config` None: none was ever put."""

    config: StoredConfig | None
    secrets: tuple[SealedSecret, ...]


def runtime_version(version: Version, revision: str) -> str:
    """What a version of a plugin is called in a runtime: other settings are another version there, so that they reach
    it by the same way as new code does."""
    return f"{version}.{revision}" if revision else version


def version_in_runtime(named: str) -> str:
    """The plain version in what `runtime_version` gave."""
    return named.partition(".")[0]
