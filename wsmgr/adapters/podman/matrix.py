"""From what was read about a probe container to the capability matrix. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wsmgr.adapters.podman.body import CPU_PERIOD_US
from wsmgr.adapters.podman.readings import Readings
from wsmgr.core.capability import Capability, Level
from wsmgr.core.workspace import Spec

NAMES = (
    "engine", "memory", "cpu", "pids", "freeze", "no_new_privileges", "seccomp", "capabilities", "network",
    "read_only_root", "scratch", "user_namespace", "channel", "log_cap",
)  # fmt: skip

_MIB = 1024 * 1024
_DELEGATE = (
    "Use a host with pure cgroups v2 on which systemd delegates cpu, memory and pids to the daemon's user "
    "(playbooks/host.yml sets that up)."
)
_ENGINE_BUG = "The container engine does not do as it is told: update podman and its runtime."


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What podman says of itself and of the host."""

    podman: str
    runtime: str
    cgroups: str
    controllers: tuple[str, ...]
    storage: str

    def __str__(self) -> str:
        controllers = ", ".join(self.controllers) or "none"
        return (
            f"podman {self.podman}, {self.runtime}, {self.storage} storage, cgroups {self.cgroups}, "
            f"delegated controllers: {controllers}"
        )


def not_probed(reason: str, mend: str) -> list[Capability]:
    """The matrix when no probe container could be looked at: nothing is known to hold."""
    return [Capability(name, Level.ABSENT, f"No probe ran: {reason}", mend) for name in NAMES]


def matrix(seen: Readings, spec: Spec, facts: EngineFacts, warnings: Sequence[str]) -> list[Capability]:
    """One line for each of NAMES. `warnings` are podman's own words at the creation of the probe."""
    return [
        _engine(facts),
        _memory(seen, spec, facts, warnings),
        _cpu(seen, spec, facts, warnings),
        _pids(seen, spec, facts, warnings),
        _freeze(seen),
        _status("no_new_privileges", seen, "NoNewPrivs", "1"),
        _status("seccomp", seen, "Seccomp", "2"),
        _capabilities(seen),
        _network(seen),
        _read_only_root(seen),
        _scratch(seen, spec),
        _user_namespace(seen, spec),
        _channel(seen),
        _log_cap(seen, spec),
    ]


def _line(name: str, holds: bool, evidence: str, mend: str, otherwise: Level = Level.ABSENT) -> Capability:
    return Capability(name, Level.ENFORCED, evidence) if holds else Capability(name, otherwise, evidence, mend)


def _engine(facts: EngineFacts) -> Capability:
    mend = 'Set `driver = "overlay"` in storage.conf: vfs copies the whole image for each container.'
    return _line("engine", facts.storage != "vfs", str(facts), mend, Level.BEST_EFFORT)


def _cgroup_limit(name: str, file: str, wanted: str, seen: Readings, said: str) -> Capability:
    value = seen.cgroup_files.get(file)
    if value is None:
        return Capability(name, Level.ABSENT, f"There is no {file} behind /proc/<pid>/cgroup. {said}", _DELEGATE)
    evidence = f"{file} is {value!r} behind /proc/<pid>/cgroup, {wanted!r} was asked for; not broken on purpose."
    return _line(name, value == wanted, evidence, _DELEGATE)


def _said(facts: EngineFacts, warnings: Sequence[str]) -> str:
    words = f"Podman said: {'; '.join(warnings).rstrip('.')}." if warnings else "Podman said nothing about it."
    return f"The host has cgroups {facts.cgroups}. {words}"


def _memory(seen: Readings, spec: Spec, facts: EngineFacts, warnings: Sequence[str]) -> Capability:
    limit = _cgroup_limit("memory", "memory.max", str(spec.memory_mb * _MIB), seen, _said(facts, warnings))
    swap = seen.cgroup_files.get("memory.swap.max", "0")
    if limit.level is Level.ENFORCED and swap != "0":
        evidence = f"{limit.evidence} But memory.swap.max is {swap!r}, so the workspace can also fill swap."
        return Capability("memory", Level.BEST_EFFORT, evidence, "Switch swap off, or update podman.")
    return limit


def _cpu(seen: Readings, spec: Spec, facts: EngineFacts, warnings: Sequence[str]) -> Capability:
    wanted = f"{int(spec.cpus * CPU_PERIOD_US)} {CPU_PERIOD_US}"
    return _cgroup_limit("cpu", "cpu.max", wanted, seen, _said(facts, warnings))


def _pids(seen: Readings, spec: Spec, facts: EngineFacts, warnings: Sequence[str]) -> Capability:
    limit = _cgroup_limit("pids", "pids.max", str(spec.pids), seen, _said(facts, warnings))
    if limit.level is Level.ENFORCED or seen.nproc != str(spec.pids):
        return limit
    evidence = (
        f"RLIMIT_NPROC is {seen.nproc} for a uid that only this workspace has, not broken on purpose. {limit.evidence}"
    )
    return Capability("pids", Level.BEST_EFFORT, evidence, _DELEGATE)


def _freeze(seen: Readings) -> Capability:
    there = "cgroup.freeze" in seen.cgroup_files
    evidence = "cgroup.freeze is there and was not tried." if there else "There is no cgroup.freeze for the container."
    mend = "This version does not pause workspaces yet." if there else _DELEGATE
    return Capability("freeze", Level.ABSENT, evidence, mend)


def _status(name: str, seen: Readings, field: str, wanted: str) -> Capability:
    value = seen.status.get(field, "missing")
    return _line(name, value == wanted, f"{field} is {value} in /proc/<pid>/status.", _ENGINE_BUG)


def _capabilities(seen: Readings) -> Capability:
    sets = {field: seen.status.get(field, "missing") for field in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "CapInh")}
    evidence = f"{', '.join(f'{field} {value}' for field, value in sets.items())} in /proc/<pid>/status."
    return _line("capabilities", all(set(value) == {"0"} for value in sets.values()), evidence, _ENGINE_BUG)


def _network(seen: Readings) -> Capability:
    evidence = f"The interfaces in /proc/<pid>/net/dev are: {', '.join(seen.interfaces) or 'none'}."
    return _line("network", set(seen.interfaces) <= {"lo"}, evidence, _ENGINE_BUG)


def _read_only_root(seen: Readings) -> Capability:
    root = next((mount for mount in seen.mounts if mount.target == "/"), None)
    evidence = "No root mount in mountinfo." if root is None else f"The root is {root.kind}, {_flags(root.options)}."
    return _line("read_only_root", root is not None and "ro" in root.options, evidence, _ENGINE_BUG)


def _scratch(seen: Readings, spec: Spec) -> Capability:
    mount = next((mount for mount in seen.mounts if mount.target == "/tmp"), None)  # noqa: S108 (in the container)
    if mount is None or mount.kind != "tmpfs":
        return Capability("scratch", Level.ABSENT, "There is no tmpfs on /tmp.", _ENGINE_BUG)
    holds = seen.scratch_bytes in (None, spec.scratch_mb * _MIB)
    files = next((option for option in mount.settings if option.startswith("nr_inodes=")), None)
    size = "unknown" if seen.scratch_bytes is None else str(seen.scratch_bytes)
    evidence = f"/tmp is a tmpfs of {size} bytes, {files or 'any number of files'}, {_flags(mount.options)}."  # noqa: S108
    return _line("scratch", holds and files is not None, evidence, _ENGINE_BUG, Level.BEST_EFFORT)


def _flags(options: frozenset[str]) -> str:
    return ",".join(flag for flag in ("ro", "rw", "nosuid", "nodev", "noexec") if flag in options)


def _user_namespace(seen: Readings, spec: Spec) -> Capability:
    evidence = f"uid {spec.uid} inside is uid {seen.uid} outside; the map is {seen.uid_map}."
    mend = "Give the daemon's user at least 65536 subordinate ids in /etc/subuid and /etc/subgid."
    return _line("user_namespace", seen.uid not in (0, spec.uid), evidence, mend)


def _channel(seen: Readings) -> Capability:
    if seen.channel_error is None:
        return Capability("channel", Level.ENFORCED, "/proc/<pid>/root/run/wsmgr can be reached by the daemon's user.")
    evidence = f"/proc/<pid>/root/run/wsmgr is out of reach: {seen.channel_error}."
    mend = "Allow the daemon's user to look into its own containers: no hidepid on /proc, no deny_ptrace."
    return Capability("channel", Level.ABSENT, evidence, mend)


def _log_cap(seen: Readings, spec: Spec) -> Capability:
    evidence = f"The container's monitor runs with --log-size-max {seen.log_max or 'missing'}."
    return _line("log_cap", seen.log_max == str(spec.log_file_bytes), evidence, _ENGINE_BUG)
