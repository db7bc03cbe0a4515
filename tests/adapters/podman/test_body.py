"""The create body, flag by flag: a hardening that gets lost is seen here before any container is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from wsmgr.adapters.podman.body import create_body, workspace_labels
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Spec

SPEC = Spec(
    workspace=WorkspaceId("user:alice"),
    isolation=Isolation.CONTAINER,
    image="localhost/wsmgr-node:1",
    uid=10_007,
    generation=3,
    memory_mb=128,
    cpus=0.25,
    pids=64,
    nofile=256,
    scratch_mb=32,
    concurrency=4,
    input_bytes=1000,
    output_bytes=2000,
    log_bytes=3000,
    log_file_bytes=4000,
)


def _body(spec: Spec = SPEC) -> dict[str, Any]:
    return create_body(spec, name="wsmgr-x", labels=workspace_labels("main", spec))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "wsmgr-x"),
        ("image", "localhost/wsmgr-node:1"),
        ("user", "10007:10007"),
        ("privileged", False),
        ("cap_drop", ["ALL"]),
        ("cap_add", []),
        ("no_new_privileges", True),
        ("read_only_filesystem", True),
        ("read_write_tmpfs", False),
        ("image_volume_mode", "ignore"),
        ("manage_password", False),
        ("use_image_hosts", True),
        ("use_image_resolve_conf", True),
        ("netns", {"nsmode": "none"}),
        ("pidns", {"nsmode": "private"}),
        ("ipcns", {"nsmode": "none"}),
        ("utsns", {"nsmode": "private"}),
        ("cgroupns", {"nsmode": "private"}),
        ("httpproxy", False),
        ("env_host", False),
        ("restart_policy", "no"),
        ("remove", False),
        ("healthconfig", {"Test": ["NONE"]}),
        ("stop_timeout", 5),
        ("init", False),
        ("systemd", "false"),
        ("log_configuration", {"driver": "k8s-file", "size": 4000}),
        ("oom_score_adj", 500),
    ],
)
def test_every_denial_is_in_the_body(field: str, value: object) -> None:
    """Each field has exactly the value that hardens."""
    assert _body()[field] == value


@pytest.mark.parametrize("field", ["seccomp_policy", "seccomp_profile_path", "volumes", "devices", "portmappings"])
def test_nothing_loosens(field: str) -> None:
    """No field switches seccomp off or brings in volumes, devices or ports."""
    assert field not in _body()


def test_limits_are_the_specs() -> None:
    """Memory with swap equal, CPU as quota and period, pids, and hard rlimits."""
    assert _body()["resource_limits"] == {
        "memory": {"limit": 134_217_728, "swap": 134_217_728},
        "cpu": {"quota": 25_000, "period": 100_000},
        "pids": {"limit": 64},
    }
    limits = cast("list[dict[str, object]]", _body()["r_limits"])
    assert {limit["type"]: (limit["soft"], limit["hard"]) for limit in limits} == {
        "nofile": (256, 256),
        "nproc": (65, 65),
        "core": (0, 0),
    }


def test_where_the_group_holds_its_tasks_no_rlimit_does() -> None:
    """crun would count all processes of the daemon's user against it."""
    labels = workspace_labels("main", SPEC)
    limits = create_body(SPEC, name="n", labels=labels, by_group=True)["r_limits"]
    assert {limit["type"] for limit in cast("list[dict[str, object]]", limits)} == {"nofile", "core"}


def test_a_tiny_share_of_a_cpu_is_still_a_quota_that_the_kernel_takes() -> None:
    """The kernel refuses quotas below a millisecond."""
    assert _body(replace(SPEC, cpus=0.001))["resource_limits"]["cpu"]["quota"] == 1000


def test_mounts_are_tmpfs_and_dev_null_only() -> None:
    """No mount has a source on the host but /dev/null, and every tmpfs has a size and the flags."""
    mounts = {mount["destination"]: mount for mount in _body()["mounts"]}
    assert set(mounts) == {"/run/wsmgr", "/plugins", "/tmp", "/sys/fs/cgroup", "/etc/hostname", "/run/.containerenv"}
    for mount in mounts.values():
        if mount["type"] == "bind":
            assert mount["source"] == "/dev/null"
            assert "ro" in mount["options"]
            continue
        assert mount["type"] == "tmpfs"
        assert {"nosuid", "nodev", "noexec", "notmpcopyup"} <= set(mount["options"])
        assert any(option.startswith("size=") for option in mount["options"])
    assert "size=32m,nr_inodes=8192" in mounts["/tmp"]["options"]
    assert "size=65536,nr_inodes=64" in mounts["/run/wsmgr"]["options"]
    assert {"mode=1777"} <= set(mounts["/tmp"]["options"]) & set(mounts["/run/wsmgr"]["options"])
    assert "ro" in mounts["/sys/fs/cgroup"]["options"]


def test_the_environment_is_the_runtimes_settings_only() -> None:
    """What the runtime reads, as text."""
    assert _body()["env"] == {
        "LISTEN": "/run/wsmgr/api.sock",
        "WSMGR_MEMORY_MB": "128",
        "WSMGR_CONCURRENCY": "4",
        "WSMGR_PIDS": "64",
        "WSMGR_INPUT_BYTES": "1000",
        "WSMGR_OUTPUT_BYTES": "2000",
        "WSMGR_LOG_BYTES": "3000",
    }


def test_labels_say_whose_it_is() -> None:
    """Instance, workspace, digest, generation and uid."""
    assert _body()["labels"] == {
        "wsmgr.instance": "main",
        "wsmgr.workspace": "user:alice",
        "wsmgr.digest": SPEC.digest,
        "wsmgr.generation": "3",
        "wsmgr.uid": "10007",
    }


def test_persistent_data_is_one_directory_on_which_nothing_runs() -> None:
    """Its mount alone is added; a workspace without data has none."""
    without = _body()["mounts"]
    (data,) = [mount for mount in _body(replace(SPEC, data="/srv/v64-00/data"))["mounts"] if mount not in without]
    assert (data["destination"], data["source"], data["type"]) == ("/data", "/srv/v64-00/data", "bind")
    assert {"rw", "nosuid", "nodev", "noexec", "private"} <= set(data["options"])
    assert "/data" not in {mount["destination"] for mount in without}
