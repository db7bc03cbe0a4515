"""Why there is no live view, and what to do about it: one sentence each, and what to run."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from wsmgr.client.errors import (
    AnswerTimeout,
    ApiError,
    ClientError,
    ConnectionLost,
    DaemonUnreachable,
    UnexpectedAnswer,
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """`headline` in a word or two, `sentence` the cause, `remedy` what to run; empty when the cause says it."""

    headline: str
    sentence: str
    remedy: str = ""


def trouble_of(error: ClientError) -> Trouble:
    """What an error of the live view means to an operator."""
    sentence = error.sentence
    match error:
        case DaemonUnreachable() if "permission denied" in sentence:
            return Trouble("NO PERMISSION", sentence)
        case DaemonUnreachable():
            return Trouble("DAEMON GONE", sentence)
        case AnswerTimeout():
            return Trouble(
                "DAEMON HANGS",
                sentence,
                "Look at its process and log. To replace it and keep the workspaces: `wsmgr shutdown --keep`, then "
                "`wsmgr serve --detach`.",
            )
        case ConnectionLost():
            return Trouble("CONNECTION LOST", sentence, "If it does not come back: `wsmgr serve --detach`.")
        case UnexpectedAnswer():
            return Trouble(
                "VERSION MISMATCH", sentence, "Compare `wsmgr --version` here with the daemon's, and restart the older."
            )
        case ApiError():
            return _refused(error)
        case _:
            return Trouble("NO CONNECTION", sentence)


def _refused(error: ApiError) -> Trouble:
    match error.status:
        case HTTPStatus.UNAUTHORIZED:
            return Trouble("NOT KNOWN", error.sentence, "Set WSMGR_TOKEN to a token of `wsmgr token create`.")
        case HTTPStatus.FORBIDDEN:
            return Trouble(
                "NOT AN ADMIN",
                error.sentence,
                "Run this as root or as the daemon's user, or have yourself put into the daemon's WSMGR_ADMINS, or "
                "WSMGR_VIEWERS to look only.",
            )
        case HTTPStatus.NOT_FOUND:
            return Trouble(
                "VERSION MISMATCH",
                "This daemon has no live view of its workspaces: it is older than this program.",
                "Restart the daemon with the version that `wsmgr --version` names.",
            )
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return Trouble("DAEMON NOT READY", error.sentence)
        case _:
            return Trouble("REFUSED", error.sentence)
