"""A filter of system calls that is podman's own, less what leads from a workspace deeper into the kernel.

Podman's filter lets anybody make namespaces, mount, trace and use keyrings, for containers within containers. A plugin
needs none of it: a user namespace of its own would give it all capabilities there, and with them most of the kernel.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PROFILES = (Path("/etc/containers/seccomp.json"), Path("/usr/share/containers/seccomp.json"))
"""Where podman looks for its own, in this order (containers-common)."""

DENIED = frozenset({
    *("unshare", "setns", "clone", "clone3"),
    *("mount", "umount", "umount2", "mount_setattr", "move_mount", "open_tree"),
    *("fsopen", "fsconfig", "fsmount", "fspick"),
    *("pivot_root", "chroot"),
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"),
    *("keyctl", "add_key", "request_key"),
})  # fmt: skip

_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET (linux/sched.h)."""
_EPERM, _ENOSYS = 1, 38

_ADDED: Sequence[Mapping[str, object]] = (
    # Processes and threads as ever, without new namespaces. (On x86 and arm the flags are the first argument.)
    {
        "names": ["clone"],
        "action": "SCMP_ACT_ALLOW",
        "args": [{"index": 0, "value": _NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}],
    },
    # Its flags are behind a pointer, where no filter sees them; of ENOSYS C libraries think that it is not there yet.
    {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS},
    {"names": sorted(DENIED - {"clone", "clone3"}), "action": "SCMP_ACT_ERRNO", "errnoRet": _EPERM},
)


def narrowed(profile: Mapping[str, Any]) -> dict[str, Any]:
    """The profile less DENIED, with what takes its place. Raises KeyError, TypeError for what is no profile."""
    kept = []
    for rule in profile["syscalls"]:
        names = [name for name in rule["names"] if name not in DENIED]
        if names:
            kept.append({**rule, "names": names})
    return {**profile, "syscalls": [*kept, *_ADDED]}


def write_filter(folder: Path, profiles: Sequence[Path] = PROFILES) -> Path | None:
    """Write the filter into `folder` and return where; None where podman's own is not found or not understood, and then
    podman's own is in force; also where there is no such folder. Raises OSError when it cannot be written. Blocks."""
    if not folder.is_dir():
        return None
    for source in profiles:
        try:
            text = json.dumps(narrowed(json.loads(source.read_bytes())))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError):
            return None
        target = folder / "seccomp.json"
        fresh = target.with_suffix(".new")
        fresh.write_text(text)
        fresh.chmod(0o600)
        fresh.replace(target)
        return target
    return None
