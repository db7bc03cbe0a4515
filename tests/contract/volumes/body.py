"""What every implementation of the port `Volumes` does. The fixture `volumes` has two free ones of 64 MiB at least."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from wsmgr.core.capability import Level
from wsmgr.core.errors import EngineFailure
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.limits import MIB
from wsmgr.core.volume import Mark, Volume
from wsmgr.ports.volumes import Volumes

ALICE = Mark("contract", WorkspaceId("user:alice"), 10_000)
BOB = Mark("contract", WorkspaceId("user:bob"), 10_001)
SLACK = MIB // 4
"""What a file system may take for itself beside the files."""


@dataclass(frozen=True)
class Rig:
    """`one` and `two` are the free volumes; `write` puts so many bytes on one, as its workspace would; 0 deletes them."""

    volumes: Volumes
    one: str
    two: str
    write: Callable[[str, int], None]

    async def look(self, name: str) -> Volume:
        """One volume."""
        return next(one for one in await self.volumes.list() if one.name == name)


async def test_a_claim_marks_and_caps(volumes: Rig) -> None:
    """And says so; the other volume is as it was."""
    before = await volumes.look(volumes.two)
    claimed = await volumes.volumes.claim(volumes.one, ALICE, 32)
    assert (claimed.mark, claimed.trouble) == (ALICE, None)
    assert claimed.cap_bytes == pytest.approx(32 * MIB, abs=SLACK)
    assert claimed.size_bytes >= 64 * MIB
    assert (await volumes.look(volumes.one)).mark == ALICE
    assert await volumes.look(volumes.two) == before
    assert before.mark is None


async def test_a_claim_again_keeps_the_content(volumes: Rig) -> None:
    """A daemon that died in the middle does it once more."""
    await volumes.volumes.claim(volumes.one, ALICE, 32)
    volumes.write(volumes.one, 4 * MIB)
    again = await volumes.volumes.claim(volumes.one, ALICE, 32)
    assert again.used_bytes == pytest.approx(4 * MIB, abs=SLACK)


async def test_nobody_gets_the_data_of_another(volumes: Rig) -> None:
    """Not under another name, not under another uid, not of another daemon."""
    await volumes.volumes.claim(volumes.one, ALICE, 32)
    for other in (BOB, Mark("contract", ALICE.workspace, 10_009), Mark("other", ALICE.workspace, ALICE.uid)):
        with pytest.raises(EngineFailure, match="user:alice"):
            await volumes.volumes.claim(volumes.one, other, 32)
    assert (await volumes.look(volumes.one)).mark == ALICE
    assert (await volumes.volumes.claim(volumes.two, BOB, 32)).mark == BOB


async def test_the_cap_holds_and_can_be_changed(volumes: Rig) -> None:
    """Up and down, to the size of the volume and no further; full is said."""
    await volumes.volumes.claim(volumes.one, ALICE, 16)
    with pytest.raises(OSError, match="No space"):
        volumes.write(volumes.one, 17 * MIB)
    volumes.write(volumes.one, 0)
    larger = await volumes.volumes.hold(volumes.one, 48)
    assert larger.cap_bytes == pytest.approx(48 * MIB, abs=SLACK)
    volumes.write(volumes.one, 40 * MIB)
    assert not (await volumes.look(volumes.one)).full
    most = await volumes.volumes.hold(volumes.one, 1_000_000)
    assert (most.reserved_bytes, most.cap_bytes) == (0, most.size_bytes)


async def test_what_is_over_a_smaller_size_stays_and_cannot_grow(volumes: Rig) -> None:
    """What is deleted can be taken back."""
    await volumes.volumes.claim(volumes.one, ALICE, 48)
    volumes.write(volumes.one, 40 * MIB)
    smaller = await volumes.volumes.hold(volumes.one, 16)
    assert smaller.used_bytes == pytest.approx(40 * MIB, abs=SLACK)
    assert smaller.cap_bytes == pytest.approx(40 * MIB, abs=SLACK)
    volumes.write(volumes.one, 0)
    assert (await volumes.volumes.hold(volumes.one, 16)).cap_bytes == pytest.approx(16 * MIB, abs=SLACK)


async def test_a_wipe_leaves_a_free_volume(volumes: Rig) -> None:
    """For anybody, and however often it is asked for."""
    await volumes.volumes.claim(volumes.one, ALICE, 16)
    volumes.write(volumes.one, 8 * MIB)
    await volumes.volumes.wipe(volumes.one)
    await volumes.volumes.wipe(volumes.one)
    wiped = await volumes.look(volumes.one)
    assert (wiped.mark, wiped.reserved_bytes) == (None, 0)
    assert wiped.used_bytes < SLACK
    claimed = await volumes.volumes.claim(volumes.one, BOB, 16)
    assert claimed.used_bytes < SLACK


async def test_what_is_not_there_cannot_be_used(volumes: Rig) -> None:
    """One sentence, no traceback."""
    with pytest.raises(EngineFailure):
        await volumes.volumes.claim("not-there", ALICE, 16)
    with pytest.raises(EngineFailure):
        await volumes.volumes.hold("not-there", 16)
    with pytest.raises(EngineFailure):
        await volumes.volumes.wipe("not-there")


async def test_sources_differ(volumes: Rig) -> None:
    """Never two workspaces in one directory."""
    assert volumes.volumes.source(volumes.one) != volumes.volumes.source(volumes.two)


async def test_the_proof_has_evidence_and_leaves_nothing(volumes: Rig) -> None:
    """Also beside volumes that are in use."""
    await volumes.volumes.claim(volumes.one, ALICE, 16)
    before = await volumes.look(volumes.two)
    proven = await volumes.volumes.prove()
    assert (proven.name, proven.level) == ("data", Level.ENFORCED), proven.evidence
    assert await volumes.look(volumes.two) == before
