"""Runs the daemon in the foreground."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import structlog
import uvloop

from wsmgr import __version__
from wsmgr.api.app import build
from wsmgr.api.identity import Identity, People, Role, Tokens
from wsmgr.api.server import bind_tcp, bind_unix, serve_until, server
from wsmgr.bootstrap import last_resort, logs
from wsmgr.bootstrap.compose import compose
from wsmgr.bootstrap.parts import adapters
from wsmgr.bootstrap.state import StateLock
from wsmgr.control.audit import DAEMON
from wsmgr.control.daemon import Daemon
from wsmgr.control.tasks import end_all
from wsmgr.core.errors import InvalidPlans, StoreUnavailable
from wsmgr.ports.store import TokenStore
from wsmgr.settings import Settings

log = structlog.get_logger(__name__)

SWITCH_S = 0.0005
"""How long the writer thread may keep the interpreter from the event loop: Python's own 5 ms would show in every
tenth call."""
TOKEN_REFRESH_S = 2.0
PATIENCE_S = 8.0
"""How long what runs in the background may take to its end."""
KEEP_SIGNAL = signal.SIGUSR1
"""Stop, and leave the workspaces running for the next daemon."""
RELOAD_SIGNAL = signal.SIGHUP
"""Read the plans anew."""


def serve(settings: Settings) -> int:
    """Run until SIGTERM, SIGINT or KEEP_SIGNAL; returns the exit code. Raises WsmgrError when it cannot start."""
    os.umask(0o077)
    sys.setswitchinterval(SWITCH_S)
    logs.configure(settings)
    lock = StateLock(settings.state_dir)
    lock.acquire()
    try:
        return uvloop.run(_serve(settings))
    finally:
        lock.release()


async def _serve(settings: Settings) -> int:
    parts = adapters(settings)
    daemon = compose(settings, parts)
    people = People(os.getuid(), settings.admins, settings.services, settings.viewers)

    async def stored_tokens() -> Mapping[str, Identity]:
        return await identities(daemon.store)

    tokens = Tokens({}, stored_tokens)
    sockets = _listen(settings)
    stopped = asyncio.Event()
    how = _Ending(stopped)
    how.watch_signals(keep=settings.shutdown == "keep")
    try:
        await daemon.lifecycle.start()
        await tokens.refresh()
        http = server(build(daemon, people, tokens))
        http_stopped = asyncio.Event()
        serving = asyncio.create_task(serve_until(http, sockets, http_stopped), name="serve")
        background = [
            asyncio.create_task(daemon.capabilities.watch(), name="capabilities"),
            asyncio.create_task(_refresh_tokens(tokens), name="tokens"),
            asyncio.create_task(_reload(daemon, how.reload), name="reload"),
        ]
        log.info("listening", socket=str(settings.socket), tcp=settings.listen, version=__version__, pid=os.getpid())
        await stopped.wait()
        last_resort.arm(settings.shutdown_deadline_s)
        # Beside the rest: what the proof of the capabilities has made is removed, which takes as long as podman takes.
        ending = asyncio.create_task(end_all(background, patience_s=PATIENCE_S, within_s=PATIENCE_S + 1), name="ending")
        await _stop(daemon, settings, how)
        http_stopped.set()
        await serving
        await ending
        await daemon.lifecycle.close()
        if parts.service is not None and not how.keep:
            await parts.service.end()
    finally:
        for one in sockets:
            one.close()
        settings.socket.unlink(missing_ok=True)
    how.ignore_signals()
    last_resort.disarm()
    log.info("stopped")
    return 0


class _Ending:
    """What the signals asked for: the first ends the daemon, a second one hurries it; RELOAD_SIGNAL does neither."""

    def __init__(self, stopped: asyncio.Event) -> None:
        self._stopped = stopped
        self.keep = False
        self.hurry = asyncio.Event()
        self.reload = asyncio.Event()

    def watch_signals(self, *, keep: bool) -> None:
        """`keep`: what SIGTERM, with which a host's own supervisor ends it, means for workspaces."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._end, keep)
        loop.add_signal_handler(signal.SIGINT, self._end, False)
        loop.add_signal_handler(KEEP_SIGNAL, self._end, True)
        loop.add_signal_handler(RELOAD_SIGNAL, self.reload.set)

    def ignore_signals(self) -> None:
        """All is done but the end of the process: a signal that comes now must not change its exit code. (The loop
        would leave them to their default when it is closed.)"""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, KEEP_SIGNAL):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)

    def _end(self, keep: bool) -> None:
        if self._stopped.is_set():
            self.hurry.set()
            return
        self.keep = keep
        self._stopped.set()


async def _stop(daemon: Daemon, settings: Settings, how: _Ending) -> None:
    """Stop in order; a second signal cuts the waiting short."""
    log.info("stopping", keep=how.keep, deadline_s=settings.shutdown_deadline_s)
    stopping = asyncio.create_task(daemon.lifecycle.stop(settings.shutdown_deadline_s, keep=how.keep))
    hurrying = asyncio.create_task(how.hurry.wait())
    await asyncio.wait({stopping, hurrying}, return_when=asyncio.FIRST_COMPLETED)
    if not stopping.done():
        log.warning("hurried: workspaces may be left running for the next daemon")
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        await daemon.lifecycle.hurry()
    hurrying.cancel()
    if stopping.done() and not stopping.cancelled():
        stopping.result()


def _listen(settings: Settings) -> list[socket.socket]:
    sockets = [bind_unix(Path(settings.socket))]
    if settings.listen is not None:
        sockets.append(bind_tcp(settings.listen))
    return sockets


async def identities(store: TokenStore) -> Mapping[str, Identity]:
    """Who the stored tokens stand for, by digest."""
    return {digest: Identity(f"token:{token.name}", Role(token.role)) for token, digest in await store.tokens()}


async def _refresh_tokens(tokens: Tokens) -> None:
    """A token that was revoked by `wsmgr token rm`, in another process, must stop to work within seconds."""
    while True:
        await asyncio.sleep(TOKEN_REFRESH_S)
        try:
            await tokens.refresh()
        except StoreUnavailable as error:
            log.warning("tokens not refreshed", why=error.sentence)


async def _reload(daemon: Daemon, asked: asyncio.Event) -> None:
    """Read the plans anew whenever that is asked for; a file that is wrong is told, and changes nothing."""
    while True:
        await asked.wait()
        asked.clear()
        try:
            await daemon.owners.reload(DAEMON)
        except InvalidPlans:
            # Told in the log and the audit trail already.
            continue
        except Exception:
            # A defect must not end the only one that hears the signal.
            log.exception("plans not reloaded")
