"""The client of the daemon's API, blocking and asyncio. Needs nothing of wsmgr but `wsmgr.wire`.

with Client() as client:
    answer = client.execute("alice", "markdown", {"text": "# Hello"})
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsmgr.client.awaiting import AsyncClient
    from wsmgr.client.blocking import Client
    from wsmgr.client.errors import (
        AnswerTimeout,
        ApiError,
        ClientError,
        ConnectionLost,
        DaemonUnreachable,
        InvalidArgument,
        UnexpectedAnswer,
    )
    from wsmgr.client.target import Target, UnixTarget, UrlTarget, find_target
else:
    from importlib import import_module

    _PLACES = {
        "AsyncClient": "awaiting",
        "Client": "blocking",
        **dict.fromkeys(("Target", "UnixTarget", "UrlTarget", "find_target"), "target"),
    }

    def __getattr__(name: str) -> object:
        """Each name is loaded when it is wanted: errors and targets come without httpx and pydantic."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_PLACES.get(name, 'errors')}"), name)
        globals()[name] = value
        return value


__all__ = [
    "AnswerTimeout",
    "ApiError",
    "AsyncClient",
    "Client",
    "ClientError",
    "ConnectionLost",
    "DaemonUnreachable",
    "InvalidArgument",
    "Target",
    "UnexpectedAnswer",
    "UnixTarget",
    "UrlTarget",
    "find_target",
]
