"""Limits: where they sit in a container's groups, in which order they are changed, and what is in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wsmgr.adapters.cgroup.chain import Chain
from wsmgr.adapters.cgroup.folder import Folder
from wsmgr.adapters.cgroup.values import cores, number, quota
from wsmgr.core.cgroup import Ceilings
from wsmgr.ports.cgroup import GroupRefused

Parse = Callable[[str | None], float | None]


@dataclass(frozen=True, slots=True)
class _Move:
    """One write. `raises`: it gives the group more than it has."""

    folder: Folder
    name: str
    value: str
    raises: bool


def read_ceilings(chain: Chain) -> Ceilings:
    """The lowest limit of each kind in the chain: the kernel holds a group to all of those above it. Raises
    GroupGone."""
    return Ceilings(
        memory_bytes=_lowest_number(chain, "memory.max"),
        swap_bytes=_swap(chain),
        cpus=min((held for _, text in chain.values("cpu.max") if (held := cores(text)) is not None), default=None),
        pids=_lowest_number(chain, "pids.max"),
    )


def write_ceilings(chain: Chain, wanted: Ceilings) -> Ceilings:
    """Write what is wanted and return what is in force. Raises GroupGone, and GroupRefused after having tried all."""
    moves, refused = _moves(chain, wanted)
    # Raised first, so that a group never has less than both the old and the new limits give it. Of what is lowered
    # memory comes before swap: what no longer fits may still be swapped out, which kills nobody.
    for move in sorted(moves, key=lambda move: not move.raises):
        try:
            move.folder.write(move.name, move.value)
        except GroupRefused as error:
            refused.append(str(error))
    if refused:
        raise GroupRefused(" ".join(refused))
    return read_ceilings(chain)


def _swap(chain: Chain) -> int | None:
    """0 where the kernel counts no swap: it has then none that it could hold anybody to."""
    counts = {name: any(True for _ in chain.values(name)) for name in ("memory.max", "memory.swap.max")}
    uncounted = counts["memory.max"] and not counts["memory.swap.max"]
    return 0 if uncounted else _lowest_number(chain, "memory.swap.max")


def _lowest_number(chain: Chain, name: str) -> int | None:
    return min((held for _, text in chain.values(name) if (held := number(text)) is not None), default=None)


def _moves(chain: Chain, wanted: Ceilings) -> tuple[list[_Move], list[str]]:
    """The writes in the order memory, swap, CPU, pids; and a sentence for each limit that cannot be written."""
    moves: list[_Move] = []
    refused: list[str] = []
    for name, value, parse, write in (
        ("memory.max", wanted.memory_bytes, number, str),
        ("memory.swap.max", wanted.swap_bytes, number, str),
        ("cpu.max", wanted.cpus, cores, quota),
        ("pids.max", wanted.pids, number, str),
    ):
        if value is None or (name == "memory.swap.max" and value == _swap(chain)):
            continue
        try:
            moves += _moves_of(chain, name, value, parse, write(value))
        except (ValueError, GroupRefused) as error:
            refused.append(f"{name}: {error}")
    return moves, refused


def _moves_of(chain: Chain, name: str, value: float, parse: Parse, text: str) -> list[_Move]:
    held = [(folder, parse(now)) for folder, now in chain.values(name)]
    if not held:
        raise GroupRefused("its controller is not enabled for the group.")
    # Where a limit sits it is changed. Where none is, it is set next to the process: the topmost group may be a scope
    # that systemd knows, which writes its own idea of a limit whenever it reloads.
    limited = [(folder, now) for folder, now in held if now is not None]
    if not limited:
        return [_Move(held[-1][0], name, text, raises=False)]
    return [_Move(folder, name, text, raises=value > now) for folder, now in limited if now != value]
