"""Running code inside a workspace of an engine, through the real channel."""

from __future__ import annotations

import functools
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from tests.contract.engine.eventually import eventually
from tests.contract.engine.rig import small_spec
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.core.ids import ExecutionId, Slug
from wsmgr.core.outcome import Outcome
from wsmgr.core.plugin import Language, PluginSource, version_of
from wsmgr.core.workspace import Endpoint, Running, Spec
from wsmgr.ports.channel import Call, ChannelClosed, RuntimeHealth
from wsmgr.ports.engine import Engine


@dataclass
class Inside:
    """A workspace that runs, and a way to run JavaScript in it."""

    engine: Engine
    channel: RuntimeChannel
    spec: Spec
    handle: str
    at: Endpoint
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    @classmethod
    @asynccontextmanager
    async def of(cls, engine: Engine) -> AsyncIterator[Inside]:
        """Opens the engine, starts one workspace, closes all at the end."""
        channel = RuntimeChannel()
        try:
            await engine.open()
            yield await cls.begin(engine, channel, "user:inside")
        finally:
            await channel.close()
            await engine.close()

    @classmethod
    async def begin(cls, engine: Engine, channel: RuntimeChannel, workspace: str) -> Inside:
        """Create and start a workspace, and wait until its runtime answers. What the sandbox holds is tried without
        the runtime's own restrictions before it."""
        spec = replace(small_spec(engine.isolation, "", workspace), output_bytes=262144, unrestricted=True)
        handle = await engine.create(spec)
        await engine.start(handle)
        running = await engine.observe(spec.workspace)
        assert isinstance(running, Running)
        inside = cls(engine, channel, spec, handle, running.endpoint)
        await eventually(functools.partial(_health, inside))
        return inside

    async def run(self, body: str, value: object = None) -> object:
        """The output of `async (input) => { body }`; an AssertionError when it fails."""
        outcome = await self.outcome(body, value)
        assert outcome.failure is None, outcome.failure
        return outcome.output

    async def outcome(self, body: str, value: object = None, slug: str = "probe") -> Outcome:
        """The outcome of `async (input) => { body }`, with `fs`, `os`, `net`, `attempt` and `dial`."""
        code = f"""
            const fs = require('node:fs'), os = require('node:os'), net = require('node:net');
            const attempt = (act) => {{ try {{ return act() ?? 'done'; }} catch (e) {{ return e.code; }} }};
            const dial = (options) => new Promise((done) => {{
                const socket = net.connect(options, () => {{ socket.destroy(); done('connected'); }});
                socket.on('error', (e) => done(e.code));
            }});
            module.exports = async (input) => {{ {body} }};"""
        plugin = PluginSource(Slug(slug), version_of(Language.JAVASCRIPT, code), Language.JAVASCRIPT, code)
        assert await self.channel.put(self.at, plugin, 10.0) is None
        call = Call(ExecutionId(f"e{next(self.numbers)}"), plugin.slug, plugin.version, value, {}, 20.0, 262144, 4096)
        return await self.channel.execute(self.at, call)


async def _health(inside: Inside) -> RuntimeHealth | None:
    try:
        return await inside.channel.health(inside.at, 5.0)
    except ChannelClosed:
        return None
