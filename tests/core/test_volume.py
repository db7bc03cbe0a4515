"""Which volume a workspace gets, and what is said of one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wsmgr.core.ids import WorkspaceId
from wsmgr.core.limits import MIB
from wsmgr.core.volume import NAME, Mark, Volume, choose, orphans

ALICE = Mark("one", WorkspaceId("user:alice"), 10_000)


def volume(name: str, size_mb: int = 64, **more: object) -> Volume:
    """A volume that can be used."""
    made = Volume(name=name, size_bytes=size_mb * MIB, inodes_left=10)
    return replace(made, **more)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("volumes", "taken", "chosen"),
    [
        ([], [], None),
        ([volume("a", 64)], [], "a"),
        ([volume("a", 63)], [], None),
        ([volume("big", 512), volume("small", 65)], [], "small"),
        ([volume("b"), volume("a")], [], "a"),
        ([volume("a"), volume("b")], ["a"], "b"),
        ([volume("a"), volume("b")], ["a", "b"], None),
        ([volume("a", mark=ALICE), volume("b")], [], "b"),
        ([volume("a", mark=ALICE)], [], None),
        ([volume("a", trouble="It is not mounted.")], [], None),
    ],
)
def test_the_smallest_free_one_that_is_large_enough(
    volumes: list[Volume], taken: list[str], chosen: str | None
) -> None:
    """Neither one that somebody holds nor one with somebody's data, whoever says so."""
    found = choose(volumes, taken, 64)
    assert (found and found.name) == chosen


def test_data_that_nobody_holds_is_an_orphan() -> None:
    """An empty volume is none, and neither is one that is held."""
    volumes = [volume("a", mark=ALICE), volume("b", mark=ALICE), volume("c")]
    assert [one.name for one in orphans(volumes, ["a"])] == ["b"]


@pytest.mark.parametrize(
    ("used_bytes", "reserved_bytes", "inodes_left", "full"),
    [
        (0, 0, 5, False),
        (64 * MIB, 0, 5, True),
        (64 * MIB - 4096, 0, 5, True),
        (63 * MIB, 0, 5, False),
        (32 * MIB, 32 * MIB, 5, True),
        (0, 0, 0, True),
    ],
)
def test_full_is_what_gives_enospc(used_bytes: int, reserved_bytes: int, inodes_left: int, *, full: bool) -> None:
    """Of bytes or of files; what is in reserve is not there to be had."""
    one = volume("a", used_bytes=used_bytes, reserved_bytes=reserved_bytes, inodes_left=inodes_left)
    assert one.full is full
    assert not replace(one, trouble="It is not mounted.").full


@pytest.mark.parametrize("name", ["", "A", "-a", "a/b", "..", "a.b", "a" * 64, "lost+found"])
def test_what_is_no_name_of_a_volume(name: str) -> None:
    """It becomes part of paths."""
    assert not NAME.fullmatch(name)
    assert NAME.fullmatch("v64-03")
