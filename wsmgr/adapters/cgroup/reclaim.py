"""Memory taken back by the kernel before it needs it (memory.reclaim, since Linux 5.19)."""

from __future__ import annotations

import time

from wsmgr.adapters.cgroup.chain import Chain
from wsmgr.adapters.cgroup.values import number
from wsmgr.ports.cgroup import GroupRefused

_PIECE_BYTES = 16 * 1024 * 1024
"""How much is asked for at once: a write cannot be broken off, so this bounds how far it runs over the deadline."""


def take_back(chain: Chain, deadline: float) -> None:
    """Piece by piece until the kernel finds no more (EAGAIN), or until `deadline` on the monotonic clock. Raises
    GroupGone."""
    left = number(chain.top.read("memory.current")) or 0
    while left > 0 and time.monotonic() < deadline:
        piece = min(left, _PIECE_BYTES)
        try:
            chain.top.write("memory.reclaim", str(piece))
        except GroupRefused:
            return
        left -= piece
