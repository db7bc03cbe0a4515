"""What commands reach beyond themselves: the daemon through the client, and the daemon's own code, both late."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import typer

if TYPE_CHECKING:
    from wsmgr.client import Client
    from wsmgr.settings import Settings


class ImageReport(Protocol):
    """What building an image did. `changed` False: it was there already."""

    @property
    def id(self) -> str: ...
    @property
    def tag(self) -> str: ...
    @property
    def changed(self) -> bool: ...
    @property
    def size_bytes(self) -> int: ...


class TokenLine(Protocol):
    """A token without its secret."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...


class CapabilityLine(Protocol):
    """One line of the capability matrix; `level` is a word of `wsmgr.wire.names.Level`."""

    @property
    def name(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def evidence(self) -> str: ...
    @property
    def mend(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A plugin as a person named it: `code` in a `language`, or an `archive` of a `media` type."""

    slug: str
    language: str | None
    code: str | None
    archive: bytes | None
    media: str | None
    entry: str | None


class LocalRun(Protocol):
    """A run without a daemon. `answer` has the members of an execution's answer."""

    @property
    def answer(self) -> Mapping[str, object]: ...
    @property
    def findings(self) -> Sequence[Mapping[str, object]]: ...
    @property
    def runtime(self) -> str: ...
    @property
    def sandboxed(self) -> bool: ...


class Backend(Protocol):
    """The part of `wsmgr.bootstrap` that commands call. `settings` come from `Wiring.settings`."""

    def serve(self, settings: Settings) -> int:
        """Run the daemon in the foreground; returns the exit code."""
        ...

    def detach(self, settings: Settings) -> int:
        """Start it in the background, wait until it answers, print where; returns the exit code."""
        ...

    def shutdown(self, settings: Settings, keep: bool) -> int:
        """Stop the daemon; `keep` leaves the workspaces running. Returns the exit code."""
        ...

    def build_image(
        self,
        settings: Settings,
        *,
        runtime: str,
        base: str | None,
        version: str | None,
        force: bool,
        progress: Callable[[str], None],
    ) -> ImageReport:
        """Build the image of one runtime, `node` or `python`; `progress` gets one line at a time."""
        ...

    def create_token(self, settings: Settings, name: str, role: str) -> str:
        """Make a token and return its secret, which is kept nowhere."""
        ...

    def list_tokens(self, settings: Settings) -> Sequence[TokenLine]:
        """All tokens, by name."""
        ...

    def delete_token(self, settings: Settings, name: str) -> object:
        """Revoke a token; False when there was none."""
        ...

    def forget_secrets(self, settings: Settings) -> int:
        """Remove the secrets of all plugins; how many there were. Refused while a daemon runs."""
        ...

    def check_plans(self, settings: Settings, file: Path | None) -> tuple[str, Sequence[str]]:
        """Where the plans are from and their names: those of a file, or of the daemon's own when None."""
        ...

    def default_plans(self) -> str:
        """The built-in plans as the text of a plans file."""
        ...

    def check_plugin(self, settings: Settings, source: LocalSource, plan: str | None) -> Sequence[Mapping[str, object]]:
        """What validation finds in a plugin, by the policy of a plan."""
        ...

    def run_plugin(self, settings: Settings, source: LocalSource, value: object, plan: str | None) -> LocalRun:
        """Run a plugin once, without a daemon."""
        ...

    def probe(self, settings: Settings) -> Sequence[CapabilityLine]:
        """Try what this host can enforce."""
        ...


def _bootstrap() -> Backend:
    from wsmgr import bootstrap  # noqa: PLC0415  # all of the daemon; only the commands that are the daemon need it

    return bootstrap


def _changes(path: Path) -> Iterator[object]:
    from watchfiles import watch  # noqa: PLC0415  # only --watch needs it

    # A save is often several writes; this is how long it must be quiet before it is one change.
    yield from watch(path, debounce=400, step=40, recursive=True)


def _settings(**overrides: object) -> Settings:
    from wsmgr.settings import load_settings  # noqa: PLC0415  # pydantic-settings is as slow

    return load_settings(**overrides)


@dataclass
class Wiring:
    """One run of the command line. `socket`, `url`, `debug` are set from the options before the command's name."""

    backend: Callable[[], Backend] = _bootstrap
    load_settings: Callable[..., Settings] = _settings
    changes: Callable[[Path], Iterator[object]] = _changes
    socket: Path | None = None
    url: str | None = None
    debug: bool = False

    def client(self) -> Client:
        """A client of the daemon. Raises the errors of `wsmgr.client`."""
        from wsmgr.client import Client  # noqa: PLC0415  # httpx and pydantic take 150 ms that --help must not pay

        return Client(self.socket, url=self.url)

    def settings(self, **overrides: object) -> Settings:
        """The daemon's settings; what is None is left to the environment and the file."""
        return self.load_settings(**{"socket": self.socket, **overrides})


def wiring_of(context: typer.Context) -> Wiring:
    """The wiring of the run that a command belongs to."""
    return context.ensure_object(Wiring)
