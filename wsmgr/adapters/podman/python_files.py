"""The distribution's Python with its standard library, from what is installed on this host: no registry is asked."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from wsmgr.adapters.podman import context
from wsmgr.adapters.podman.context import Entry, program
from wsmgr.adapters.podman.node_files import libraries, linked
from wsmgr.core.errors import EngineFailure

_COMPILE_TIMEOUT_S = 300.0
_LEFT_OUT = frozenset(
    {
        *(
            "test",
            "tests",
            "idlelib",
            "lib2to3",
            "ensurepip",
            "turtledemo",
            "tkinter",
            "distutils",
            "pydoc_data",
            "venv",
        ),
        *("msilib", "site-packages", "dist-packages", "__pycache__"),
    }
)
_LEFT_OUT_FILES = frozenset({"sitecustomize.py", "turtle.py", "EXTERNALLY-MANAGED"})
# Checked by nothing when they are loaded: the image is read-only, and the times of its files are all the same.
_COMPILE = """
import compileall, py_compile, sys
for folder, place in zip(sys.argv[1::2], sys.argv[2::2]):
    compileall.compile_dir(folder, maxlevels=20, quiet=2, force=True, stripdir=folder, prependdir=place,
                           invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
"""


@dataclass(frozen=True, slots=True)
class HostPython:
    """What goes into the image: the program, the folder of its standard library, its version."""

    program: Path
    library: Path
    version: str

    @property
    def place(self) -> str:
        """Where the standard library is in the image: Python finds it by its own path."""
        return f"usr/local/lib/{self.library.name}"

    def entries(self, wanted: str | None) -> list[Entry]:
        """Python, what it is linked with, and its standard library without what no plugin needs. `wanted` (a prefix
        such as "3.11") must be what is installed. Raises EngineFailure."""
        if wanted is not None and not f"{self.version}.".startswith(f"{wanted}."):
            raise EngineFailure(
                f"Python {wanted} was asked for and {self.version} is installed: install python{wanted} or give a base "
                "image that holds it."
            )
        files = sorted(path for path in self.library.rglob("*") if path.is_file() and _goes_in(self.library, path))
        shared = {entry.path: entry for entry in libraries(self.program)}
        kept = [path for path in files if path.suffix not in (".so", ".a", ".o")]
        for path in files:
            found, missing = linked(path) if path.suffix == ".so" else ([], [""])
            if not missing:  # one that misses a library could not be imported on the host either
                shared |= {entry.path: entry for entry in found}
                kept.append(path)
        library = [
            Entry(f"rootfs/{self.place}/{path.relative_to(self.library).as_posix()}", 0o644, source=path.resolve())
            for path in kept
        ]
        return [program("/usr/local/bin/python3", self.program), *shared.values(), *library]

    def compile(self, folder: Path) -> None:
        """Have bytecode beside the sources of a written context: without it every workspace would compile them anew at
        its start. Raises EngineFailure."""
        pairs = [str(folder / "rootfs" / self.place), f"/{self.place}", str(folder / "runtime"), "/opt/wsmgr/runtime"]
        try:
            subprocess.run(  # noqa: S603 (the Python that goes into the image)
                [str(self.program), "-I", "-S", "-B", "-X", "utf8", "-c", _COMPILE, *pairs],
                env={"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"},
                capture_output=True,
                timeout=_COMPILE_TIMEOUT_S,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EngineFailure(f"The Python of the image cannot compile its standard library: {error}.") from error
        for place in (pairs[0], pairs[2]):
            _open_bytecode(Path(place))


def _goes_in(library: Path, path: Path) -> bool:
    *folders, name = path.relative_to(library).parts
    return name not in _LEFT_OUT_FILES and not any(part in _LEFT_OUT or part.startswith("config-") for part in folders)


def _open_bytecode(folder: Path) -> None:
    """The same modes whatever the umask."""
    for parent, _, names in os.walk(folder):
        if Path(parent).name == "__pycache__":
            Path(parent).chmod(context.FOLDER_MODE)
            for name in names:
                (Path(parent) / name).chmod(context.FILE_MODE)
