"""Starting a container, over the one way in which a start fails for no fault of the container's.

runc puts RLIMIT_NPROC on its helper while that is still the daemon's user, and so counts with all threads of that user.
About one start in 200 dies because the helper then needs one more (`pthread_create failed` in the container's log).
"""

from __future__ import annotations

import asyncio

from wsmgr.adapters.podman.calls import Answer, PodmanCalls

_TRIES = 3
_LOOKS = 40
_LOOK_EVERY_S = 0.05


async def start_container(calls: PodmanCalls, handle: str, timeout_s: float) -> Answer:
    """Start, and start anew what did not come up; podman's last answer. `timeout_s` is for each try."""
    for _ in range(_TRIES - 1):
        answer = await calls.post(f"/containers/{handle}/start", timeout_s=timeout_s)
        if answer.ok or answer.status == 404:
            return answer
        await _cleaned_up(calls, handle)
    return await calls.post(f"/containers/{handle}/start", timeout_s=timeout_s)


async def _cleaned_up(calls: PodmanCalls, handle: str) -> None:
    """Wait until podman has cleared away a helper that died; before that another start would fail on its remains."""
    for _ in range(_LOOKS):
        answer = await calls.get(f"/containers/{handle}/json")
        if not answer.ok or answer.json()["State"]["Status"] != "initialized":
            return
        await asyncio.sleep(_LOOK_EVERY_S)
