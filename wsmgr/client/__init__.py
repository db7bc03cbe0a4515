"""The client of the daemon's API, blocking and asyncio. Needs nothing of wsmgr but `wsmgr.wire`.

with Client() as client:
    answer = client.execute("alice", "markdown", {"text": "# Hello"})
"""

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
