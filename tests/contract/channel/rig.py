"""What the channel contract needs of each channel under test: a channel, an endpoint, and a hand on its runtime."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from tests.fakes.channel import FakeChannel, FakeRuntime, Mood
from wsmgr.core.ids import ExecutionId, Slug, Version
from wsmgr.core.plugin import Language, PluginSource, version_of
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import Call, Channel

GRACE_S = 0.2
CODE = "export default (input) => input;"
HELLO = PluginSource(Slug("hello"), version_of(Language.JAVASCRIPT, CODE), Language.JAVASCRIPT, CODE)


def call(execution: str = "e1", *, value: object = None, timeout_s: float = 5.0, version: str | None = None) -> Call:
    """A call of HELLO."""
    return Call(
        execution=ExecutionId(execution),
        plugin=HELLO.slug,
        version=Version(version or HELLO.version),
        input=value,
        context={"userId": "alice"},
        timeout_s=timeout_s,
        output_bytes=4096,
        log_bytes=1024,
    )


class Steering(Protocol):
    """The test's hand on the runtime behind the endpoint."""

    @property
    def runtime(self) -> FakeRuntime:
        """What it holds, was asked, and does; its mood may be set."""
        ...

    async def until(self, holds: Callable[[FakeRuntime], bool]) -> None:
        """Wait until the runtime is in a state."""
        ...

    def kill(self) -> None:
        """The runtime dies now: calls in flight get nothing, nothing listens."""
        ...


@dataclass(frozen=True)
class Rig:
    """A channel and the runtime it talks to."""

    channel: Channel
    at: Endpoint
    steering: Steering
    hold: Callable[[], None]
    """From now on executions reach their plugin and it does not return."""


@dataclass(frozen=True)
class FakeSteering:
    """Steers the runtime of a FakeChannel."""

    channel: FakeChannel
    at: Endpoint
    turn: Callable[[], Awaitable[None]]

    @property
    def runtime(self) -> FakeRuntime:
        """The fake's own record."""
        return self.channel.runtime(self.at)

    async def until(self, holds: Callable[[FakeRuntime], bool]) -> None:
        """Lets the loop turn until it holds."""
        for _ in range(1000):
            if holds(self.runtime):
                return
            await self.turn()
        raise AssertionError("the fake runtime never got there")

    def kill(self) -> None:
        """As FakeChannel.kill."""
        self.channel.kill(self.at)


__all__ = ["CODE", "GRACE_S", "HELLO", "FakeSteering", "Mood", "Rig", "Steering", "call"]
