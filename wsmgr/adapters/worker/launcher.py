"""Two ways to start a runtime: in a sandbox, and plainly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from wsmgr.adapters.worker.child import Child
from wsmgr.core.workspace import Spec


@dataclass(frozen=True, slots=True)
class Launched:
    """A started runtime. `pid` is the process through whose root `socket` is reached, unless that is `on_host`.

    `terminate` asks the runtime to end, `kill` ends everything it started; both raise ProcessLookupError when there
    is nothing left. `tidy` removes what the launch has made on the host.
    """

    child: Child
    pid: int
    socket: str
    terminate: Callable[[], None]
    kill: Callable[[], None]
    tidy: Callable[[], None]
    on_host: bool = False


class Launcher(Protocol):
    """Starts runtimes."""

    async def launch(self, spec: Spec, name: str) -> Launched:
        """Start one and return once it runs. `name` is unique on this host. Raises EngineFailure."""
        ...
