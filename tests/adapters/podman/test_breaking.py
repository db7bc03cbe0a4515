"""Looking on at a breaking probe, in folders that look like /proc; each way in which it does not report."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.adapters.podman.test_matrix import GOOD, SPEC
from wsmgr.adapters.podman.body import create_body
from wsmgr.adapters.podman.breaker import REPORT, breaker_body
from wsmgr.adapters.podman.breaking import watch_breaker
from wsmgr.adapters.podman.trial import Report, Trial, attempt_on

ID = "c" * 64
STAT = "42 (catatonit) S " + " ".join(["0"] * 18) + " 77\n"


@pytest.fixture
def tmp(tmp_path: Path) -> Path:
    """The container's /tmp; its main process, 42, lives."""
    folder = tmp_path / "proc/42/root/tmp"
    folder.mkdir(parents=True)
    (tmp_path / "proc/42/stat").write_text(STAT)
    (tmp_path / "proc/42/cgroup").write_text(f"0::/libpod-{ID}.scope\n")
    (tmp_path / f"cgroup/libpod-{ID}.scope").mkdir(parents=True)
    (tmp_path / "cgroup/cgroup.controllers").touch()
    return folder


async def _watched(tmp: Path, timeout_s: float = 0.0) -> Trial:
    base = tmp.parents[3]
    return await watch_breaker(42, ID, timeout_s, proc=base / "proc", cgroups=base / "cgroup")


async def test_a_report_comes_with_the_kernels_counts(tmp: Path) -> None:
    """Both from outside of the container."""
    (tmp / REPORT).write_text('{"forks": 30, "refused": "EAGAIN", "done": true}')
    (tmp.parents[3] / f"cgroup/libpod-{ID}.scope/pids.events").write_text("max 1\n")
    assert await _watched(tmp, 5.0) == Trial(Report(forks=30, refused="EAGAIN", done=True), {"max": 1})


async def test_a_script_that_hangs_is_not_waited_for(tmp: Path) -> None:
    """What it came to is used."""
    (tmp / REPORT).write_text('{"forks": 30, "refused": "EAGAIN"}')
    seen = await _watched(tmp, 0.01)
    assert (seen.report.forks, seen.unfinished) == (30, "it took longer than 0.01 s")


async def test_a_container_that_ended_is_not_waited_for(tmp: Path) -> None:
    """However much time there is."""
    (tmp.parents[1] / "stat").write_text(STAT.replace(" S ", " Z "))
    assert (await _watched(tmp, 60.0)).unfinished == "its main process ended"


async def test_a_link_a_pipe_a_flood_and_nonsense_are_no_reports(tmp: Path) -> None:
    """The file is the container's: nothing on the host is opened, nothing is waited for, little is read."""
    secret = tmp.parents[3] / "secret"
    secret.write_text('{"forks": 1, "done": true}')
    (tmp / REPORT).symlink_to(secret)
    assert "Too many levels of symbolic links" in str((await _watched(tmp)).unfinished)
    (tmp / REPORT).unlink()
    os.mkfifo(tmp / REPORT)
    assert "it is no file" in str((await _watched(tmp)).unfinished)
    (tmp / REPORT).unlink()
    (tmp / REPORT).write_text(" " * 5000)
    assert "more than 4096 bytes" in str((await _watched(tmp)).unfinished)
    (tmp / REPORT).write_text("nonsense")
    assert "cannot be read" in str((await _watched(tmp)).unfinished)


async def test_a_container_out_of_reach_says_so(tmp: Path) -> None:
    """As where /proc is hidden."""
    proc = tmp.parents[3]
    seen = await watch_breaker(41, ID, 60.0, proc=proc, cgroups=proc)
    assert seen == Trial(unfinished="its /tmp is out of reach: No such file or directory")


@pytest.mark.parametrize(("by_group", "nproc"), [(False, SPEC.pids + 1), (True, 4 * (SPEC.pids + 16))])
def test_a_breaker_is_a_workspace_with_another_program(by_group: bool, nproc: int) -> None:
    """The limits that are tried are a workspace's; the rlimit stands aside only where the group's limit is tried."""
    body = create_body(SPEC, name="n", labels={})
    changed = breaker_body(body, attempt_on(SPEC, GOOD.cgroup_files), by_group=by_group)
    assert {key for key in changed if changed[key] != body.get(key)} - {"r_limits"} == {"entrypoint", "command"}
    assert changed["resource_limits"] == body["resource_limits"]
    limits = changed["r_limits"]
    assert isinstance(limits, list)
    assert {limit["type"]: limit["soft"] for limit in limits} == {"nofile": SPEC.nofile, "nproc": nproc, "core": 0}
