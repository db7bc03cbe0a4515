"""What the engine contract needs of each engine under test.

To add an engine: write an async context manager that yields a `Rig`, and put it into `RIGS` in conftest.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from wsmgr.core.ids import parse_workspace_id
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Endpoint, Spec
from wsmgr.ports.engine import Engine

GREETING = "the test runtime started"
"""A line that the main process of a STEADY workspace writes to standard output when it starts."""


class Behaviour(StrEnum):
    """What the main process of a workspace does.

    STEADY: writes GREETING, listens on its socket, exits with 0 on SIGTERM. EXITS: ends at once with code 3.
    STUBBORN: as STEADY, but ignores SIGTERM.
    """

    STEADY = "steady"
    EXITS = "exits"
    STUBBORN = "stubborn"


OUTPUT_BYTES = {Behaviour.STEADY: 4096, Behaviour.EXITS: 4003, Behaviour.STUBBORN: 4015}
"""How a spec asks the test runtime for a behaviour: every engine hands `output_bytes` on as WSMGR_OUTPUT_BYTES."""


class MakeSpec(Protocol):
    """Makes a spec for a workspace id; `slot` gives the uid."""

    def __call__(
        self, workspace: str, behaviour: Behaviour = Behaviour.STEADY, *, slot: int = 0, generation: int = 0
    ) -> Spec: ...


@dataclass(frozen=True)
class Rig:
    """An opened engine, specs that work on it, and the uid that really listens behind an endpoint.

    `peer_uid` raises OSError as long as nothing listens there.
    """

    engine: Engine
    spec: MakeSpec
    peer_uid: Callable[[Endpoint], int]


def small_spec(
    isolation: Isolation,
    image: str,
    workspace: str,
    behaviour: Behaviour = Behaviour.STEADY,
    *,
    slot: int = 0,
    generation: int = 0,
) -> Spec:
    """A spec of modest limits."""
    return Spec(
        workspace=parse_workspace_id(workspace),
        isolation=isolation,
        image=image,
        uid=10_000 + slot,
        generation=generation,
        memory_mb=128,
        cpus=0.5,
        pids=64,
        nofile=256,
        scratch_mb=16,
        concurrency=2,
        input_bytes=65536,
        output_bytes=OUTPUT_BYTES[behaviour],
        log_bytes=4096,
    )
