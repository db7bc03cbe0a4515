"""The port `Meter` on /proc."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wsmgr.adapters.host import network, scratch
from wsmgr.adapters.host.figures import Figures
from wsmgr.adapters.host.network import NO_TRAFFIC, Traffic
from wsmgr.adapters.host.tree import Processes, process
from wsmgr.ports.meter import HostUse, Question, Use

LOOKS_PAST = 12
"""A network without interfaces is looked at only every so many times: it is the kernel's slowest file of all."""


@dataclass(slots=True)
class _Known:
    """What is true of an instance for as long as it lives. `start` tells it from another process of its pid. `skip`:
    so many looks at its network are left out."""

    start: int
    own_network: bool
    own_scratch: bool
    skip: int = 0


class ProcMeter:
    """One thread at a time uses it. `place` is on the disk whose use is told; `proc` is where /proc is mounted."""

    def __init__(self, place: Path, proc: str = "/proc") -> None:
        self._proc = proc
        self._figures = Figures(place)
        self._processes = Processes(proc)
        self._known: dict[str, _Known] = {}

    def host(self) -> HostUse:
        """One look at the host."""
        return self._figures.read()

    def workspaces(self, asked: Sequence[Question]) -> Sequence[Use | None]:
        """One pass over /proc for all trees together."""
        mains = {question.endpoint.pid for question in asked if question.tree}
        if mains:
            self._processes.look(mains)
        known, self._known = self._known, {}
        return [self._answer(question, known.get(question.endpoint.instance)) for question in asked]

    def _answer(self, question: Question, known: _Known | None) -> Use | None:
        endpoint = question.endpoint
        pid = endpoint.pid
        main = self._processes.find(pid) if question.tree else process(self._proc, pid)
        if main is None or (known is not None and known.start != main.start):
            return None
        if known is None:
            known = _Known(main.start, network.has_own(self._proc, pid), scratch.has_own(self._proc, pid))
        self._known[endpoint.instance] = known
        tree = self._processes.use(main) if question.tree else None
        traffic = self._traffic(pid, known) if known.own_network else None
        kept = scratch.look(self._proc, pid) if known.own_scratch else None
        return Use(
            cpu_s=None if tree is None else tree.cpu_s,
            memory_bytes=None if tree is None else tree.memory_bytes + (kept.used if kept else 0),
            tasks=None if tree is None else tree.tasks,
            network_in_bytes=None if traffic is None else traffic.received,
            network_out_bytes=None if traffic is None else traffic.sent,
            scratch_bytes=None if kept is None else kept.used,
            scratch_full=kept is not None and kept.full,
        )

    def _traffic(self, pid: int, known: _Known) -> Traffic | None:
        if known.skip:
            known.skip -= 1
            return NO_TRAFFIC
        seen = network.traffic(self._proc, pid)
        if seen == NO_TRAFFIC:
            known.skip = LOOKS_PAST - 1
        return seen
