"""Who calls: by the peer credentials of the unix socket, or by a bearer token on TCP."""

from __future__ import annotations

import asyncio
import grp
import hashlib
import hmac
import pwd
import secrets
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from wsmgr.core.errors import InvalidRequest, WsmgrError

SO_PEERGROUPS = 59
"""Linux 4.13 and later (socket(7)): the supplementary groups of the peer."""


class Role(StrEnum):
    """`ADMIN` may do everything that the others may. `VIEWER` may look at everything and change nothing."""

    ADMIN = "admin"
    SERVICE = "service"
    VIEWER = "viewer"


class Unauthenticated(WsmgrError):
    """No credential, or not a valid one."""

    code = "unauthenticated"
    status = 401


class Forbidden(WsmgrError):
    """Known, and not allowed to do this."""

    code = "forbidden"
    status = 403


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end of a unix socket."""

    uid: int
    gids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Identity:
    """`actor` stands in the audit trail: `uid:<n>` or `token:<name>`."""

    actor: str
    role: Role


def peer_of(connection: socket.socket) -> Peer | None:
    """The peer's credentials; None when this is no unix socket."""
    if connection.family != socket.AF_UNIX:
        return None
    _, uid, gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    try:
        raw = connection.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, 4 * 4096)
    except OSError:
        raw = b""
    return Peer(uid, frozenset({gid, *(group for (group,) in struct.iter_unpack("I", raw))}))


def digest_of(secret: str) -> str:
    """What is stored of a token. Its secret has 256 random bits, so a plain hash is as good as a slow one."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """A secret for a new token."""
    return f"wsm_{secrets.token_urlsafe(32)}"


class People:
    """Roles of local users, as the settings name them: user names, uids, or `@group`."""

    def __init__(
        self, own_uid: int, admins: Iterable[str], services: Iterable[str], viewers: Iterable[str] = ()
    ) -> None:
        self._roles: list[tuple[Role, frozenset[int], frozenset[int]]] = [
            (Role.ADMIN, frozenset({0, own_uid}), frozenset()),
            (Role.ADMIN, *_resolve(admins)),
            (Role.SERVICE, *_resolve(services)),
            (Role.VIEWER, *_resolve(viewers)),
        ]
        self._known: dict[Peer, Identity] = {}

    def identify(self, peer: Peer) -> Identity:
        """The strongest role of a peer. Raises Forbidden when it has none."""
        known = self._known.get(peer)
        if known is None:
            # Few users have a role, so that this stays small; strangers are not remembered.
            known = self._known[peer] = self._identify(peer)
        return known

    def _identify(self, peer: Peer) -> Identity:
        for role, uids, gids in self._roles:
            if peer.uid in uids or peer.gids & gids:
                return Identity(f"uid:{peer.uid}", role)
        raise Forbidden(
            f"The user with uid {peer.uid} has no role here. The daemon's settings `admins`, `services` and `viewers` "
            "give one."
        )


Reload = Callable[[], Awaitable[Mapping[str, Identity]]]


class Tokens:
    """Bearer tokens by digest. `wsmgr token` is another process: an unknown token makes this one look into the store
    again, through `reload`. Looks are `every_s` seconds apart at least, and whoever comes between waits for the next,
    so that a token that is stored is never refused and guesses cost the store nothing."""

    def __init__(self, tokens: Mapping[str, Identity], reload: Reload | None = None, every_s: float = 1.0) -> None:
        self._tokens = dict(tokens)
        self._reload = reload
        self._every_s = every_s
        self._looked = float("-inf")
        self._looking = asyncio.Lock()

    async def refresh(self) -> None:
        """Take over the tokens that are stored now."""
        if self._reload is not None:
            self._looked = time.monotonic()
            self._tokens = dict(await self._reload())

    async def identify(self, authorization: bytes | None) -> Identity:
        """Who an Authorization header stands for. Raises Unauthenticated."""
        if authorization is None or not authorization.startswith(b"Bearer "):
            raise Unauthenticated("This listener takes a bearer token; make one with `wsmgr token create`.")
        given = digest_of(authorization[7:].decode("latin-1"))
        found = self._find(given)
        if found is None and self._reload is not None:
            await self._look_after(time.monotonic())
            found = self._find(given)
        if found is None:
            raise Unauthenticated("The bearer token is not known here, or was revoked.")
        return found

    async def _look_after(self, asked: float) -> None:
        """Return after a look that began later than `asked`: one look serves all who wait for it."""
        async with self._looking:
            if self._looked < asked:
                await asyncio.sleep(max(0.0, self._looked + self._every_s - time.monotonic()))
                await self.refresh()

    def _find(self, given: str) -> Identity | None:
        """Compares with every token, so that the time tells nothing."""
        found = None
        for digest, identity in self._tokens.items():
            if hmac.compare_digest(digest, given):
                found = identity
        return found


def _resolve(names: Iterable[str]) -> tuple[frozenset[int], frozenset[int]]:
    uids, gids = set(), set()
    for name in names:
        try:
            if name.startswith("@"):
                gids.add(int(name[1:]) if name[1:].isdigit() else grp.getgrnam(name[1:]).gr_gid)
            else:
                uids.add(int(name) if name.isdigit() else pwd.getpwnam(name).pw_uid)
        except KeyError:
            raise InvalidRequest(f"The settings name {name!r}, and this host has no such user or group.") from None
    return frozenset(uids), frozenset(gids)
