"""The body of a create request: what a workspace is given, and everything that it is denied.

Posted raw, because podman-py's `create()` throws away the `Warnings` of the answer and the flags of tmpfs mounts.
The field names are those of podman's SpecGenerator; a server passes over names that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wsmgr.adapters.podman import names
from wsmgr.core.workspace import Spec

SOCKET = "/run/wsmgr/api.sock"
"""Where the runtime listens, as it sees it."""
CPU_PERIOD_US = 100_000
STOP_GRACE_S = 5
"""What podman itself grants on a stop that wsmgr did not ask for (`podman stop` by an operator)."""
_MIB = 1024 * 1024
_DENY = ["nosuid", "nodev", "noexec"]


def create_body(
    spec: Spec, *, name: str, labels: Mapping[str, str], seccomp: Path | None = None, by_group: bool = False
) -> dict[str, object]:
    """The request for one workspace. `seccomp`: the filter of system calls, None: podman's own. `by_group`: its control
    group holds its number of tasks."""
    return {
        "name": name,
        "image": spec.image,
        "labels": dict(labels),
        "user": f"{spec.uid}:{spec.uid}",
        "hostname": "workspace",
        **_environment(spec),
        **_files(spec),
        **_privileges(seccomp),
        **_namespaces(),
        **_limits(spec, by_group=by_group),
        **_life(spec),
    }


def workspace_labels(instance: str, spec: Spec) -> dict[str, str]:
    """The labels by which a container is found and compared."""
    return {
        names.INSTANCE: instance,
        names.WORKSPACE: spec.workspace,
        names.DIGEST: spec.digest,
        names.GENERATION: str(spec.generation),
        names.UID: str(spec.uid),
    }


def _environment(spec: Spec) -> dict[str, object]:
    return {
        "env": {
            "LISTEN": SOCKET,
            "WSMGR_MEMORY_MB": str(spec.memory_mb),
            "WSMGR_CONCURRENCY": str(spec.concurrency),
            "WSMGR_PIDS": str(spec.pids),
            "WSMGR_INPUT_BYTES": str(spec.input_bytes),
            "WSMGR_OUTPUT_BYTES": str(spec.output_bytes),
            "WSMGR_LOG_BYTES": str(spec.log_bytes),
            **({"WSMGR_UNRESTRICTED": "1"} if spec.unrestricted else {}),
        },
        # The host's proxy variables, and whatever containers.conf would add, stay out.
        "httpproxy": False,
        "env_host": False,
    }


def _files(spec: Spec) -> dict[str, object]:
    return {
        "read_only_filesystem": True,
        # podman >= 4.5 would else put writable tmpfs mounts on /run, /tmp and /var/tmp of a read-only container.
        "read_write_tmpfs": False,
        "image_volume_mode": "ignore",
        "volatile": True,
        # Each of these would be a file of the host, shown with its path in mountinfo.
        "manage_password": False,
        "use_image_hosts": True,
        "use_image_resolve_conf": True,
        "mounts": [
            _scratch("/run/wsmgr", "65536", inodes=64),
            _scratch("/plugins", f"{spec.plugin_space_mb}m", inodes=spec.plugin_space_mb * 256),
            _scratch("/tmp", f"{spec.scratch_mb}m", inodes=spec.scratch_mb * 256),  # noqa: S108 (in the container)
            {
                "destination": "/sys/fs/cgroup",
                "type": "tmpfs",
                "source": "tmpfs",
                "options": ["size=4096", "mode=0555", "notmpcopyup", "ro", *_DENY],
            },
            _nothing("/etc/hostname"),
            _nothing("/run/.containerenv"),
            *([] if spec.data is None else [_data(spec.data)]),
        ],
    }


def _scratch(destination: str, size: str, *, inodes: int) -> dict[str, object]:
    # podman refuses `nr_inodes` as an option and hands the value of `size` on as it is; without it, empty files
    # could fill the host's memory past any size. runc gives a tmpfs the mode of the image's directory beneath it,
    # whatever `mode` says, so the image has 1777 on both; crun obeys the option.
    options = [f"size={size},nr_inodes={inodes}", "mode=1777", "notmpcopyup", *_DENY]
    return {"destination": destination, "type": "tmpfs", "source": "tmpfs", "options": options}


def _data(source: str) -> dict[str, object]:
    # A directory of a file system of its own, which is all that mountinfo inside shows of it: its device and `/data`.
    return {"destination": "/data", "type": "bind", "source": source, "options": ["bind", "rw", "private", *_DENY]}


def _nothing(destination: str) -> dict[str, object]:
    return {"destination": destination, "type": "bind", "source": "/dev/null", "options": ["ro", "bind"]}


def _privileges(seccomp: Path | None) -> dict[str, object]:
    # Without a seccomp_profile_path podman's default filter is in force; there is no seccomp_policy.
    filtered = {} if seccomp is None else {"seccomp_profile_path": str(seccomp)}
    return {"privileged": False, "cap_drop": ["ALL"], "cap_add": [], "no_new_privileges": True, **filtered}


def _namespaces() -> dict[str, object]:
    return {
        "netns": {"nsmode": "none"},
        "pidns": {"nsmode": "private"},
        # `none` is a private one without /dev/shm, which would be one more writable place.
        "ipcns": {"nsmode": "none"},
        "utsns": {"nsmode": "private"},
        "cgroupns": {"nsmode": "private"},
    }


def _limits(spec: Spec, *, by_group: bool) -> dict[str, object]:
    memory = spec.memory_mb * _MIB
    return {
        "resource_limits": {
            # `swap` is memory and swap together: equal means no swap.
            "memory": {"limit": memory, "swap": memory},
            "cpu": {"quota": max(1000, int(spec.cpus * CPU_PERIOD_US)), "period": CPU_PERIOD_US},
            "pids": {"limit": spec.pids},
        },
        "r_limits": [
            _rlimit("nofile", spec.nofile),
            # Counted per uid in the namespace, and every workspace has a uid of its own. But crun sets it before it has
            # left the daemon's uid, of which podman's service and the monitor of every other container are: on a host
            # with as many workspaces as this allows processes, none could be started any more (crun 1.8 says `clone:
            # Resource temporarily unavailable`). So it is set only where nothing better holds; podman's own is high.
            *([] if by_group else [_rlimit("nproc", nproc(spec))]),
            _rlimit("core", 0),
        ],
        # When the host itself runs out of memory, workspaces go before the daemon.
        "oom_score_adj": 500,
    }


def nproc(spec: Spec) -> int:
    """RLIMIT_NPROC of a workspace whose group does not hold it. The kernel asks it before the group: one more than the
    group's limit, so that where there is a group after all its pids.events tells of the refusals."""
    return spec.pids + 1


def _rlimit(kind: str, value: int) -> dict[str, object]:
    return {"type": kind, "soft": value, "hard": value}


def _life(spec: Spec) -> dict[str, object]:
    return {
        # wsmgr alone decides when something starts again or goes; podman's health checks need systemd timers.
        "restart_policy": "no",
        "remove": False,
        "healthconfig": {"Test": ["NONE"]},
        "stop_timeout": STOP_GRACE_S,
        "systemd": "false",
        "sdnotifyMode": "ignore",
        # The image brings an init of its own.
        "init": False,
        "terminal": False,
        "stdin": False,
        "log_configuration": {"driver": "k8s-file", "size": spec.log_file_bytes},
    }
