"""The error vocabulary of wsmgr.

Every error that may reach a person carries a stable `code`, one sentence that says what happened and what to do,
and whether the same request may succeed later (`retryable`). The API maps `status` to HTTP; nobody else reads it.
"""

from __future__ import annotations

from collections.abc import Mapping


class WsmgrError(Exception):
    """A failure that is explained to the caller.

    `details` are extra members of the problem document (JSON scalars or lists).
    `retry_after` is in seconds, where waiting is known to help.
    """

    code = "internal"
    status = 500
    retryable = False

    def __init__(
        self,
        sentence: str,
        *,
        details: Mapping[str, object] | None = None,
        retry_after: float | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.details = dict(details or {})
        self.retry_after = retry_after
        if retryable is not None:
            self.retryable = retryable


class InvalidRequest(WsmgrError):
    """The request is not of the form the API takes."""

    code = "invalid_request"
    status = 422


class InvalidPlans(WsmgrError):
    """The plans file cannot be used; `details` has the file, and line and reason of every mistake."""

    code = "invalid_plans"
    status = 422


class NotFound(WsmgrError):
    """No such workspace, plugin, version or execution."""

    code = "not_found"
    status = 404


class Conflict(WsmgrError):
    """The request contradicts what is stored (the same executionId for another call, say)."""

    code = "conflict"
    status = 409


class Unsupported(WsmgrError):
    """This host or this isolation cannot do what was asked."""

    code = "unsupported"
    status = 409


class QuotaExceeded(WsmgrError):
    """A limit of the plan refuses the request; `details` name the limit and the usage."""

    code = "quota_exceeded"
    status = 429
    retryable = True


class TooLarge(WsmgrError):
    """A body is over its cap."""

    code = "too_large"
    status = 413


class NeverStarted(WsmgrError):
    """The call never reached the workspace: the plugin did not run, so a retry is safe."""

    code = "never_started"
    status = 503
    retryable = True


class ShuttingDown(WsmgrError):
    """The daemon takes no new work."""

    code = "shutting_down"
    status = 503
    retryable = True


class HostFull(WsmgrError):
    """The host's memory budget is used by workspaces that are in use; `details` has the figures."""

    code = "host_full"
    status = 503
    retryable = True


class LimitsNotEnforced(WsmgrError):
    """The plan demands limits that this host was not seen to hold; `details` names them."""

    code = "limits_not_enforced"
    status = 503


class EngineUnavailable(WsmgrError):
    """The container engine did not answer, or not in time. The state of its containers is unknown."""

    code = "engine_unavailable"
    status = 503
    retryable = True


class EngineFailure(WsmgrError):
    """The engine answered and refused (image missing, bad option, no space): trying again at once is useless."""

    code = "engine_failure"
    status = 502


class StoreUnavailable(WsmgrError):
    """The database did not take the write or give the answer."""

    code = "store_unavailable"
    status = 503
    retryable = True


class SecretsUnavailable(WsmgrError):
    """The keys of the secrets are missing, open to others, or not those that a secret was sealed with."""

    code = "secrets_unavailable"
    status = 503
