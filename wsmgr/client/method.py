"""Turns a row of the table of calls into a method of a client, with the row's own signature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Generic, ParamSpec, Protocol, TypeVar

from wsmgr.client.operation import Operation

P = ParamSpec("P")
T = TypeVar("T")


class Blocking(Protocol):
    """A client that waits."""

    def call(self, operation: Operation[T], /) -> T:
        """Do it and return the result."""
        ...


class Awaiting(Protocol):
    """A client that is awaited."""

    async def call(self, operation: Operation[T], /) -> T:
        """Do it and return the result."""
        ...


class Method(Generic[P, T]):
    """A method of a blocking client."""

    def __init__(self, build: Callable[P, Operation[T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __get__(self, client: Blocking, owner: type[object]) -> Callable[P, T]:
        @wraps(self._build)
        def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return client.call(self._build(*args, **kwargs))

        return method


class AsyncMethod(Generic[P, T]):
    """A method of an asyncio client."""

    def __init__(self, build: Callable[P, Operation[T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __get__(self, client: Awaiting, owner: type[object]) -> Callable[P, Awaitable[T]]:
        @wraps(self._build)
        async def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return await client.call(self._build(*args, **kwargs))

        return method
