"""Everything that holds podman's user namespace is killed at once, and podman is brought back."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.engine.eventually import eventually
from tests.podman.engine.rig import CONTAINERFILES, IMAGE
from wsmgr.adapters.podman.api_service import ApiService
from wsmgr.adapters.podman.image import ImageBuilder
from wsmgr.adapters.podman.process import start_ticks
from wsmgr.adapters.podman.program import Program


class ApartPodman:
    """A podman with a storage, a user namespace and a pause process of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "run").mkdir()
        self.path = place / "podman"
        self.path.write_text(
            f"""#!/bin/sh
export XDG_RUNTIME_DIR={place}/run
exec podman --root {place}/root --runroot {place}/run/root --tmpdir {place}/run/tmp "$@"
"""
        )
        self.path.chmod(0o755)

    async def run(self, *arguments: str) -> str:
        """Its last line."""
        code, lines = await Program(str(self.path)).run(arguments, 60)
        assert code == 0, lines
        return lines[-1] if lines else ""

    async def end_everything(self, container: str) -> None:
        """kill -9 of the container, its monitor and the pause process, as `pkill -9 -u` does it."""
        pids = (await self.run("inspect", "--format", "{{.State.Pid}} {{.State.ConmonPid}}", container)).split()
        pause = next(self.place.rglob("pause.pid")).read_text()
        # The monitor first: it would tell podman of the end.
        for pid in (int(pids[1]), int(pids[0]), int(pause)):
            os.kill(pid, signal.SIGKILL)
            await eventually(lambda pid=pid: _gone(pid))  # type: ignore[misc]


async def _gone(pid: int) -> bool | None:
    return True if start_ticks(pid) is None else None


@pytest.fixture
def apart() -> Iterator[ApartPodman]:
    """One on a short path, removed afterwards: files of other uids need podman's namespace for that."""
    with tempfile.TemporaryDirectory(prefix="wsm-") as folder:
        made = ApartPodman(Path(folder))
        yield made
        asyncio.run(made.run("rm", "--all", "--force", "--time=0"))
        asyncio.run(made.run("unshare", "sh", "-c", f"umount -l {folder}/root/overlay; rm -rf {folder}/root"))
        for file in Path(folder).rglob("pause.pid"):
            os.kill(int(file.read_text()), signal.SIGKILL)


async def test_podman_works_again_after_everything_of_it_was_killed(apart: ApartPodman) -> None:
    """The image is found and the service answers, though podman by itself refuses every command."""
    builder = ImageBuilder(CONTAINERFILES, podman=str(apart.path))
    before = await builder.ensure_image(IMAGE)
    for by in ("image", "service"):
        container = await apart.run("run", "--detach", "--network=none", IMAGE)
        await apart.end_everything(container)
        code, said = await Program(str(apart.path)).run(["ps"], 60)
        assert code != 0
        assert "system migrate" in said[-1], "this host's podman does not lose itself: the test proves nothing"
        if by == "service":
            await _service_answers(apart)
        else:
            after = await builder.ensure_image(IMAGE)
            assert (after.id, after.changed) == (before.id, False)
        await apart.run("ps")


async def _service_answers(apart: ApartPodman) -> None:
    service = ApiService(apart.place / "podman.sock", podman=str(apart.path))
    try:
        await service.ensure()
        assert service.own is not None
    finally:
        await service.end()
