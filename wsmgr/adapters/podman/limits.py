"""What holds of the kernel's limits: from what is written, what was tried and what the kernel counted. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wsmgr.adapters.podman import mends
from wsmgr.adapters.podman.body import CPU_PERIOD_US, nproc
from wsmgr.adapters.podman.facts import EngineFacts
from wsmgr.adapters.podman.readings import Readings
from wsmgr.adapters.podman.trial import Trial
from wsmgr.core.capability import Capability, Level
from wsmgr.core.workspace import Spec

_MIB = 1024 * 1024
_REFUSED = "EAGAIN"
"""What fork answers at a limit of processes: fork(2)."""


@dataclass(frozen=True, slots=True)
class LimitJudge:
    """`warnings` are podman's own words at the creation of the probe. Each method gives one line of the matrix."""

    seen: Readings
    spec: Spec
    facts: EngineFacts
    warnings: Sequence[str]
    trial: Trial

    def memory(self) -> Capability:
        """Enforced when a process that took more was killed, and swap cannot be filled instead."""
        wanted = str(self.spec.memory_mb * _MIB)
        if (gap := self._unwritten("memory", "memory.max", wanted)) is not None:
            return gap
        kills, greedy = self.trial.counts.get("oom_kill", 0), self.trial.report.greedy
        swap = self.seen.cgroup_files.get("memory.swap.max", "0")
        killed = kills >= 1 and greedy in (None, "SIGKILL")
        if swap != "0":
            evidence = f"memory.max is {wanted}, but memory.swap.max is {swap!r}: the workspace can also fill swap."
            return Capability("memory", Level.BEST_EFFORT, evidence, mends.SWAP)
        if killed:
            evidence = f"memory.max is {wanted}; a process that took more was killed (memory.events: oom_kill {kills})."
            return Capability("memory", Level.ENFORCED, evidence)
        if greedy is None:
            return self._unproven("memory", f"memory.max is {wanted}")
        evidence = (
            f"memory.max is {wanted} and did not hold: a process set out to take {2 * self.spec.memory_mb * _MIB} "
            f"bytes and ended with {greedy} (memory.events: oom_kill {kills})."
        )
        return Capability("memory", Level.ABSENT, evidence, mends.KERNEL_BUG)

    def cpu(self) -> Capability:
        """Enforced when the kernel held the burning process back."""
        wanted = f"{int(self.spec.cpus * CPU_PERIOD_US)} {CPU_PERIOD_US}"
        if (gap := self._unwritten("cpu", "cpu.max", wanted)) is not None:
            return gap
        throttled, report = self.trial.counts.get("nr_throttled", 0), self.trial.report
        if throttled:
            evidence = f"cpu.max is {wanted!r}; a busy process was held back (cpu.stat: nr_throttled {throttled})."
            return Capability("cpu", Level.ENFORCED, evidence)
        if report.burn_ms is None or report.cpu_ms is None:
            return self._unproven("cpu", f"cpu.max is {wanted!r}")
        used = f"a busy process had {report.cpu_ms} ms of CPU in {report.burn_ms} ms and was never held back"
        # One period more than the quota may fall to a process whose time begins within one.
        if report.cpu_ms > self.spec.cpus * (report.burn_ms + CPU_PERIOD_US / 1000):
            evidence = f"cpu.max is {wanted!r} and did not hold: {used}."
            return Capability("cpu", Level.ABSENT, evidence, mends.KERNEL_BUG)
        evidence = f"cpu.max is {wanted!r} and was not reached, the host has too much to do: {used}."
        return Capability("cpu", Level.BEST_EFFORT, evidence, mends.TRY_AGAIN)

    def pids(self) -> Capability:
        """Enforced when the group refused a fork; a limit of the user id's that did so is the weaker means."""
        gap = self._unwritten("pids", "pids.max", str(self.spec.pids))
        if gap is not None:
            return self._pids_by_rlimit(gap)
        refusals, report = self.trial.counts.get("max", 0), self.trial.report
        if report.refused == _REFUSED and refusals:
            evidence = (
                f"pids.max is {self.spec.pids}; fork was refused after {report.forks} processes "
                f"(pids.events: max {refusals})."
            )
            return Capability("pids", Level.ENFORCED, evidence)
        if report.forks is None:
            return self._unproven("pids", f"pids.max is {self.spec.pids}")
        if report.refused == _REFUSED:
            evidence = (
                f"pids.max is {self.spec.pids}; fork was refused after {report.forks} processes, but by another limit: "
                "pids.events counts none."
            )
            return Capability("pids", Level.BEST_EFFORT, evidence, mends.TRY_AGAIN)
        evidence = f"pids.max is {self.spec.pids} and did not hold: {self._not_refused()}."
        return Capability("pids", Level.ABSENT, evidence, mends.KERNEL_BUG)

    def freeze(self) -> Capability:
        """Enforced when all processes of the probe were seen to stand still."""
        if not self.trial.freezable:
            evidence = f"There is no control group of the container's own to freeze. {self._said()}"
            return Capability("freeze", Level.ABSENT, evidence, mends.delegation(self.facts))
        if self.trial.freeze is not None:
            evidence = f"Freezing the container's group failed: {self.trial.freeze}."
            return Capability("freeze", Level.ABSENT, evidence, mends.delegation(self.facts))
        evidence = "1 in cgroup.freeze of the container's group brought `frozen 1` in cgroup.events; it was thawed."
        return Capability("freeze", Level.ENFORCED, evidence)

    def _unwritten(self, name: str, file: str, wanted: str) -> Capability | None:
        """The line when the limit is not even written."""
        value = self.seen.cgroup_files.get(file)
        if value == wanted:
            return None
        if value is None:
            evidence = f"There is no {file} behind /proc/<pid>/cgroup. {self._said()}"
        else:
            evidence = f"{file} is {value!r} behind /proc/<pid>/cgroup, {wanted!r} was asked for."
        return Capability(name, Level.ABSENT, evidence, mends.delegation(self.facts, name))

    def _pids_by_rlimit(self, gap: Capability) -> Capability:
        report = self.trial.report
        if self.seen.nproc != str(nproc(self.spec)):
            return gap
        limit = f"RLIMIT_NPROC is {self.seen.nproc} for a uid that only this workspace has"
        if report.forks is None:
            return Capability("pids", Level.BEST_EFFORT, f"{limit}; {self._why()} {gap.evidence}", gap.mend)
        if report.refused == _REFUSED:
            evidence = f"{limit}; fork was refused after {report.forks} processes. {gap.evidence}"
            return Capability("pids", Level.BEST_EFFORT, evidence, gap.mend)
        evidence = f"{limit} and did not hold: {self._not_refused()}. {gap.evidence}"
        return Capability("pids", Level.ABSENT, evidence, gap.mend)

    def _not_refused(self) -> str:
        report = self.trial.report
        end = "and none was refused" if report.refused is None else f"and the next one failed with {report.refused}"
        return f"{report.forks} processes were started {end}"

    def _unproven(self, name: str, written: str) -> Capability:
        return Capability(name, Level.BEST_EFFORT, f"{written}; {self._why()}", mends.TRY_AGAIN)

    def _why(self) -> str:
        return f"the breaking probe did not finish: {self.trial.unfinished or 'it said nothing of this'}."

    def _said(self) -> str:
        words = (
            f"Podman said: {'; '.join(self.warnings).rstrip('.')}."
            if self.warnings
            else "Podman said nothing about it."
        )
        return f"The host has cgroups {self.facts.cgroups}. {words}"
