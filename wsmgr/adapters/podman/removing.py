"""Removing a container with everything of it, also one whose start or stop was cut short."""

from __future__ import annotations

import json
from contextlib import suppress

from wsmgr.adapters.podman.calls import Answer, PodmanCalls
from wsmgr.adapters.podman.errors import message_of
from wsmgr.core.errors import EngineUnavailable

_NOT_STARTED = frozenset({"configured", "created"})
_ENDS_S = 10.0


async def remove_container(calls: PodmanCalls, handle: str, timeout_s: float, *, volumes: bool = False) -> Answer:
    """Kill and remove; podman's last answer. `timeout_s` is for each call.

    A service that dies in the middle of a start or a stop leaves the container's monitor and its processes behind, and
    a container that podman takes for not started, or for stopping: it then removes the container and not the processes,
    which stay for ever (seen with podman 4.3.1 and runc). Having it initialized first makes podman meet them and clear
    them away; one that is stopping has to be killed first.
    """
    status = await _status(calls, handle)
    if status in _NOT_STARTED:
        await calls.post(f"/containers/{handle}/init", timeout_s=timeout_s)
    elif status == "stopping":
        await calls.post(f"/containers/{handle}/kill", {"signal": "KILL"}, timeout_s=timeout_s)
        with suppress(EngineUnavailable):
            await calls.post(f"/containers/{handle}/wait", {"condition": "stopped"}, timeout_s=_ENDS_S)
    query = {"force": "true", "timeout": "0", **({"v": "true"} if volumes else {})}
    return await calls.delete(f"/containers/{handle}", query, timeout_s=timeout_s)


def is_gone(answer: Answer) -> bool:
    """Whether podman says that there is no such container. 4.3.1 says so with 500 when it is removed at this moment."""
    return answer.status == 404 or (answer.status == 500 and "no such container" in message_of(answer.body).lower())


def is_robbed(answer: Answer) -> bool:
    """Whether podman knows the container and its storage does not (any more): a removal died between the two, and
    nothing but another one helps."""
    return answer.status == 500 and "container not known" in message_of(answer.body).lower()


async def _status(calls: PodmanCalls, handle: str) -> str | None:
    answer = await calls.get(f"/containers/{handle}/json")
    if not answer.ok:
        return None
    try:
        return str(json.loads(answer.body)["State"]["Status"]).lower()
    except (ValueError, KeyError, TypeError):
        return None
