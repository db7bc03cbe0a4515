"""The settings of the daemon: environment over YAML file over defaults. Every one is listed in README."""

from __future__ import annotations

import os
import pwd
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    YamlConfigSettingsSource,
)
from yaml import YAMLError

from wsmgr.core.errors import InvalidRequest
from wsmgr.core.isolation import Isolation, parse_isolation

SYSTEM_DIR = Path("/etc/wsmgr")
SYSTEM_RUN = Path("/run/wsmgr")


def _names(value: object) -> object:
    """Lists come as YAML lists, or as comma-separated text from the environment."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _isolation(value: object) -> object:
    return parse_isolation(value) if isinstance(value, str) else value


def config_file() -> Path:
    """`WSMGR_CONFIG`, else the system's file where this user's daemon was provisioned, else the user's own."""
    if named := os.environ.get("WSMGR_CONFIG"):
        return Path(named)
    if provisioned():
        return SYSTEM_DIR / "wsmgr.yaml"
    return Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config")) / "wsmgr" / "wsmgr.yaml"


def provisioned() -> bool:
    """Whether /run/wsmgr was made for the user who asks."""
    try:
        return SYSTEM_RUN.stat().st_uid == os.getuid()
    except OSError:
        return False


def runtime_dir() -> Path:
    """Where sockets of this user go."""
    if named := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(named)
    return Path(f"/tmp/wsmgr-{os.getuid()}")  # noqa: S108  # bootstrap makes it 0700 and refuses one it does not own


def _default_socket() -> Path:
    return SYSTEM_RUN / "api.sock" if provisioned() else runtime_dir() / "wsmgr" / "api.sock"


def _default_state() -> Path:
    if provisioned():
        return Path(pwd.getpwuid(os.getuid()).pw_dir) / "state"
    return Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local" / "state")) / "wsmgr"


Names = Annotated[list[str], NoDecode, BeforeValidator(_names)]
Choice = Annotated[Isolation, BeforeValidator(_isolation)]
setting = partial(Field, validate_default=True)


PLATFORM_NAMES = {
    "isolation": "PLUGIN_ISOLATION",
    "image": "WORKSPACE_IMAGE",
    "base_port": "WORKSPACE_BASE_PORT",
}
"""Variables that the platform sets already. wsmgr's own names for the same settings win over them."""

OTHER_VARIABLES = {"WSMGR_CONFIG", "WSMGR_URL", "WSMGR_TOKEN", "WSMGR_NODE", "WSMGR_SAMPLE_CACHE"}
"""Variables with our prefix that are no settings of the daemon."""


class PlatformSource(PydanticBaseSettingsSource):
    """Reads the variables of the platform."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value of one setting, if the platform has a name for it."""
        del field
        return os.environ.get(PLATFORM_NAMES.get(field_name, "")), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All that are set."""
        named = {name: os.environ.get(variable) for name, variable in PLATFORM_NAMES.items()}
        return {name: value for name, value in named.items() if value is not None}


class Settings(BaseSettings):
    """Frozen. Durations are in seconds, sizes in the unit that the name ends with."""

    model_config = SettingsConfigDict(env_prefix="WSMGR_", frozen=True, extra="forbid", populate_by_name=True)

    state_dir: Path = Field(default_factory=_default_state, description="Database, lock and log of the daemon.")
    socket: Path = Field(default_factory=_default_socket, description="The unix socket of the API.")
    listen: str | None = setting(
        None,
        pattern=r"^(127\.0\.0\.1|\[::1\]|localhost):\d{1,5}$",
        description="Loopback TCP address of the API besides the socket; every call there needs a token.",
    )
    admins: Names = setting(
        [],
        description="Users (names or uids) who are admin on the socket, besides root and "
        "the daemon's own user; `@group` stands for a group.",
    )
    services: Names = setting([], description="Users or `@group`s with the role service on the socket.")
    data_dir: Path | None = setting(
        None,
        description="Where root has mounted volumes for the persistent `/data` of workspaces; unset: there is none.",
    )
    database_url: str | None = setting(None, description="SQLAlchemy URL; SQLite in the state directory when unset.")
    isolation: Choice = setting(
        Isolation.CONTAINER,
        description="container, worker or none (PLUGIN_ISOLATION; docker and podman mean container).",
    )
    image: str = setting(
        "localhost/wsmgr-node:latest",
        description="The image of workspaces that run JavaScript plugins (WORKSPACE_IMAGE).",
    )
    python_image: str = setting(
        "localhost/wsmgr-python:latest",
        description="The image of workspaces that run Python plugins.",
    )
    base_port: int = setting(
        4000,
        description="First port of the TCP transport (WORKSPACE_BASE_PORT). That transport is not built yet.",
    )
    fallback: bool = setting(True, description="A worker may stand in while the container engine is away.")
    default_plan: str | None = setting("FREE", description="Plan of owners for whom none was chosen; empty: no plan.")
    plans_file: Path | None = setting(
        None,
        description="Where the plans are; `plans.yaml` beside the settings file when unset, if it is there.",
    )
    secrets_key_file: Path | None = setting(
        None,
        description="Where the keys of the secrets are; `secrets.keys` in the state directory when unset.",
    )
    secrets_per_plugin: int = setting(64, ge=0, le=1024, description="Secrets that one plugin may have.")
    secret_bytes: int = setting(8192, ge=1, le=65_536, description="The longest value of a secret.")
    plugin_config_bytes: int = setting(
        65_536, ge=2, le=1_048_576, description="The largest configuration of a plugin, as JSON."
    )
    podman_socket: Path | None = setting(
        None,
        description="Socket of a podman API service that is run by somebody "
        "else; the daemon starts one of its own when unset.",
    )
    engine_timeout_s: float = setting(30.0, gt=0, description="Longest wait for one answer of the engine.")
    engine_probe_s: float = setting(5.0, gt=0, description="Longest wait for the engine's sign of life.")
    engine_start_concurrency: int = setting(2, ge=1, le=32, description="Workspaces that each engine starts at once.")
    start_deadline_s: float = setting(20.0, gt=0, description="From demand to a runtime that answers.")
    stop_grace_s: float = setting(6.0, ge=0, description="Between SIGTERM and SIGKILL for a workspace.")
    shutdown_deadline_s: float = setting(25.0, gt=0, description="For calls to end and workspaces to stop.")
    resync_s: float = setting(15.0, gt=0, description="Between two looks at everything the engine has.")
    health_every_s: float = setting(30.0, gt=0, description="Between two health checks of a running workspace.")
    health_timeout_s: float = setting(5.0, gt=0, description="Longest wait for the answer to one health check.")
    health_failures: int = setting(3, ge=1, description="Health checks failed in a row after which it is restarted.")
    memory_budget: float = setting(
        0.8,
        gt=0,
        le=64,
        description="Share of the host's memory that the plans of running workspaces may add up to; above 1 they are "
        "promised more than there is. Past it the longest-idle ones stop first.",
    )
    retention_s: int = setting(
        2_592_000,
        ge=0,
        description="A workspace that is stopped and was not used for so long is removed; its owner's plugins and "
        "records stay. 0: never.",
    )
    webhook_url: str | None = setting(
        None,
        pattern=r"^https?://[^\s/]\S*$",
        repr=False,
        description="Where alerts are told, as signed JSON; unset: nowhere.",
    )
    webhook_secret: SecretStr | None = setting(
        None, min_length=16, description="Signs what is sent there; at least 16 characters."
    )
    callbacks: Literal["none", "public", "any"] = setting(
        "none",
        description="Whom a queued call may have called back when it is over: nobody, public addresses, or any (also "
        "this host and its network); signed with webhook_secret.",
    )
    async_concurrency: int = setting(
        32, ge=1, le=10_000, description="Queued calls that are started or run at once; of one owner at most half."
    )
    executions_retention_days: float = setting(30.0, gt=0, description="For how long execution records are kept.")
    events_retention_days: float = setting(90.0, gt=0, description="For how long the audit trail is kept.")
    sample_every_s: int = setting(
        5, ge=1, le=60, description="Between two samples of what running workspaces use; kept in memory for 15 minutes."
    )
    usage_retention_hours: float = setting(
        24.0, ge=1, description="For how long the usage of each minute is kept. Totals of owners are kept for ever."
    )
    metrics_per_workspace: int = setting(
        0,
        ge=0,
        le=10_000,
        description="So many workspaces at the most (the first by id) have series of their own in `/metrics`.",
    )
    log_level: str = setting(
        "info", pattern="(?i)^(debug|info|warning|error)$", description="Least level that is logged."
    )
    log_file: Path | None = setting(None, description="Log to this file, rotated at 10 MB, instead of standard error.")
    log_format: str = setting("auto", pattern="^(auto|console|json)$", description="auto: console on a terminal.")

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if self.webhook_url is not None and self.webhook_secret is None:
            raise ValueError("webhook_url needs webhook_secret, at least 16 characters that its receiver knows too")
        if self.callbacks != "none" and self.webhook_secret is None:
            raise ValueError("callbacks needs webhook_secret, at least 16 characters that their receivers know too")
        return self

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.state_dir / 'wsmgr.db'}"

    @property
    def secrets_keys(self) -> Path:
        """The file of the keys."""
        return self.secrets_key_file or self.state_dir / "secrets.keys"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments over environment over file; no .env and no secrets directory."""
        del dotenv_settings, file_secret_settings
        file = YamlConfigSettingsSource(settings_cls, yaml_file=config_file())
        return init_settings, env_settings, PlatformSource(settings_cls), file


def load_settings(**overrides: Any) -> Settings:
    """Read them. `overrides` that are None are passed over. Raises InvalidRequest, one sentence for all mistakes."""
    unknown = [name for name in os.environ if name.startswith("WSMGR_") and not _known(name)]
    if unknown:
        raise InvalidRequest(f"The environment sets {', '.join(sorted(unknown))}, and wsmgr has no such setting.")
    try:
        return Settings(**{key: value for key, value in overrides.items() if value is not None})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InvalidRequest(f"The settings (environment or {config_file()}) are not valid: {wrong}.") from None
    except (YAMLError, SettingsError, ValueError, TypeError, OSError) as error:
        why = " ".join(str(error).split())
        raise InvalidRequest(f"The settings file {config_file()} cannot be read as YAML settings: {why}.") from None


def _known(variable: str) -> bool:
    return variable in OTHER_VARIABLES or variable.removeprefix("WSMGR_").lower() in Settings.model_fields
