"""The port on the real /proc: what belongs to a workspace, what belongs to the host, and what has gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.adapters.host.conftest import Start, question
from wsmgr.adapters.host import ProcMeter, network, scratch
from wsmgr.adapters.host.meter import LOOKS_PAST
from wsmgr.adapters.host.network import NO_TRAFFIC, Traffic

MIB = 2**20
WAITS = "print('ready', flush=True); input()"
DEV = b"""Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier
    lo: 9999      99    0    0    0     0          0         0     9999      99    0    0    0     0       0          0
  tap0: 1000      10    0    0    0     0          0         0      500       5    0    0    0     0       0          0
eth0.1:1          1     0    0    0     0          0         0        2       1    0    0    0     0       0          0
"""


@pytest.fixture
def meter(tmp_path: Path) -> ProcMeter:
    """On the real /proc."""
    return ProcMeter(tmp_path / "not" / "made" / "yet")


def test_the_loopback_is_not_counted() -> None:
    """What goes over it leaves nobody's house."""
    assert network.parse(DEV) == Traffic(2, 1001, 502)
    assert network.parse(b"\n".join(DEV.splitlines()[:3])) == NO_TRAFFIC


def test_a_plain_process_has_no_network_and_scratch_of_its_own(meter: ProcMeter, start: Start) -> None:
    """The host's traffic and the host's /tmp are not taken for its."""
    (use,) = meter.workspaces([question(start(WAITS).pid)])
    assert use is not None
    assert use.tasks == 1
    assert (use.network_in_bytes, use.network_out_bytes, use.scratch_bytes) == (None, None, None)


def test_processes_are_left_out_where_a_group_counts_them(meter: ProcMeter, start: Start) -> None:
    """Asked together with one of which they are wanted."""
    one, other = start(WAITS), start(WAITS)
    first, second = meter.workspaces([question(one.pid, tree=False), question(other.pid)])
    assert first is not None
    assert second is not None
    assert (first.cpu_s, first.memory_bytes, first.tasks) == (None, None, None)
    assert second.memory_bytes is not None
    assert second.memory_bytes > MIB
    (alone,) = meter.workspaces([question(one.pid, tree=False)])
    assert alone == first


@pytest.mark.parametrize("tree", [True, False])
def test_one_that_has_gone_is_none(meter: ProcMeter, start: Start, tree: bool) -> None:
    """And the others are there."""
    gone, there = start(WAITS), start(WAITS)
    asked = [question(gone.pid, tree=tree), question(there.pid, tree=tree)]
    assert None not in meter.workspaces(asked)
    gone.kill()
    gone.wait(10)
    first, second = meter.workspaces(asked)
    assert first is None
    assert second is not None


def test_a_pid_that_was_given_to_another_process_is_not_trusted(tmp_path: Path) -> None:
    """Another start time: it is somebody else's use."""
    folder = tmp_path / "7"
    folder.mkdir()
    stat = "7 (x) S 1 7 7 0 -1 0 0 0 0 0 100 0 0 0 20 0 1 0 {start} 0 0 0"
    (folder / "statm").write_text("900 300 100 1 0 500 0")
    meter = ProcMeter(tmp_path, str(tmp_path))
    answers = []
    for start in (999, 999, 1000):
        (folder / "stat").write_text(stat.format(start=start))
        answers.append(meter.workspaces([question(7, "box@999")])[0] is not None)
    assert answers == [True, True, False]
    # It was asked about that pid as another instance: that one is trusted.
    assert meter.workspaces([question(7, "box@1000")])[0] is not None


def test_a_network_without_interfaces_is_looked_at_now_and_then(tmp_path: Path) -> None:
    """And when one appears all that went over it is counted."""
    folder = tmp_path / "7"
    for name in ("7/ns", "7/net", "self/ns"):
        (tmp_path / name).mkdir(parents=True)
    (folder / "stat").write_text("7 (x) S 1 7 7 0 -1 0 0 0 0 0 100 0 0 0 20 0 1 0 999 0 0 0")
    (folder / "ns" / "net").touch()
    (tmp_path / "self" / "ns" / "net").touch()
    dev = folder / "net" / "dev"
    dev.write_bytes(b"\n".join(DEV.splitlines()[:3]))
    meter = ProcMeter(tmp_path, str(tmp_path))
    asked = [question(7)]
    found = []
    for _ in range(LOOKS_PAST + 2):
        (use,) = meter.workspaces(asked)
        assert use is not None
        found.append(use.network_in_bytes)
        dev.write_bytes(DEV)
    assert found == [*[0] * LOOKS_PAST, 1001, 1001]


def test_scratch_is_asked_of_the_file_system_and_no_link_is_followed(tmp_path: Path) -> None:
    """A workspace that could put a link there would make the daemon look at the host's disks."""
    root = tmp_path / "7" / "root"
    (root / "tmp").mkdir(parents=True)
    seen = scratch.look(str(tmp_path), 7)
    system = os.statvfs(tmp_path)
    assert seen is not None
    assert not seen.full
    assert seen.used == pytest.approx((system.f_blocks - system.f_bfree) * system.f_frsize, rel=0.05)
    (root / "tmp").rmdir()
    (root / "tmp").symlink_to("/proc")
    assert scratch.look(str(tmp_path), 7) is None
    (root / "tmp").unlink()
    (root / "tmp").touch()
    assert scratch.look(str(tmp_path), 7) is None
    assert scratch.look(str(tmp_path), 8) is None


def test_the_host_has_figures(meter: ProcMeter, start: Start) -> None:
    """CPU from the second look on; the disk also before the daemon's folder is made."""
    first = meter.host()
    assert first.cpu_percent is None
    start("import time\nwhile time.process_time() < .2: pass\nprint('ready', flush=True); input()")
    second = meter.host()
    assert second.cpu_percent is not None
    assert 0 < second.cpu_percent <= 100
    assert 0 < second.memory_used_bytes < second.memory_total_bytes
    assert second.disk_used_bytes is not None
    assert second.disk_total_bytes is not None
    assert 0 < second.disk_used_bytes < second.disk_total_bytes
    assert len(second.load_average) == 3
