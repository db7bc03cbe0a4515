"""Fleets to show, the same each time."""

from __future__ import annotations

import math
from datetime import timedelta

from tests.client import canned
from wsmgr.wire.capability import Capability
from wsmgr.wire.event import Event
from wsmgr.wire.execute import LogEntry
from wsmgr.wire.execution import Execution
from wsmgr.wire.names import ExecutionState, Level, Status
from wsmgr.wire.usage import Gauge, Usage, UsagePoint
from wsmgr.wire.workspace import ResourceUsage, Workspace, WorkspaceHealth

NOW = canned.AT.timestamp()
_PLANS = ("FREE", "PRO", "ENTERPRISE")
_STATUSES: tuple[Status, ...] = ("RUNNING", "RUNNING", "RUNNING", "STOPPED", "RUNNING", "PAUSED", "ERROR", "CREATING")
_REASONS = {
    "RUNNING": "Running.",
    "STOPPED": "Stopped after 60 s without a call; the next call starts it.",
    "PAUSED": "Paused after 30 s without a call.",
    "ERROR": "It exited by itself with code 2, 4 times within 300 s; `wsmgr recover` starts it again.",
    "CREATING": "Waiting for its runtime to answer.",
}


def workspace(key: str, status: Status = "RUNNING", *, number: int = 0, **usage: object) -> Workspace:
    """One workspace with figures that come from its number."""
    base = canned.workspace(key, status, "STOPPED" if status == "STOPPED" else "RUNNING", _REASONS[status])
    runs = status in {"RUNNING", "PAUSED"}
    figures: dict[str, object] = {
        "memory_mb": 20.0 + number * 7 % 108,
        "cpu_percent": number * 13 % 260 / 10,
        "network_in_bytes_per_s": float(number * 311 % 5000),
        "network_out_bytes_per_s": float(number * 97 % 3000),
        "executions_per_min": float(number * 3 % 40),
        "errors_per_min": float(number % 3),
        "network_in_bytes": number * 1_234_567,
        "network_out_bytes": number * 345_678,
        "pids": 9 + number % 5,
        "scratch_mb": number % 7 / 2,
        "throttled_percent": number % 4 * 1.5,
        "p50_ms": 3.0,
        "p95_ms": 12.0 + number % 50,
    }
    plan = _PLANS[number % 3]
    return base.model_copy(
        update={
            "plan": plan,
            "limits": canned.LIMITS.model_copy(update={"memory_mb": (128, 512, 2048)[number % 3]}),
            "resource_usage": ResourceUsage.model_validate((figures | usage) if runs else {}),
            "health": WorkspaceHealth(
                healthy=True if status == "RUNNING" else None,
                consecutive_failures=0,
                uptime=600.0 + number * 60 if runs else None,
                last_check=canned.AT - timedelta(seconds=12) if status == "RUNNING" else None,
                restarts_left=3,
            ),
            "restarts": 2 if number % 9 == 4 else 0,
            "observed_at": canned.AT,
            "pauses_in_seconds": 20.0 if number % 8 == 1 and status == "RUNNING" else None,
            "stops_in_seconds": 45.0 if number % 4 == 1 and runs else None,
            "idle_seconds": 15.0,
            "limits_enforced": {"memory": False, "pids": True},
            "last_activity_at": canned.AT - timedelta(seconds=15),
        }
    )


def fleet(count: int) -> list[Workspace]:
    """So many, in all states."""
    return [
        workspace(f"{'org' if number % 5 == 0 else 'user'}:u{number:04}", _STATUSES[number % 8], number=number)
        for number in range(count)
    ]


def usual() -> list[Workspace]:
    """A handful with names that people have."""
    return [
        workspace("user:alice", number=1),
        workspace("user:bob", "STOPPED", number=2),
        workspace("org:acme", number=3, memory_mb=123.0, cpu_percent=24.0),
        workspace("org:acme~reports", "PAUSED", number=5),
        workspace("user:carol", "ERROR", number=6),
        workspace("user:dave", "CREATING", number=7),
        workspace("user:user9", number=9),
        workspace("user:user10", number=10),
    ]


def long_names() -> list[Workspace]:
    """Ids as long as they may be."""
    wide = workspace("user:" + "very-long-user-id.of-somebody@example.org" * 3, number=4)
    wordy = workspace("org:" + "o" * 128 + "~" + "n" * 32, "ERROR", number=5)
    return [wide, wordy.model_copy(update={"reason": "Wide reason: 幅の広い文字 \x1b[31m and a colour. " * 5})]


def usage(range_: str) -> Usage:
    """Waves, with a hole, and a restart after it."""
    seconds = {"15m": 900, "1h": 3_600, "6h": 21_600, "24h": 86_400}[range_]
    step = max(seconds // 240, 5)
    end = canned.AT
    start = end - timedelta(seconds=seconds)
    points: list[UsagePoint] = []
    count = seconds // step
    for number in range(count):
        if count // 2 < number < count * 6 // 10:
            continue
        wave = math.sin(number / 9)
        points.append(
            UsagePoint(
                at=start + timedelta(seconds=number * step),
                gap_after=number == count // 2,
                cpu_percent=_gauge(12 + 8 * wave),
                cpu_of_limit_percent=_gauge((12 + 8 * wave) * 4),
                memory_mb=_gauge(60 + number % 50),
                memory_limit_mb=_gauge(128),
                network_in_bytes_per_s=_gauge(2000 + 1500 * wave),
                network_out_bytes_per_s=_gauge(900 + 300 * math.cos(number / 5)),
                executions=number % 7,
                errors=int(number % 40 == 0),
                restarts=int(number == count * 6 // 10),
                p50_ms=3.0,
                p95_ms=21.0,
            )
        )
    return Usage(range=range_, step_s=step, from_=start, to=end, points=points)  # type: ignore[arg-type]


def _gauge(value: float) -> Gauge:
    return Gauge(min=value * 0.8, avg=value, max=value * 1.4)


Facts = dict[str, str | int | float | bool | None] | None
_HISTORY: tuple[tuple[str, str, str, Facts, Facts], ...] = (
    ("uid:0", "workspace.stopped", "Asked for.", {"desired": "RUNNING"}, {"desired": "STOPPED"}),
    ("wsmgr", "workspace.ready", "The runtime answers.", None, None),
    ("uid:1000", "plugin.put", "markdown 56ea4e875d00", None, None),
    ("wsmgr", "workspace.failed", "It was killed for lack of memory (OOM); restart 1 of 3.", None, None),
    ("wsmgr", "workspace.idle_stop", "60 s without a call.", None, None),
    ("token:platform", "owner.put", "plan PRO", {"plan": "FREE"}, {"plan": "PRO"}),
)


def events(count: int, workspace_id: str = "user:alice") -> list[Event]:
    """So many, newest first, half a minute apart."""
    return [
        Event(
            id=number, at=canned.AT - timedelta(seconds=30 * (count - number)), actor=actor, action=action,
            reason=reason, workspace=workspace_id, before=before, after=after,
        )
        for number in range(count, 0, -1)
        for actor, action, reason, before, after in [_HISTORY[(count - number) % len(_HISTORY)]]
    ]  # fmt: skip


_V1 = "This host has cgroups v1: boot one with systemd and `systemd.unified_cgroup_hierarchy=1`."


def matrix() -> list[Capability]:
    """As a host with the old control groups has it."""
    said: list[tuple[str, Level, str, str | None]] = [
        ("engine", "enforced", "podman 4.3.1, runc 1.1.5, overlay storage, cgroups v1", None),
        ("memory", "absent", "There is no memory.max behind /proc/<pid>/cgroup.", _V1),
        ("cpu", "absent", "There is no cpu.max behind /proc/<pid>/cgroup.", _V1),
        ("pids", "best effort", "RLIMIT_NPROC is 48; fork was refused after 43 processes.", _V1),
        ("seccomp", "enforced", "Seccomp is 2 in /proc/<pid>/status.", None),
        ("scratch", "enforced", "/tmp is a tmpfs of 8388608 bytes, rw,nosuid,nodev,noexec.", None),
    ]
    return [
        Capability(isolation="container", name=name, level=level, evidence=evidence, mend=mend)
        for name, level, evidence, mend in said
    ]


def executions(count: int) -> list[Execution]:
    """So many, newest first, 20 s apart; the newest still runs, the one before it failed."""
    states: dict[int, ExecutionState] = {count: "running", count - 1: "failed"}
    return [
        canned.execution(f"x{number}", states.get(number, "succeeded")).model_copy(
            update={
                "created_at": canned.AT - timedelta(seconds=20 * (count - number)),
                "input": {"text": f"# Page {number}"},
                "input_kept": number != count - 1,
                "output": {"paragraphs": number},
                "logs": [
                    LogEntry(t=1.5, level="info", message=f"reading {number}"),
                    LogEntry(t=2.25, level="warn", message="a heading is missing"),
                ],
            }
        )
        for number in range(count, 0, -1)
    ]
