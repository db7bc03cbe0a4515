"""What a failed connection means: one sentence each, whatever made the connection."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator

from wsmgr.client.errors import AnswerTimeout, ConnectionLost, DaemonUnreachable
from wsmgr.client.target import Target, UnixTarget

CONNECT_S = 5.0
"""How long a connection may take to be made."""


def overloaded(target: Target) -> DaemonUnreachable:
    """No connection within the time for it."""
    return DaemonUnreachable(f"The daemon at {target} took no connection in time; it may be overloaded or stuck.")


def unreachable(error: BaseException, target: Target) -> DaemonUnreachable:
    """No connection at all. `error` may be a library's, with the system's as its cause."""
    return DaemonUnreachable(_why_unreachable(error, target))


def unanswered(what: object, timeout_s: float) -> AnswerTimeout:
    """The daemon took it, and then nothing came in time."""
    return AnswerTimeout(f"The daemon took {what} and did not answer within {timeout_s:g} s; it may still be at work.")


def silent(target: Target, silence_s: float) -> AnswerTimeout:
    """A stream on which something comes every second has none of it."""
    return AnswerTimeout(
        f"The daemon at {target} has said nothing for {silence_s:g} s: it hangs, or the machine is overloaded."
    )


def broken_off(what: object, target: Target) -> ConnectionLost:
    """The connection ended in the middle."""
    return ConnectionLost(
        f"The connection to {target} ended before {what} was answered; what was asked may have been done."
    )


def _why_unreachable(error: BaseException, target: Target) -> str:
    causes = list(_causes(error))
    if not isinstance(target, UnixTarget):
        return (
            f"Nothing answers at {target}. Start the daemon with `wsmgr serve --listen HOST:PORT`, or unset WSMGR_URL "
            "to use its socket."
        )
    if any(isinstance(cause, FileNotFoundError) for cause in causes):
        return (
            f"No daemon is running: the socket {target} does not exist. Start one with `wsmgr serve --detach`, or name "
            "another socket with --socket or WSMGR_SOCKET."
        )
    if any(isinstance(cause, PermissionError) for cause in causes):
        return (
            f"The socket {target} may not be used by {_user()}: permission denied. Run this as root or as the daemon's "
            "user, or join the group that owns the socket's directory."
        )
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return (
            f"Nobody listens on {target}: the daemon ended without removing its socket. Start it again with "
            "`wsmgr serve --detach`."
        )
    return f"The socket {target} cannot be used: {error}."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What led to an error, also inside groups; errors of the system are found there, whatever wrapped them."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        at = todo.pop()
        if at is None or id(at) in seen:
            continue
        seen.add(id(at))
        yield at
        todo += [at.__cause__, at.__context__]
        if isinstance(at, BaseExceptionGroup):
            todo += at.exceptions


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
