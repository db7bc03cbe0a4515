"""The filter of system calls: podman's own, less what a plugin has no use for."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from wsmgr.adapters.podman.seccomp import DENIED, narrowed, write_filter

OWN = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "syscalls": [
        {"names": ["read", "clone", "unshare"], "action": "SCMP_ACT_ALLOW", "args": []},
        {"names": ["setns"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
    ],
}


def allowed(profile: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The rules that let a call through, by its name."""
    found: dict[str, list[dict[str, Any]]] = {}
    for rule in profile["syscalls"]:
        if rule["action"] == "SCMP_ACT_ALLOW":
            for name in rule["names"]:
                found.setdefault(name, []).append(rule)
    return found


def test_what_is_denied_is_allowed_nowhere() -> None:
    """But `clone` without the flags of namespaces; everything else stays as it was."""
    through = allowed(narrowed(OWN))
    assert set(through) & DENIED == {"clone"}
    (clone,) = through["clone"]
    (argument,) = clone["args"]
    assert (argument["value"] & 0x10000000, argument["valueTwo"]) == (0x10000000, 0)
    assert "read" in through
    assert {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1} in narrowed(OWN)["syscalls"]


def test_the_hosts_own_profile_is_narrowed_and_kept_private(tmp_path: Path) -> None:
    """Under the name that podman is told; once more is the same."""
    source = tmp_path / "own.json"
    source.write_text(json.dumps(OWN))
    for _ in range(2):
        written = write_filter(tmp_path, [tmp_path / "none.json", source])
        assert written == tmp_path / "seccomp.json"
        assert json.loads(written.read_text()) == json.loads(json.dumps(narrowed(OWN)))
        assert stat.S_IMODE(written.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"syscalls": [1]}', '{"syscalls": [{"names": 1}]}'])
def test_a_profile_that_is_none_leaves_podmans_own(tmp_path: Path, text: str) -> None:
    """Nothing is written."""
    source = tmp_path / "own.json"
    source.write_text(text)
    assert write_filter(tmp_path, [source]) is None
    assert not (tmp_path / "seccomp.json").exists()


def test_without_a_profile_or_a_folder_podmans_own_stays(tmp_path: Path) -> None:
    """As on a host whose podman keeps it elsewhere."""
    assert write_filter(tmp_path, [tmp_path / "none.json"]) is None
    assert write_filter(tmp_path / "none") is None
