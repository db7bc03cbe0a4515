"""The runtimes as programs: where one is, how it is started, what its environment says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wsmgr.core.errors import EngineUnavailable
from wsmgr.core.workspace import Spec

# As in the image: a small nursery and two V8 helpers are enough; SIGUSR1 must not open the debugger.
NODE_OPTIONS = ("--max-semi-space-size=2", "--v8-pool-size=2", "--disable-sigusr1")
NODE = "/usr/local/bin/node"
# As in the image, and no bytecode beside the sources: there the folder may be a checkout.
PYTHON_OPTIONS = ("-I", "-S", "-B", "-X", "utf8", "-X", "frozen_modules=on")


@dataclass(frozen=True, slots=True)
class Program:
    """A runtime: the `binary` of its language and the `folder` in which its `main` is.

    `inside` is where a sandbox shows the binary. `trees` are the folders that the binary reads, and `variables` what
    its environment says besides what every runtime is told.
    """

    name: str
    binary: Path
    inside: str
    folder: Path
    main: str
    options: Sequence[str]
    trees: Sequence[Path] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raises EngineUnavailable when either is missing."""
        for path in (self.binary, self.folder / self.main):
            if not path.is_file():
                raise EngineUnavailable(f"The worker isolation needs {path}, which is not there: install it again.")

    def argv(self, binary: str, folder: str) -> Sequence[str]:
        """The command line, with the paths at which the process itself sees the two."""
        return [binary, *self.options, f"{folder}/{self.main}"]


def node_program(node: Path, folder: Path, main: str = "main.mjs") -> Program:
    """The runtime of JavaScript plugins."""
    variables = {"NODE_ENV": "production"}
    return Program("Node.js", node, NODE, folder, main, NODE_OPTIONS, variables=variables)


def python_program(python: Path, library: Path, folder: Path, main: str = "main.py") -> Program:
    """The runtime of Python plugins: `python` finds its standard library in the folder `library` by its own path, so
    both are where they are on the host."""
    return Program("Python", python, str(python), folder, main, PYTHON_OPTIONS, trees=(library,))


def environment(program: Program, spec: Spec, socket: str, home: str) -> Mapping[str, str]:
    """Everything that the runtime is told; nothing of the daemon's own environment is in it."""
    return {
        "LISTEN": socket,
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "MALLOC_ARENA_MAX": "2",
        "MALLOC_MMAP_THRESHOLD_": "131072",
        **program.variables,
        "WSMGR_MEMORY_MB": str(spec.memory_mb),
        "WSMGR_CONCURRENCY": str(spec.concurrency),
        "WSMGR_INPUT_BYTES": str(spec.input_bytes),
        "WSMGR_OUTPUT_BYTES": str(spec.output_bytes),
        "WSMGR_LOG_BYTES": str(spec.log_bytes),
    }
