"""The runtime as a program: where it is, how it is started, what its environment says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsmgr.core.errors import EngineUnavailable
from wsmgr.core.workspace import Spec

# As in the image: a small nursery and two V8 helpers are enough; SIGUSR1 must not open the debugger.
NODE_OPTIONS = ("--max-semi-space-size=2", "--v8-pool-size=2", "--disable-sigusr1")


@dataclass(frozen=True, slots=True)
class Program:
    """The Node.js binary and the folder in which the runtime's `main` is."""

    node: Path
    folder: Path
    main: str = "main.mjs"

    def check(self) -> None:
        """Raises EngineUnavailable when either is missing."""
        for path in (self.node, self.folder / self.main):
            if not path.is_file():
                raise EngineUnavailable(f"The worker isolation needs {path}, which is not there: install it again.")

    def argv(self, node: str, folder: str) -> Sequence[str]:
        """The command line, with the paths at which the process itself sees the two."""
        return [node, *NODE_OPTIONS, f"{folder}/{self.main}"]


def environment(spec: Spec, socket: str, home: str, plugins: str | None = None) -> Mapping[str, str]:
    """Everything that the runtime is told; nothing of the daemon's own environment is in it. `plugins`: where it puts
    their files, where that is not /plugins."""
    return {
        "LISTEN": socket,
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "NODE_ENV": "production",
        "MALLOC_ARENA_MAX": "2",
        "MALLOC_MMAP_THRESHOLD_": "131072",
        "WSMGR_MEMORY_MB": str(spec.memory_mb),
        "WSMGR_CONCURRENCY": str(spec.concurrency),
        "WSMGR_INPUT_BYTES": str(spec.input_bytes),
        "WSMGR_OUTPUT_BYTES": str(spec.output_bytes),
        "WSMGR_LOG_BYTES": str(spec.log_bytes),
        **({"WSMGR_UNRESTRICTED": "1"} if spec.unrestricted else {}),
        **({"PLUGIN_DIR": plugins} if plugins else {}),
    }
