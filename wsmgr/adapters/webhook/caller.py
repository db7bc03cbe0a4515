"""POSTs the ends of executions to URLs that came with them. Such a URL may be anybody's idea: where it leads is looked
at before anything is sent, and what was looked at is what is connected to."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence

import httpx
import orjson

from wsmgr.adapters.webhook.signing import signed_headers
from wsmgr.core.address import is_public
from wsmgr.core.execution import Execution
from wsmgr.ports.caller import Refused
from wsmgr.ports.notifier import NotDelivered

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host name. Raises OSError."""


async def _resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class WebhookCaller:
    """Implements ports.caller.Caller. Any answer 2xx is a delivery; its body is not read.

    Signed as notices are (see `signing`). Redirects and the proxies of the environment are not followed. Unless
    `private`, a host counts only if every address of it is public; the name is resolved once, and the connection goes
    to an address that was checked, so that a name that changes meanwhile leads nowhere else."""

    def __init__(
        self,
        secret: str,
        *,
        private: bool,
        timeout_s: float = 5.0,
        clock: Callable[[], float] = time.time,
        resolve: Resolve = _resolve,
    ) -> None:
        self._secret = secret.encode()
        self._private = private
        self._timeout_s = timeout_s
        self._clock = clock
        self._resolve = resolve
        limits = httpx.Limits(max_connections=16, max_keepalive_connections=0)
        self._http = httpx.AsyncClient(trust_env=False, follow_redirects=False, limits=limits, timeout=timeout_s)

    def check(self, url: str) -> None:
        """Raises Refused for another scheme, no host, credentials, and for an address that is not public."""
        parsed = _parsed(url)
        if not self._private and _is_address(parsed.host) and not is_public(parsed.host):
            raise Refused(f"{parsed.host} is not a public address, and this daemon calls back only those.")

    async def call(self, url: str, execution: Execution) -> None:
        """Send it once. Raises Refused, and NotDelivered after `timeout_s` seconds at the latest."""
        self.check(url)
        parsed = _parsed(url)
        body = orjson.dumps(_document(execution))
        headers = signed_headers(self._secret, self._clock(), body, f"execution-{execution.id}")
        try:
            async with asyncio.timeout(self._timeout_s):
                status = await self._post(parsed, body, headers)
        except TimeoutError:
            raise NotDelivered(f"The receiver {parsed.host} did not answer within {self._timeout_s:g} s.") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # Only its kind: the text of some of these errors quotes the URL.
            raise NotDelivered(f"The receiver {parsed.host} was not reached: {type(error).__name__}.") from None
        if not 200 <= status < 300:
            raise NotDelivered(f"The receiver {parsed.host} answered {status}.")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _post(self, url: httpx.URL, body: bytes, headers: dict[str, str]) -> int:
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = [url.host] if _is_address(url.host) else await self._resolve(url.host, port)
        if not addresses:
            raise NotDelivered(f"The receiver {url.host} has no address.")
        if not self._private and not all(map(is_public, addresses)):
            raise Refused(f"{url.host} leads to an address that is not public, and this daemon calls back only those.")
        request = self._http.build_request(
            "POST",
            url.copy_with(host=addresses[0]),
            content=body,
            headers={**headers, "Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": url.host},
        )
        answer = await self._http.send(request, stream=True)
        await answer.aclose()
        return answer.status_code


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise Refused("It is not a URL.") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Refused("It must begin with http:// or https:// and name a host.")
    if parsed.userinfo:
        raise Refused("It must not hold a name or a password; what is sent is signed.")
    return parsed


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except (OSError, ValueError):
            continue
        return True
    return False


def _document(execution: Execution) -> dict[str, object]:
    outcome = execution.outcome
    failure = None if outcome is None else outcome.failure
    logs = () if outcome is None else outcome.logs
    return {
        "type": "execution.over",
        "execution": {
            "id": execution.id,
            "workspace": execution.workspace,
            "plugin": execution.plugin,
            "version": execution.version,
            "state": execution.state.value,
            "createdAt": execution.created_at,
            "durationMs": None if outcome is None else outcome.duration_ms,
            "output": None if outcome is None else outcome.output,
            "error": None if failure is None else {"type": failure.type.value, "message": failure.message},
            "logs": [{"t": entry.t, "level": entry.level, "message": entry.message} for entry in logs],
            "logsTruncated": outcome is not None and outcome.logs_truncated,
        },
    }
