"""The one place where what podman and podman-py say becomes EngineUnavailable or EngineFailure.

podman-py has three unrelated families of errors: `APIError` (a requests error, also for time-outs and for a refused
connection, then without a response), `PodmanError`, and bare requests and urllib3 errors.
"""

from __future__ import annotations

import json
from pathlib import Path

import requests
import urllib3
from podman.errors import DockerException

from wsmgr.core.errors import EngineFailure, EngineUnavailable

TRANSPORT_ERRORS = (
    OSError,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    DockerException,
    ValueError,
    RuntimeError,
)
"""Everything that a call through podman-py can raise (APIError and its kin are OSErrors), or a closed thread pool."""

# What podman answers, and what mends it.
_MENDS = (
    ("no space left", "Free disk space for the containers' storage."),
    ("exceeded num_locks", "Raise `num_locks` in containers.conf and run `podman system renumber`."),
    ("subuid", "Give the daemon's user subordinate ids in /etc/subuid and /etc/subgid."),
    ("oci runtime", "`wsmgr doctor` tries every step on its own."),
)


def unavailable(error: BaseException, socket: Path, timeout_s: float) -> EngineUnavailable:
    """What to say when no usable answer came."""
    causes = _causes(error)
    if any(isinstance(cause, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError) for cause in causes):
        return EngineUnavailable(f"Podman's service on {socket} did not answer within {timeout_s:.0f} s.")
    if any(isinstance(cause, FileNotFoundError | ConnectionRefusedError) for cause in causes):
        return EngineUnavailable(f"No podman service listens on {socket}.")
    root = causes[-1]
    return EngineUnavailable(f"Podman's service on {socket} broke off: {type(root).__name__}: {_short(str(root))}")


def _causes(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    inner: BaseException | None = error
    while inner is not None and inner not in chain:
        chain.append(inner)
        inner = inner.__cause__ or inner.__context__
    return chain


def refused(status: int, body: bytes, what: str) -> EngineFailure:
    """What to say when podman answered a request (`what`: "start abc") with an error status."""
    message = message_of(body)
    lowered = message.lower()
    mend = next((mend for needle, mend in _MENDS if needle in lowered), None)
    sentence = f"Podman refused to {what} ({status}): {_short(message)}"
    return EngineFailure(sentence if mend is None else f"{sentence.rstrip('.')}. {mend}")


def image_missing(image: str) -> EngineFailure:
    """The workspace image is not in podman's storage, and wsmgr never pulls."""
    return EngineFailure(f"The image {image} is not on this host: make it with `wsmgr image build`.")


def message_of(body: bytes) -> str:
    """The message in podman's error body, or the body as it is."""
    try:
        parsed = json.loads(body)
        return str(parsed.get("message") or parsed.get("cause") or parsed)
    except (ValueError, AttributeError):
        return body.decode(errors="replace").strip() or "no reason given"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 400 else line[:397] + "..."
