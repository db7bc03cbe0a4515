"""What a workspace is denied, seen from the host and not from the container's own word."""

from __future__ import annotations

import os
from pathlib import Path

from tests.contract.engine.eventually import eventually
from tests.contract.engine.rig import MakeSpec
from tests.podman.engine.rig import Podman, peer_uid
from wsmgr.adapters.podman.process import status_fields
from wsmgr.adapters.podman.readings import Mount, parse_mounts
from wsmgr.core.workspace import Running, Spec

DEVICES = {"/null", "/zero", "/full", "/tty", "/random", "/urandom"}


async def _run(podman: Podman, spec: Spec) -> Running:
    await podman.engine.start(await podman.engine.create(spec))
    running = await podman.engine.observe(spec.workspace)
    assert isinstance(running, Running)
    return running


def _file(path: str) -> str:
    return Path(path).read_text()


def _namespace(pid: int | str, kind: str) -> int:
    return Path(f"/proc/{pid}/ns/{kind}").stat().st_ino


def _proc(running: Running, name: str) -> str:
    return _file(f"/proc/{running.endpoint.pid}/{name}")


def _mounts(running: Running) -> dict[str, Mount]:
    return {mount.target: mount for mount in parse_mounts(_proc(running, "mountinfo"))}


async def test_no_privilege_is_left(podman_: Podman, spec: MakeSpec) -> None:
    """No capability in any set, no way to gain one, a seccomp filter; this test's own process has none of that."""
    seen = status_fields(_proc(await _run(podman_, spec("user:a")), "status"))
    for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(seen[field], 16) == 0
    assert (seen["NoNewPrivs"], seen["Seccomp"]) == ("1", "2")
    own = status_fields(_file("/proc/self/status"))
    assert (own["NoNewPrivs"], own["Seccomp"]) != ("1", "2")


async def test_no_path_of_the_host_is_shown(podman_: Podman, spec: MakeSpec) -> None:
    """Every mount is a file system of the container's own or a device; only the overlay's own line names layers."""
    mounts = _mounts(await _run(podman_, spec("user:a")))
    for mount in mounts.values():
        if mount.kind == "devtmpfs":
            assert mount.root in DEVICES
        elif mount.kind == "proc":
            assert mount.target.startswith("/proc")
        else:
            assert mount.root == "/"
    assert {mount.target for mount in mounts.values() if mount.kind == "overlay"} == {"/"}
    home = str(Path.home())
    elsewhere = [mount for mount in mounts.values() if mount.kind != "overlay"]
    assert not [mount for mount in elsewhere if home in str(mount)]
    assert home in str(mounts["/"])


async def test_the_root_is_read_only_and_scratch_is_sized(podman_: Podman, spec: MakeSpec) -> None:
    """The only writable places are sized tmpfs mounts on which nothing executes."""
    mounts = _mounts(await _run(podman_, spec("user:a")))
    assert "ro" in mounts["/"].options
    for target, settings in {
        "/tmp": {"size=16384k", "nr_inodes=4096"},
        "/run/wsmgr": {"size=64k", "nr_inodes=64"},
        "/plugins": {"size=32768k", "nr_inodes=8192"},
    }.items():
        assert mounts[target].kind == "tmpfs"
        assert {"rw", "nosuid", "nodev", "noexec"} <= mounts[target].options
        assert settings <= mounts[target].settings
    assert "ro" in mounts["/sys/fs/cgroup"].options
    assert "/dev/shm" not in mounts
    writable = {target for target, mount in mounts.items() if "rw" in mount.options and mount.kind == "tmpfs"}
    # /dev belongs to the container's root, who is nobody in here.
    assert writable == {"/tmp", "/run/wsmgr", "/plugins", "/dev"}


async def test_no_network_but_loopback(podman_: Podman, spec: MakeSpec) -> None:
    """The only interface is lo, in a network namespace that is not the host's."""
    running = await _run(podman_, spec("user:a"))
    names = [line.partition(":")[0].strip() for line in _proc(running, "net/dev").splitlines()[2:]]
    assert names == ["lo"]
    for kind in ("net", "pid", "ipc", "uts", "mnt", "cgroup", "user"):
        assert _namespace(running.endpoint.pid, kind) != _namespace("self", kind), kind


async def test_every_slot_has_a_uid_of_its_own(podman_: Podman, spec: MakeSpec) -> None:
    """Two workspaces are two users on the host, neither of them the daemon's, and both listen as themselves."""
    runs = [await _run(podman_, spec("user:a", slot=0)), await _run(podman_, spec("user:b", slot=1))]
    uids = [run.endpoint.uid for run in runs]
    assert uids[1] == uids[0] + 1
    assert os.getuid() not in uids
    for run in runs:
        assert status_fields(_proc(run, "status"))["Uid"].split() == [str(run.endpoint.uid)] * 4

        async def listener(run: Running = run) -> int | None:
            try:
                return peer_uid(run.endpoint)
            except OSError:
                return None

        assert await eventually(listener) == run.endpoint.uid


async def test_resource_limits_of_the_process(podman_: Podman, spec: MakeSpec) -> None:
    """The hard limits are the spec's, and the host's killer of last resort takes a workspace before the daemon."""
    running = await _run(podman_, spec("user:a"))
    limits = {line[:26].strip(): line[26:].split()[:2] for line in _proc(running, "limits").splitlines()}
    assert limits["Max open files"] == ["256", "256"]
    # One more than the group's limit, which then is the one that refuses and counts.
    assert limits["Max processes"] == ["65", "65"]
    assert limits["Max core file size"] == ["0", "0"]
    assert int(_proc(running, "oom_score_adj")) == 500
