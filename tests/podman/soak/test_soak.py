"""A short soak, so that the long one cannot rot; and that its audit finds what podman has left."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.podman.daemon.rig import IMAGE, TREE, ensure_image, podman, refuse_root, wait_for
from tests.soak.leftovers import Look, podman_places, subordinate_uids

WITHIN_S = 280
"""On a machine that does nothing else it takes some 40 s."""


@pytest.mark.timeout(WITHIN_S + 20)
def test_a_short_soak_finds_nothing() -> None:
    """The program itself, with its exit code: everything that a long one does, for a quarter of a minute."""
    argv = [sys.executable, "-m", "tests.soak", "--seed", "3", "--minutes", "0.2"]
    done = subprocess.run(argv, cwd=TREE, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert done.returncode == 0, done.stdout[-16000:] + done.stderr[-2000:]
    last = done.stdout.splitlines()[-2]
    assert re.search(r"[1-9]\d* calls \(\d+ succeeded.* [1-9]\d* verbs, [1-9]\d* plugin changes, [1-9]\d* faults", last)
    assert done.stdout.splitlines()[-1].startswith("0 violations.")


@pytest.fixture
def folder() -> Iterator[Path]:
    """That of a daemon."""
    refuse_root()
    ensure_image()
    with tempfile.TemporaryDirectory(prefix="wsm-") as place:
        (Path(place) / "state").mkdir()
        (Path(place) / "state" / "instance").write_text(f"soak{secrets.token_hex(4)}")
        yield Path(place)


@pytest.mark.parametrize("label", ["wsmgr.instance", "wsmgr.probe"])
def test_an_orphan_container_is_found(folder: Path, label: str) -> None:
    """Made and running, with all that belongs to it: processes, state, layers; and nothing of it once it is gone."""
    look = Look(folder, podman_places(), subordinate_uids())
    before = look.remains()
    orphan = podman("create", "--network=none", "--label", f"{label}=x", IMAGE)
    assert [one for one in look.remains().beyond(before) if one.startswith(f"A container is left over: {orphan[:12]}")]
    podman("start", orphan)
    found = look.remains().beyond(before)
    assert {sentence.split(" is left over")[0] for sentence in found} >= {"A container", "A process", "A file"}
    podman("rm", "-f", "-t", "0", orphan)
    wait_for(lambda: look.remains().beyond(before) == [], 20, what=lambda: f"{look.remains().beyond(before)}")
