"""A meter that tests program: what each workspace uses, and the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from wsmgr.ports.meter import HostUse, Question, Use
from wsmgr.ports.offload import Busy

T = TypeVar("T")

HOST = HostUse(
    cpu_percent=12.5,
    memory_used_bytes=4 * 2**30,
    memory_total_bytes=24 * 2**30,
    disk_used_bytes=10 * 2**30,
    disk_total_bytes=40 * 2**30,
    load_average=(0.5, 0.4, 0.3),
)


class FakeMeter:
    """`used` holds what each instance uses, by the handle of its container; `gone` those that are not there any more.
    `asked` has the questions of the last look. `defect`: what every look raises."""

    def __init__(self) -> None:
        self.used: dict[str, Use] = {}
        self.gone: set[str] = set()
        self.asked: Sequence[Question] = ()
        self.of_host = HOST
        self.defect: Exception | None = None
        self._usual = Use(
            cpu_s=0.0, memory_bytes=28 * 2**20, tasks=12, network_in_bytes=0, network_out_bytes=0, scratch_bytes=0
        )

    def workspaces(self, asked: Sequence[Question]) -> Sequence[Use | None]:
        """As programmed; an idle workspace where nothing is. What counts in a group is not asked of processes."""
        if self.defect is not None:
            raise self.defect
        self.asked = asked
        return [self._answer(question) for question in asked]

    def host(self) -> HostUse:
        """As programmed."""
        return self.of_host

    def spend(self, instance: str, **more: float) -> None:
        """Add to what an instance has used."""
        now = self.used.get(instance, self._usual)
        self.used[instance] = replace(now, **{name: getattr(now, name) + value for name, value in more.items()})

    def _answer(self, question: Question) -> Use | None:
        instance = question.endpoint.instance
        if instance in self.gone:
            return None
        use = self.used.get(instance, self._usual)
        return use if question.tree else replace(use, cpu_s=None, memory_bytes=None, tasks=None)


class InlineOffload:
    """Does the work at once, in the loop: virtual time would run on while a thread works. `busy`: so many times it says
    that it is."""

    def __init__(self) -> None:
        self.busy = 0
        self.closed = False

    async def run(self, work: Callable[[], T], timeout_s: float) -> T:
        """Do it."""
        if self.busy:
            self.busy -= 1
            raise Busy(f"It did not end within {timeout_s:g} s.")
        return work()

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True
