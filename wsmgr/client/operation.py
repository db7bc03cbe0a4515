"""One call to the API as a value: what to send, how long to wait, how to read the answer. No I/O here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Generic, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from wsmgr.client.errors import ApiError, ClientError, InvalidArgument, UnexpectedAnswer
from wsmgr.wire.problem import Problem

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)
Value = TypeVar("Value")

ANSWER_S = 15.0
"""How long a call that only looks something up, or only notes a wish, may take."""

LOADING_S = 60.0
"""How long a new version may take to be checked, stored, pushed and loaded."""


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """`read` turns the body of a good answer into the result. `timeout_s` is the wait for the answer in seconds.
    `content` is sent as it is, as a body of the type `media`, instead of `body` as JSON; `sent` is told how many bytes
    of it are on their way."""

    method: str
    path: str
    read: Callable[[bytes], T]
    query: Mapping[str, object] = field(default_factory=dict)
    body: object = field(default=None, repr=False)  # it may hold a secret
    content: bytes | None = None
    media: str = "application/json"
    sent: Callable[[int], None] | None = None
    timeout_s: float = ANSWER_S

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def segment(name: str) -> str:
    """A name as one segment of a path. Raises InvalidArgument for names that would make it another path."""
    if name in {"", ".", ".."}:
        raise InvalidArgument(f"{name!r} is not a name.")
    try:
        return quote(name, safe=":@~")
    except UnicodeEncodeError:
        raise InvalidArgument(f"{name!r} is not a name.") from None


def encode(operation: Operation[T]) -> bytes | None:
    """The body, None when there is none. Raises InvalidArgument when it is not a JSON value."""
    if operation.content is not None:
        return operation.content
    if operation.body is None:
        return None
    try:
        return json.dumps(operation.body, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"What was to be sent with {operation} is not JSON: {error}.") from error


def decode(operation: Operation[T], status: int, body: bytes) -> T:
    """The result of an answer. Raises ApiError when the daemon refused, UnexpectedAnswer when it is none of ours."""
    if status >= HTTPStatus.BAD_REQUEST:
        raise _refusal(operation, status, body)
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise UnexpectedAnswer(f"{operation} was answered with a redirection ({status}): this is not a wsmgr daemon.")
    try:
        return operation.read(body)
    except (ValidationError, UnicodeDecodeError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": "not UTF-8"}
        where = ".".join(map(str, first["loc"])) or "body"
        raise UnexpectedAnswer(
            f"The answer to {operation} is not what this client knows ({where}: {first['msg']}). "
            "Is the daemon of another version? Compare with `wsmgr --version`."
        ) from error


def _refusal(operation: Operation[T], status: int, body: bytes) -> ClientError:
    try:
        return ApiError(Problem.model_validate_json(body))
    except ValidationError:
        return UnexpectedAnswer(
            f"{operation} was answered with {status} and no problem document: is this a wsmgr daemon?"
        )


def workspace_path(workspace_id: str) -> str:
    """Of one workspace."""
    return f"/api/workspaces/{segment(workspace_id)}"


def plugin_path(workspace_id: str, slug: str) -> str:
    """Of one plugin of the workspace's owner."""
    return f"{workspace_path(workspace_id)}/plugins/{segment(slug)}"


def given(members: Mapping[str, Value | None]) -> dict[str, Value]:
    """Without those that are None."""
    return {name: value for name, value in members.items() if value is not None}


def read_as(model: type[Model]) -> Callable[[bytes], Model]:
    """Reads an answer's body as a model of the wire."""
    return model.model_validate_json


def nothing(body: bytes) -> None:
    """Reads an answer whose body says nothing more than its status."""
    del body
