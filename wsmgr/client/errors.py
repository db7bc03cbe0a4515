"""What can go wrong with a call to the daemon. Each error carries one sentence for people in `sentence`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # With pydantic, which whoever catches an error needs not load.
    from wsmgr.wire.problem import Problem


class ClientError(Exception):
    """The base of all errors of the client."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class InvalidArgument(ClientError):
    """What was to be sent cannot be sent (not JSON, not a name); nothing left this process."""


class DaemonUnreachable(ClientError):
    """No connection could be made, so nothing was done; the sentence says why, and what to run."""


class AnswerTimeout(ClientError):
    """The daemon took the request and did not answer in time: what was asked may still be done."""


class ConnectionLost(ClientError):
    """The connection ended before the answer: what was asked may have been done."""


class UnexpectedAnswer(ClientError):
    """The answer is not one of this API: another program, or a daemon of another version."""


class ApiError(ClientError):
    """The daemon refused. `code` is stable; `retryable`: the same request may succeed later."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def code(self) -> str:
        """The stable word for what happened."""
        return self.problem.code

    @property
    def detail(self) -> str:
        """One sentence for people."""
        return self.problem.detail

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.problem.retryable
