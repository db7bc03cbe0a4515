"""Every limit with its name, its unit and its bounds: by it plan files, overrides and requests are checked alike.

A limit has one name everywhere outside the code (plan files, the API, the command line), in camelCase, and its unit
there. Inside it is a field of `Limits`.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from wsmgr.core.errors import InvalidRequest
from wsmgr.core.limits import MIB, Limits

LimitValue = int | float | bool


@dataclass(frozen=True, slots=True)
class LimitRule:
    """One limit. `least` and `most` are in the unit of `name`, of which `scale` make one of the field's."""

    name: str
    field: str
    kind: type[int | float | bool]
    least: float
    most: float
    about: str
    scale: int = 1

    @property
    def form(self) -> str:
        """What a value must be, as the end of a sentence."""
        if self.kind is bool:
            return "true or false"
        return f"a {'whole ' if self.kind is int else ''}number from {self.least:.12g} to {self.most:.12g}"

    def takes(self, value: object) -> bool:
        """Whether a value is of the right type and within the bounds."""
        if self.kind is bool or isinstance(value, bool):
            return self.kind is bool and isinstance(value, bool)
        if not isinstance(value, int if self.kind is int else (int, float)):
            return False
        return math.isfinite(value) and self.least <= value <= self.most


_DAY_MS = 86_400_000
_YEAR_S = 31_536_000
_TIB_MB = 1_048_576

RULES = (
    LimitRule("memoryMb", "memory_mb", int, 32, _TIB_MB, "memory of a workspace, MiB; swap is 0"),
    LimitRule("cpus", "cpus", float, 0.01, 1024, "cores of a workspace"),
    LimitRule("maxConcurrentWorkspaces", "max_workspaces", int, 0, 10_000, "workspaces of an owner that hold memory"),
    LimitRule("idleTimeoutSeconds", "idle_timeout_s", int, 0, _YEAR_S, "idle seconds before STOPPED; 0: never"),
    LimitRule("pauseAfterSeconds", "pause_after_s", int, 0, _YEAR_S, "idle seconds before PAUSED; 0: never"),
    LimitRule("pids", "pids", int, 16, 32_768, "processes and threads of a workspace"),
    LimitRule("nofile", "nofile", int, 64, 1_048_576, "open files of a process"),
    LimitRule("scratchMb", "scratch_mb", int, 1, _TIB_MB, "size of /tmp, MiB"),
    LimitRule("dataMb", "data_mb", int, 0, _TIB_MB, "size of the persistent /data, MiB; 0: none"),
    LimitRule("executionTimeoutMs", "execution_timeout_s", int, 1, _DAY_MS, "a call's time when none is asked", 1000),
    LimitRule("maxExecutionTimeoutMs", "max_execution_timeout_s", int, 1, _DAY_MS, "the most of it in any case", 1000),
    LimitRule("concurrentExecutions", "concurrent_executions", int, 1, 256, "calls of a workspace that run at once"),
    LimitRule("queueLength", "queue_length", int, 0, 100_000, "calls of a workspace that wait for their turn"),
    LimitRule("queueTimeoutMs", "queue_timeout_s", int, 1, 3_600_000, "for how long a call waits for it", 1000),
    LimitRule("asyncQueueLength", "async_queue_length", int, 0, 100_000, "calls of an owner queued by mode=async"),
    LimitRule("inputBytes", "input_bytes", int, 1024, 16 * MIB, "a call's input"),
    LimitRule("outputBytes", "output_bytes", int, 1024, 64 * MIB, "a call's output"),
    LimitRule("logBytes", "log_bytes", int, 0, 16 * MIB, "what a call may print; the rest is left out"),
    LimitRule("pluginBytes", "plugin_bytes", int, 1024, 32 * MIB, "one version of a plugin"),
    LimitRule("maxPlugins", "max_plugins", int, 0, 100_000, "plugins of an owner"),
    LimitRule("pluginVersionsKept", "plugin_versions_kept", int, 1, 10_000, "versions kept of each, the newest"),
    LimitRule("ratePerSecond", "rate_per_s", float, 0, 1_000_000, "calls of an owner in the long run; 0: any number"),
    LimitRule("rateBurst", "rate_burst", int, 1, 10_000_000, "calls of an owner at once after a pause"),
    LimitRule("restarts", "restarts", int, 0, 100, "restarts after failures within the window, before ERROR"),
    LimitRule("restartWindowSeconds", "restart_window_s", int, 1, 86_400, "that window"),
    LimitRule("ownerMemoryMb", "owner_memory_mb", int, 0, 1024 * _TIB_MB, "all that an owner's workspaces hold"),
    LimitRule("ownerCpus", "owner_cpus", float, 0, 1_048_576, "the same, cores"),
    LimitRule("ownerPids", "owner_pids", int, 0, 2**30, "the same, processes and threads"),
    LimitRule("ownerScratchMb", "owner_scratch_mb", int, 0, 1024 * _TIB_MB, "the same, /tmp"),
    LimitRule("ownerConcurrentExecutions", "owner_executions", int, 0, 1_000_000, "calls of an owner that run at once"),
    LimitRule("requireEnforcedLimits", "require_enforced", bool, 0, 1, "refuse hosts that cannot enforce the limits"),
)
"""In the order in which people read them. An `owner…` limit of 0 is maxConcurrentWorkspaces times the workspace's."""

BY_NAME: Mapping[str, LimitRule] = MappingProxyType({rule.name: rule for rule in RULES})


def rule_named(name: str) -> LimitRule:
    """The rule of a limit. Raises InvalidRequest, with the name that was probably meant."""
    rule = BY_NAME.get(name)
    if rule is None:
        meant = difflib.get_close_matches(name, BY_NAME, 1)
        raise InvalidRequest(f"There is no limit {name[:80]!r}" + (f"; {meant[0]} may be meant." if meant else "."))
    return rule


def named_limits(limits: Limits) -> dict[str, LimitValue]:
    """Every limit by its name and in its unit."""
    return {rule.name: _outside(rule, getattr(limits, rule.field)) for rule in RULES}


def differences(before: Limits, after: Limits) -> dict[str, tuple[LimitValue, LimitValue]]:
    """The limits that are not the same, by name."""
    old, new = named_limits(before), named_limits(after)
    return {name: (old[name], new[name]) for name in old if old[name] != new[name]}


def overridden(limits: Limits, overrides: Mapping[str, LimitValue]) -> Limits:
    """The limits with the overrides applied. One that another version of wsmgr stored, and this one does not take, is
    passed over."""
    known = ((BY_NAME.get(name), value) for name, value in overrides.items())
    fields: dict[str, Any] = {rule.field: _inside(rule, value) for rule, value in known if rule and rule.takes(value)}
    return replace(limits, **fields)


def check_overrides(overrides: Mapping[str, LimitValue]) -> None:
    """Raises InvalidRequest, whose `details` name the limit, when one is unknown, of another type or out of bounds."""
    for name, value in overrides.items():
        rule = rule_named(name)
        if not rule.takes(value):
            raise InvalidRequest(f"{name} is {value!r}: it must be {rule.form}.", details={"limit": name})


def _outside(rule: LimitRule, value: LimitValue) -> LimitValue:
    return round(value * rule.scale) if rule.scale != 1 else value


def _inside(rule: LimitRule, value: LimitValue) -> LimitValue:
    if rule.scale != 1:
        return value / rule.scale
    return float(value) if rule.kind is float else value
