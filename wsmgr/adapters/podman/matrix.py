"""From what was read about a probe container to the capability matrix. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from wsmgr.adapters.podman import mends
from wsmgr.adapters.podman.facts import EngineFacts
from wsmgr.adapters.podman.limits import LimitJudge
from wsmgr.adapters.podman.readings import Readings
from wsmgr.adapters.podman.trial import Trial
from wsmgr.core.capability import Capability, Level
from wsmgr.core.workspace import Spec

NAMES = (
    "engine", "memory", "cpu", "pids", "freeze", "no_new_privileges", "seccomp", "capabilities", "network",
    "read_only_root", "scratch", "user_namespace", "channel", "log_cap",
)  # fmt: skip

_MIB = 1024 * 1024


def not_probed(reason: str, mend: str) -> list[Capability]:
    """The matrix when no probe container could be looked at: nothing is known to hold."""
    return [Capability(name, Level.ABSENT, f"No probe ran: {reason}", mend) for name in NAMES]


def matrix(seen: Readings, spec: Spec, facts: EngineFacts, warnings: Sequence[str], trial: Trial) -> list[Capability]:
    """One line for each of NAMES. `warnings` are podman's own words at the creation of the probe."""
    limits = LimitJudge(seen, spec, facts, warnings, trial)
    return [
        _engine(facts),
        limits.memory(),
        limits.cpu(),
        limits.pids(),
        limits.freeze(),
        _status("no_new_privileges", seen, "NoNewPrivs", "1"),
        _status("seccomp", seen, "Seccomp", "2"),
        _capabilities(seen),
        _network(seen),
        _read_only_root(seen),
        _scratch(seen, spec),
        _user_namespace(seen, spec, facts),
        _channel(seen),
        _log_cap(seen, spec),
    ]


def _line(name: str, holds: bool, evidence: str, mend: str, otherwise: Level = Level.ABSENT) -> Capability:
    return Capability(name, Level.ENFORCED, evidence) if holds else Capability(name, otherwise, evidence, mend)


def _engine(facts: EngineFacts) -> Capability:
    return _line("engine", facts.storage != "vfs", str(facts), mends.STORAGE, Level.BEST_EFFORT)


def _status(name: str, seen: Readings, field: str, wanted: str) -> Capability:
    value = seen.status.get(field, "missing")
    return _line(name, value == wanted, f"{field} is {value} in /proc/<pid>/status.", mends.ENGINE_BUG)


def _capabilities(seen: Readings) -> Capability:
    sets = {field: seen.status.get(field, "missing") for field in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "CapInh")}
    evidence = f"{', '.join(f'{field} {value}' for field, value in sets.items())} in /proc/<pid>/status."
    return _line("capabilities", all(set(value) == {"0"} for value in sets.values()), evidence, mends.ENGINE_BUG)


def _network(seen: Readings) -> Capability:
    evidence = f"The interfaces in /proc/<pid>/net/dev are: {', '.join(seen.interfaces) or 'none'}."
    return _line("network", set(seen.interfaces) <= {"lo"}, evidence, mends.ENGINE_BUG)


def _read_only_root(seen: Readings) -> Capability:
    root = next((mount for mount in seen.mounts if mount.target == "/"), None)
    evidence = "No root mount in mountinfo." if root is None else f"The root is {root.kind}, {_flags(root.options)}."
    return _line("read_only_root", root is not None and "ro" in root.options, evidence, mends.ENGINE_BUG)


def _scratch(seen: Readings, spec: Spec) -> Capability:
    mount = next((mount for mount in seen.mounts if mount.target == "/tmp"), None)  # noqa: S108 (in the container)
    if mount is None or mount.kind != "tmpfs":
        return Capability("scratch", Level.ABSENT, "There is no tmpfs on /tmp.", mends.ENGINE_BUG)
    holds = seen.scratch_bytes in (None, spec.scratch_mb * _MIB)
    files = next((option for option in mount.settings if option.startswith("nr_inodes=")), None)
    size = "unknown" if seen.scratch_bytes is None else str(seen.scratch_bytes)
    evidence = f"/tmp is a tmpfs of {size} bytes, {files or 'any number of files'}, {_flags(mount.options)}."  # noqa: S108
    return _line("scratch", holds and files is not None, evidence, mends.ENGINE_BUG, Level.BEST_EFFORT)


def _flags(options: frozenset[str]) -> str:
    return ",".join(flag for flag in ("ro", "rw", "nosuid", "nodev", "noexec") if flag in options)


def _user_namespace(seen: Readings, spec: Spec, facts: EngineFacts) -> Capability:
    evidence = f"uid {spec.uid} inside is uid {seen.uid} outside; the map is {seen.uid_map}."
    return _line("user_namespace", seen.uid not in (0, spec.uid), evidence, mends.subordinate_ids(facts))


def _channel(seen: Readings) -> Capability:
    if seen.channel_error is None:
        evidence = "/proc/<pid>/root/run/wsmgr is reached by the daemon's user, who can make a folder of its own there."
        return Capability("channel", Level.ENFORCED, evidence)
    evidence = f"/proc/<pid>/root/run/wsmgr is out of reach: {seen.channel_error}."
    mend = "Allow the daemon's user to look into its own containers: no hidepid on /proc, no deny_ptrace."
    return Capability("channel", Level.ABSENT, evidence, mend)


def _log_cap(seen: Readings, spec: Spec) -> Capability:
    evidence = f"The container's monitor runs with --log-size-max {seen.log_max or 'missing'}."
    return _line("log_cap", seen.log_max == str(spec.log_file_bytes), evidence, mends.ENGINE_BUG)
