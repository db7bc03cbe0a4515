"""Errors of the API: `application/problem+json`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

PROBLEM_MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """`code` is stable and for programs, `detail` one sentence for people; `retryable`: the same request may succeed
    later. Further members name limits, positions and the like."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    retryable: bool = False
