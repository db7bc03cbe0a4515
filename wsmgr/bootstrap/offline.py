"""What needs the daemon's code and no running daemon."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from wsmgr.adapters.plans import PlansFile, render
from wsmgr.adapters.podman.image import ImageBuilder, ImageReport
from wsmgr.adapters.podman.python_files import HostPython
from wsmgr.adapters.store.sql import SqlStore
from wsmgr.adapters.validator.rules import rules
from wsmgr.api.identity import digest_of, new_secret
from wsmgr.bootstrap import places
from wsmgr.bootstrap.parts import adapters, plans_file
from wsmgr.bootstrap.state import StateLock, prepare
from wsmgr.core.capability import Capability
from wsmgr.core.ids import parse_slug
from wsmgr.core.isolation import Isolation
from wsmgr.core.plans import BUILT_IN
from wsmgr.core.runtime import Runtime
from wsmgr.ports.store import Token
from wsmgr.settings import Settings


def build_image(
    settings: Settings,
    *,
    runtime: str = Runtime.NODE,
    base: str | None = None,
    version: str | None = None,
    force: bool = False,
    progress: Callable[[str], None],
) -> ImageReport:
    """Build the image of one runtime unless it is there and unchanged. Raises EngineFailure."""
    chosen = Runtime(runtime)
    found = places.python() if chosen is Runtime.PYTHON else None
    python = None if found is None else HostPython(found.program, found.library, found.version)
    builder = ImageBuilder(places.containerfiles(), chosen, python=python)
    tag = settings.image if chosen is Runtime.NODE else settings.python_image
    return asyncio.run(builder.ensure_image(tag, base=base, version=version, force=force, progress=progress))


def create_token(settings: Settings, name: str, role: str) -> str:
    """Make a token and return its secret, which is kept nowhere. Raises Conflict, InvalidRequest."""
    secret = new_secret()
    token = Token(parse_slug(name), role, datetime.now(UTC))

    async def put(store: SqlStore) -> None:
        await store.put_token(token, digest_of(secret))

    asyncio.run(_with_store(settings, put))
    return secret


def list_tokens(settings: Settings) -> Sequence[Token]:
    """All tokens, by name."""
    found: list[Token] = []

    async def read(store: SqlStore) -> None:
        found.extend(token for token, _ in await store.tokens())

    asyncio.run(_with_store(settings, read))
    return found


def delete_token(settings: Settings, name: str) -> bool:
    """Revoke a token; False when there was none. A running daemon knows within seconds."""
    gone = False

    async def delete(store: SqlStore) -> None:
        nonlocal gone
        gone = await store.delete_token(name)

    asyncio.run(_with_store(settings, delete))
    return gone


def forget_secrets(settings: Settings) -> int:
    """Remove the secrets of all plugins; how many there were. Raises Conflict while a daemon runs: it has them in
    memory."""
    count = 0

    async def forget(store: SqlStore) -> None:
        nonlocal count
        count = await store.settings.forget_secrets()

    lock = StateLock(settings.state_dir)
    lock.acquire()
    try:
        asyncio.run(_with_store(settings, forget))
    finally:
        lock.release()
    return count


def check_plans(settings: Settings, file: Path | None = None) -> tuple[str, Sequence[str]]:
    """Where the plans are from and their names: those of a file, or of the daemon's own when None. Raises
    InvalidPlans."""
    source = plans_file(settings) if file is None else PlansFile(file, required=True, rules=frozenset(rules()))
    book = asyncio.run(source.read())
    return book.source, list(book.plans)


def default_plans() -> str:
    """The built-in plans as the text of a plans file."""
    return render(BUILT_IN)


def probe(settings: Settings) -> Sequence[Capability]:
    """Prove what the engine of the chosen isolation can enforce. Raises EngineUnavailable, EngineFailure."""

    async def prove() -> Sequence[Capability]:
        parts = adapters(settings)
        engine = parts.engines[settings.isolation]
        await engine.open()
        try:
            found = tuple(await engine.capabilities())
            return (*found, await parts.volumes.prove()) if settings.isolation is Isolation.CONTAINER else found
        finally:
            await engine.close()
            if parts.service is not None:
                await parts.service.end()

    return asyncio.run(prove())


async def _with_store(settings: Settings, work: Callable[[SqlStore], Awaitable[None]]) -> None:
    prepare(Path(settings.state_dir))
    store = SqlStore(settings.database)
    await store.open()
    try:
        await work(store)
    finally:
        await store.close()
