"""A podman-py client whose connections leave nothing open when the service is away.

podman-py drops a socket that could not connect without closing it, one for each failed call.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from podman import PodmanClient
from podman.api.uds import UDSAdapter, UDSConnection, UDSConnectionPool, UDSSocket


class _Connection(UDSConnection):
    def connect(self) -> None:
        sock = UDSSocket(self.uds)
        try:
            sock.settimeout(self.timeout)
            sock.connect()  # type: ignore[no-untyped-call] # podman-py annotates only some of its methods
        except BaseException:
            sock.close()
            raise
        self.sock = sock


class _Pool(UDSConnectionPool):
    ConnectionCls = _Connection


class _Adapter(UDSAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)  # type: ignore[no-untyped-call] # as above
        assert self.poolmanager is not None  # noqa: S101 (for the type checker: made by the call above)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool}


def connect(socket: Path, timeout_s: float) -> PodmanClient:
    """A client for one thread; it connects on its first call. `timeout_s` is for calls that give none."""
    client = PodmanClient(base_url=f"unix://{socket}", timeout=timeout_s)
    address = client.api.base_url.geturl()
    client.api.mount("http://", _Adapter(address, pool_connections=1, pool_maxsize=1, timeout=timeout_s))
    return client


def disconnect(client: PodmanClient) -> None:
    """Close a client's connections."""
    client.close()  # type: ignore[no-untyped-call] # podman-py annotates only some of its methods
