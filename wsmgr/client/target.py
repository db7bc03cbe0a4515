"""Where the daemon is: an explicit place, else the environment, else the usual sockets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wsmgr.client.errors import InvalidArgument

SYSTEM_DIR = Path("/run/wsmgr")


@dataclass(frozen=True, slots=True)
class UnixTarget:
    """A unix socket; who asks is known to the daemon by peer credentials."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class UrlTarget:
    """Loopback TCP, with a bearer token."""

    url: str
    token: str | None = None

    def __str__(self) -> str:
        return self.url

    def __repr__(self) -> str:
        # The token never shows in a log or a traceback.
        return f"UrlTarget({self.url!r})"


Target = UnixTarget | UrlTarget


def find_target(
    socket: Path | str | None = None,
    *,
    url: str | None = None,
    token: str | None = None,
    environ: Mapping[str, str] | None = None,
    system_dir: Path = SYSTEM_DIR,
) -> Target:
    """The daemon's place: `socket`, `url`, `WSMGR_SOCKET`, `WSMGR_URL` (with `WSMGR_TOKEN`), the provisioned socket,
    this user's own socket. Raises InvalidArgument when both `socket` and `url` are given, or `url` is no http URL."""
    env = os.environ if environ is None else environ
    if socket is not None and url is not None:
        raise InvalidArgument("A socket and a URL were both given: choose one.")
    if socket is not None:
        return UnixTarget(Path(socket))
    if url is not None:
        return _url_target(url, token or env.get("WSMGR_TOKEN"))
    if named := env.get("WSMGR_SOCKET"):
        return UnixTarget(Path(named))
    if named := env.get("WSMGR_URL"):
        return _url_target(named, token or env.get("WSMGR_TOKEN"))
    return UnixTarget(_usual_socket(env, system_dir))


def _url_target(url: str, token: str | None) -> UrlTarget:
    if not url.startswith(("http://", "https://")):
        raise InvalidArgument(f"{url!r} is not the URL of a daemon: write http://127.0.0.1:PORT.")
    return UrlTarget(url.rstrip("/"), token or None)


def _usual_socket(env: Mapping[str, str], system_dir: Path) -> Path:
    """The first socket that is there; when none is, the one whose absence is the better explanation."""
    system = system_dir / "api.sock"
    own = _own_socket(env)
    if _is_there(system):
        return system
    if own is not None and _is_there(own):
        return own
    return system if own is None or _is_there(system_dir) else own


def _own_socket(env: Mapping[str, str]) -> Path | None:
    if named := env.get("XDG_RUNTIME_DIR"):
        return Path(named) / "wsmgr" / "api.sock"
    folder = Path(f"/tmp/wsmgr-{os.getuid()}")  # noqa: S108  # passed over below when it is another user's
    try:
        theirs = folder.lstat().st_uid != os.getuid()
    except OSError:
        theirs = False
    return None if theirs else folder / "wsmgr" / "api.sock"


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True
