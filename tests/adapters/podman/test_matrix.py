"""The capability matrix, from readings of hosts of every kind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from wsmgr.adapters.podman.facts import EngineFacts
from wsmgr.adapters.podman.matrix import NAMES, matrix, not_probed
from wsmgr.adapters.podman.readings import Mount, Readings, parse_mounts, read_process
from wsmgr.adapters.podman.trial import Report, Trial
from wsmgr.core.capability import Capability, Level
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Spec

SPEC = Spec(
    workspace=WorkspaceId("probe"),
    isolation=Isolation.CONTAINER,
    image="i",
    uid=9999,
    generation=0,
    memory_mb=96,
    cpus=0.5,
    pids=48,
    nofile=256,
    scratch_mb=8,
    concurrency=1,
    input_bytes=1,
    output_bytes=1,
    log_bytes=1,
)
FACTS = EngineFacts("5.4.2", "crun 1.21", "v2", ("cpu", "memory", "pids"), "overlay")
FLAGS = frozenset({"rw", "nosuid", "nodev", "noexec"})
GOOD = Readings(
    uid=209_998,
    uid_map="0 999 1 1 200000 65536",
    status={
        **dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), "0" * 16),
        "NoNewPrivs": "1",
        "Seccomp": "2",
    },
    interfaces=("lo",),
    mounts=(
        Mount("/", "/", "overlay", frozenset({"ro"}), frozenset({"rw"})),
        Mount("/", "/tmp", "tmpfs", FLAGS, frozenset({"size=8192k", "nr_inodes=2048"})),
    ),
    nproc="49",
    cgroup_files={
        "memory.max": str(96 * 1024 * 1024),
        "memory.swap.max": "0",
        "cpu.max": "50000 100000",
        "pids.max": "48",
    },
    scratch_bytes=8 * 1024 * 1024,
    channel_error=None,
    log_max="1048576",
)


HELD = Trial(
    Report(forks=37, refused="EAGAIN", burn_ms=400, cpu_ms=210, greedy="SIGKILL", done=True),
    {"oom_kill": 1, "max": 2, "nr_throttled": 4},
    freezable=True,
)
"""What is seen where every limit holds."""


def _lines(
    seen: Readings, facts: EngineFacts = FACTS, warnings: tuple[str, ...] = (), trial: Trial = HELD
) -> dict[str, Capability]:
    return {line.name: line for line in matrix(seen, SPEC, facts, warnings, trial)}


def test_a_good_host_enforces_everything() -> None:
    """With delegated cgroups v2, and limits that were seen to hold when they were tried."""
    lines = _lines(GOOD)
    assert tuple(lines) == NAMES
    assert {name for name, line in lines.items() if line.level is not Level.ENFORCED} == set()


BAD_STATUS = {**GOOD.status, "NoNewPrivs": "0", "Seccomp": "0", "CapBnd": "00000000800405fb"}


@pytest.mark.parametrize(
    ("seen", "name", "level"),
    [
        (replace(GOOD, status=BAD_STATUS), "no_new_privileges", Level.ABSENT),
        (replace(GOOD, status=BAD_STATUS), "seccomp", Level.ABSENT),
        (replace(GOOD, status=BAD_STATUS), "capabilities", Level.ABSENT),
        (replace(GOOD, interfaces=("lo", "tap0")), "network", Level.ABSENT),
        (replace(GOOD, mounts=()), "read_only_root", Level.ABSENT),
        (replace(GOOD, mounts=()), "scratch", Level.ABSENT),
        (replace(GOOD, scratch_bytes=1 << 40), "scratch", Level.BEST_EFFORT),
        (replace(GOOD, uid=9999), "user_namespace", Level.ABSENT),
        (replace(GOOD, channel_error="[Errno 13] Permission denied"), "channel", Level.ABSENT),
        (replace(GOOD, log_max=None), "log_cap", Level.ABSENT),
    ],
)
def test_what_does_not_hold_is_said(seen: Readings, name: str, level: Level) -> None:
    """A missing means lowers exactly its own line, with evidence and a mend."""
    line = _lines(seen)[name]
    assert line.level is level
    assert line.evidence
    assert line.mend


def test_podmans_own_words_are_the_evidence() -> None:
    """On a host that drops limits, the warning that podman gave at creation is shown."""
    facts = replace(FACTS, cgroups="v1", controllers=())
    lines = _lines(replace(GOOD, cgroup_files={}), facts, ("Resource limits are not supported",))
    assert "Podman said: Resource limits are not supported." in lines["memory"].evidence
    assert "cgroups v1" in lines["memory"].evidence


def test_a_copying_storage_driver_is_pointed_out() -> None:
    """vfs works and is slow."""
    assert _lines(GOOD, replace(FACTS, storage="vfs"))["engine"].level is Level.BEST_EFFORT


def test_without_a_probe_nothing_is_claimed() -> None:
    """No container, no capability."""
    lines = not_probed("no image", "make it")
    assert tuple(line.name for line in lines) == NAMES
    assert {line.level for line in lines} == {Level.ABSENT}


def test_readings_of_a_process(tmp_path: Path) -> None:
    """Every file is read from where the kernel has it; limits are found above the process's own group."""
    handle = "c" * 64
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    folder = proc / "42"
    (folder / "net").mkdir(parents=True)
    (folder / "root/run/wsmgr").mkdir(parents=True)
    (folder / "root/tmp").mkdir()
    (folder / "status").write_text("Uid:\t209998\t209998\t209998\t209998\nSeccomp:\t2\n")
    (folder / "uid_map").write_text("  0 999 1\n  1 200000 65536\n")
    (folder / "net/dev").write_text("Inter-|\n face |bytes\n    lo: 0 0\n  tap0: 0 0\n")
    (folder / "mountinfo").write_text("124 81 0:52 / / ro,relatime shared:1 - overlay overlay rw,lowerdir=/l\n")
    (folder / "limits").write_text(
        "Limit  Soft  Hard  Units\nMax processes             48                   48    processes\n"
    )
    (folder / "cgroup").write_text(f"0::/user.slice/libpod-{handle}.scope/container\n")
    scope = cgroups / f"user.slice/libpod-{handle}.scope"
    (scope / "container").mkdir(parents=True)
    (cgroups / "cgroup.controllers").write_text("cpu memory pids\n")
    (scope / "memory.max").write_text("100\n")
    (scope / "container/memory.max").write_text("max\n")
    (cgroups / "user.slice/memory.max").write_text("5\n")
    (proc / "41").mkdir()
    (proc / "41/cmdline").write_bytes(b"/usr/bin/conmon\0--log-size-max\0001000\0-x\0")
    seen = read_process(42, handle, 41, proc, cgroups)
    assert (seen.uid, seen.uid_map, seen.interfaces, seen.nproc) == (
        209_998,
        "0 999 1 1 200000 65536",
        ("lo", "tap0"),
        "48",
    )
    assert seen.mounts == (Mount("/", "/", "overlay", frozenset({"ro", "relatime"}), frozenset({"rw", "lowerdir=/l"})),)
    assert seen.cgroup_files == {"memory.max": "100"}
    assert (seen.channel_error, seen.log_max) == (None, "1000")
    assert read_process(42, handle, 43, proc, cgroups).log_max is None


def test_a_hybrid_host_has_no_readable_limits(tmp_path: Path) -> None:
    """Without a v2 tree at the top, the line `0::` in /proc/<pid>/cgroup means nothing."""
    assert parse_mounts("") == ()
    folder = tmp_path / "42"
    (folder / "net").mkdir(parents=True)
    for name, text in {
        "status": "Uid:\t1\t1\t1\t1\n",
        "uid_map": "0 1 1\n",
        "net/dev": "",
        "mountinfo": "",
        "limits": "",
    }.items():
        (folder / name).write_text(text)
    (folder / "cgroup").write_text("0::/abc\n")
    seen = read_process(42, "abc", 1, tmp_path, tmp_path / "cgroup")
    assert seen.cgroup_files == {}
    assert seen.channel_error is not None
